/**
 * Bytes of a blob of pieces, each an array of items behind its length (4 bytes, little-endian), after the byte of the format. Pieces are about equally long:
 * the memory of all is taken with the first, so that every byte is copied once.
 */
import { measureItems, writeItems } from "../codec/msgpack.ts";

export const LENGTH_BYTES = 4;
/** Later pieces may be longer than the first by so much. What is not used of a large memory was never written to and costs nothing. */
const MARGIN = 1.25;

export class PieceWriter {
  readonly #format: number;
  readonly #pieces: number;
  #bytes = new Uint8Array(0);
  #view = new DataView(this.#bytes.buffer);
  #at = 1;

  /** `pieces`: how many will come; the last may be part of one. */
  constructor(format: number, pieces: number) {
    this.#format = format;
    this.#pieces = pieces;
  }

  add(items: readonly unknown[]): void {
    const packed = measureItems(items);
    this.#room(LENGTH_BYTES + packed.bytes);
    this.#view.setUint32(this.#at, packed.bytes, true);
    writeItems(packed, this.#bytes, this.#view, this.#at + LENGTH_BYTES);
    this.#at += LENGTH_BYTES + packed.bytes;
  }

  #room(n: number): void {
    const needed = this.#at + n;
    const before = this.#bytes;
    if (needed <= before.length) return;
    const all =
      before.length === 0 ? 1 + n * (1 + Math.max(0, this.#pieces - 1) * MARGIN) : before.length * 1.5;
    this.#bytes = new Uint8Array(Math.max(needed, Math.ceil(all)));
    this.#bytes.set(before);
    this.#bytes[0] = this.#format;
    this.#view = new DataView(this.#bytes.buffer);
  }

  done(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }
}
