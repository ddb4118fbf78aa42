/**
 * Nexmark data as files of JSON lines, made once and kept: `DIR/n<events>-d<delayUs>-g<group>/parts/part-NNN.ndjson`.
 *
 * D1 meta.json is written last: where it is, the set is complete. D2 The last file holds one event of each kind far in the future, which moves
 * every watermark past all windows; the views of the queries leave these rows out.
 */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { crc32 } from "../../core/crc32.ts";
import { LINE_BYTES_MAX, NexmarkGenerator, type NexmarkOptions } from "./generator.ts";

export interface NexmarkParameters extends NexmarkOptions {
  readonly events: number;
  /** The check value of the events' text, where it is known. */
  readonly crc32?: string;
}

export interface NexmarkFiles {
  readonly events: number;
  readonly bytes: number;
  readonly crc32: string;
  /** Folder of the files, to be read in the order of their names. */
  readonly parts: string;
  /** Number of files, the one with the end markers included. */
  readonly files: number;
}

/** Events of one file; small sets have FILES_MIN files all the same. */
const FILE_EVENTS_MAX = 100_000;
const FILES_MIN = 8;
const BLOCK_BYTES = 1024 * 1024;

/** Event time of the end markers: 2100-01-01T00:00:00Z. */
export const END_TIME_MS = 4_102_444_800_000;

/** Ids no event has, all different, so that no join finds them. */
const END_MARKERS = [
  `{"person":{"id":-1,"name":"","emailAddress":"","creditCard":"","city":"","state":"","dateTime":${END_TIME_MS},"extra":""}}`,
  `{"auction":{"id":-2,"itemName":"","description":"","initialBid":1,"reserve":1,"dateTime":${END_TIME_MS},"expires":${END_TIME_MS},"seller":-3,"category":-1,"extra":""}}`,
  `{"bid":{"auction":-4,"bidder":-5,"price":1,"channel":"","url":"","dateTime":${END_TIME_MS},"extra":""}}`,
];

/** Calls `take` with blocks of whole lines of the events [from, to); the bytes are valid until it returns. */
export const generateLines = (
  generator: NexmarkGenerator,
  from: number,
  to: number,
  take: (block: Uint8Array) => void,
): void => {
  const block = Buffer.allocUnsafe(BLOCK_BYTES + LINE_BYTES_MAX);
  let at = 0;
  for (let n = from; n < to; n++) {
    at = generator.write(n, block, at);
    if (at < BLOCK_BYTES) continue;
    take(block.subarray(0, at));
    at = 0;
  }
  if (at > 0) take(block.subarray(0, at));
};

const partName = (i: number): string => `part-${String(i).padStart(5, "0")}.ndjson`;

const write = (p: NexmarkParameters, parts: string): Omit<NexmarkFiles, "parts"> => {
  const generator = new NexmarkGenerator(p);
  const perFile = Math.max(1, Math.min(FILE_EVENTS_MAX, Math.ceil(p.events / FILES_MIN)));
  let [bytes, crc, files] = [0, 0, 0];
  for (let from = 0; from < p.events; from += perFile) {
    const file = openSync(join(parts, partName(files++)), "w");
    generateLines(generator, from, Math.min(p.events, from + perFile), (block) => {
      crc = crc32(block, crc);
      bytes += block.length;
      for (let done = 0; done < block.length;) done += writeSync(file, block, done);
    });
    closeSync(file);
  }
  writeFileSync(join(parts, partName(files++)), END_MARKERS.map((line) => `${line}\n`).join(""));
  return { events: p.events, bytes, crc32: (crc >>> 0).toString(16).padStart(8, "0"), files };
};

/** The files of a data set below `root`, made now unless they are there. Throws when the events are not the ones that `crc32` tells. */
export const nexmarkFiles = (root: string, p: NexmarkParameters): NexmarkFiles => {
  const name = `n${p.events}-d${p.delayUs}-g${p.group}${p.links === false ? "-nolinks" : ""}`;
  const directory = join(root, name);
  const [parts, meta] = [join(directory, "parts"), join(directory, "meta.json")];
  if (!existsSync(meta)) {
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(parts, { recursive: true });
    writeFileSync(meta, JSON.stringify(write(p, parts)));
  }
  const found = JSON.parse(readFileSync(meta, "utf8")) as Omit<NexmarkFiles, "parts">;
  if (p.crc32 !== undefined && p.crc32 !== found.crc32)
    throw new Error(`the events of ${name} have the CRC-32 ${found.crc32}, expected ${p.crc32}`);
  return { ...found, parts };
};
