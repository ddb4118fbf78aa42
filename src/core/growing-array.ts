/**
 * Typed arrays that live long and grow: columns of state, indexes of keys.
 *
 * Large ones stand in shared memory that grows in place. Nothing is copied and no second array stands beside the first while it grows; pages nobody wrote to
 * cost nothing; and V8 leaves shared memory out of the count of bytes outside of its heap, of which every 64 MB more begin a full collection. A state of
 * some hundred megabytes made the collector take half of the process's CPU.
 *
 * Invariants. G1: what `grown` gives begins with the elements of `from`, and zeros follow. G2: `from` is not written to any more: it may or may not be the
 * same memory. G3: memory that is shared is so in name only: no other thread ever gets it.
 */
import { counted } from "./shared-memory.ts";

export type Fixed = Float64Array | Int32Array | Uint8Array | Int16Array | BigInt64Array;

/** Shorter arrays are ordinary ones. */
const SHARED_AT_LEAST_BYTES = 256 * 1024;
/** Address space kept free behind an array, as a multiple of what it has: beyond it the array moves. */
const RESERVE_RATIO = 16;

type Growable = SharedArrayBuffer & {
  readonly growable: boolean;
  readonly maxByteLength: number;
  grow(bytes: number): void;
};
const Shared = SharedArrayBuffer as unknown as new (
  bytes: number,
  options: { readonly maxByteLength: number },
) => Growable;

/** New memory of so many bytes, zeroed, with room to grow; ordinary where the system does not give the address space. */
const memoryOf = (bytes: number): ArrayBufferLike => {
  if (bytes < SHARED_AT_LEAST_BYTES) return new ArrayBuffer(bytes);
  try {
    const memory = new Shared(bytes, { maxByteLength: bytes * RESERVE_RATIO });
    counted(memory);
    return memory;
  } catch {
    return new ArrayBuffer(bytes);
  }
};

/** The memory `buffer` made longer where it stands; undefined when it cannot be. */
const inPlace = (buffer: ArrayBufferLike, bytes: number): ArrayBufferLike | undefined => {
  if (!(buffer instanceof SharedArrayBuffer)) return undefined;
  const b = buffer as Growable;
  if (b.growable !== true || bytes > b.maxByteLength) return undefined;
  if (bytes > b.byteLength) {
    b.grow(bytes);
    counted(b);
  }
  return b;
};

/** `from` with room for `length` elements, which is not less than it has (G1, G2). Views have a length of their own: those that follow the memory's are slower. */
export const grown = <A extends Fixed>(from: A, length: number): A => {
  const Kind = from.constructor as new (buffer: ArrayBufferLike, offset: number, length: number) => A;
  const bytes = length * from.BYTES_PER_ELEMENT;
  const same = inPlace(from.buffer, bytes);
  if (same !== undefined) return new Kind(same, 0, length);
  const to = new Kind(memoryOf(bytes), 0, length);
  to.set(from as never);
  return to;
};

/** As `grown`, of bytes in a Buffer that has all of its memory. */
export const grownBytes = (from: Buffer, used: number, length: number): Buffer => {
  const same = from.byteOffset === 0 ? inPlace(from.buffer, length) : undefined;
  if (same !== undefined) return Buffer.from(same, 0, length);
  const to = Buffer.from(memoryOf(length), 0, length);
  to.set(from.subarray(0, used));
  return to;
};
