/** CRC-32 (zlib's polynomial) of bytes: checksums of frames, blobs and chunks. Native where Node has it. */
import * as zlib from "node:zlib";

const native = (zlib as { crc32?: (data: Uint8Array, value?: number) => number }).crc32;

const TABLE = new Uint32Array(256).map((_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

const portable = (data: Uint8Array, before: number): number => {
  let crc = ~before;
  for (let i = 0; i < data.length; i++) crc = TABLE[(crc ^ data[i]!) & 255]! ^ (crc >>> 8);
  return ~crc >>> 0;
};

/** `before`: the sum of the bytes in front of `data`. */
export const crc32 = (data: Uint8Array, before = 0): number =>
  native === undefined ? portable(data, before) : native(data, before);
