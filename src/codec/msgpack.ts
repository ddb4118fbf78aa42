/**
 * The one place that configures msgpackr: plain msgpack without shared structures, readable by any other process.
 *
 * Invariants.
 *  M1 `unpack(pack(v))` equals `v` for every Value (src/core/value): a bigint stays a bigint, a number a number, -0 stays -0,
 *     NaN and the infinities stay themselves, a Uint8Array comes back as a plain Uint8Array of its own memory.
 *  M2 `unpack` of bytes that are not msgpack throws; it never reads outside of them.
 *  M3 bytes given out are in a small buffer, or in one of their own: whoever keeps a few of them keeps little more than them.
 */
import { addExtension, Packr, Unpackr } from "msgpackr";

/** msgpackr writes -0 as the integer 0; this stands for it on the wire. */
class NegativeZero {
  readonly zero = 0;
}
const NEGATIVE_ZERO = new NegativeZero();
const NEGATIVE_ZERO_TYPE = 0x30;

addExtension({
  Class: NegativeZero,
  type: NEGATIVE_ZERO_TYPE,
  pack: () => new Uint8Array(0),
  unpack: () => -0,
});

const OPTIONS = {
  useRecords: false,
  mapsAsObjects: true,
  moreTypes: false,
  useBigIntExtension: true,
  int64AsType: "bigint",
} as const;
const packr = new Packr({ ...OPTIONS });
const values = new Unpackr({ ...OPTIONS, copyBuffers: true });
const views = new Unpackr({ ...OPTIONS });

const markArray = (v: readonly unknown[]): readonly unknown[] => {
  let out: unknown[] | undefined;
  for (let i = 0; i < v.length; i++) {
    const x = v[i];
    if (typeof x === "string") continue;
    const y = marked(x);
    if (!Object.is(x, y)) (out ??= v.slice())[i] = y;
  }
  return out ?? v;
};

const markObject = (v: Record<string, unknown>): unknown => {
  let out: Record<string, unknown> | undefined;
  for (const k of Object.keys(v)) {
    const y = marked(v[k]);
    if (!Object.is(y, v[k])) (out ??= { ...v })[k] = y;
  }
  return out ?? v;
};

/** The same value, with -0 replaced by its mark; copies only what holds one. */
const marked = (v: unknown): unknown => {
  if (typeof v === "number") return Object.is(v, -0) ? NEGATIVE_ZERO : v;
  if (typeof v !== "object" || v === null) return v;
  if (Array.isArray(v)) return markArray(v);
  if (Object.getPrototypeOf(v) === Object.prototype) return markObject(v as Record<string, unknown>);
  return v;
};

/** Plain bytes over the same memory: msgpackr cuts values in the class of its input, and a Buffer is not wanted. */
const plain = (bytes: Uint8Array): Uint8Array =>
  bytes.constructor === Uint8Array ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** msgpackr cuts what it gives out of one buffer, which grows to the largest value ever packed. */
const POOL_BYTES = 8192;
const POOL_BYTES_MAX = 16 * POOL_BYTES;

/** M3. */
const packed = (value: unknown): Uint8Array => {
  const bytes = plain(packr.pack(value));
  if (bytes.buffer.byteLength > POOL_BYTES_MAX) packr.useBuffer(Buffer.allocUnsafeSlow(POOL_BYTES));
  return bytes;
};

/** Encodes a plain value (M1). The bytes are the caller's. */
export const pack = (value: unknown): Uint8Array => packed(marked(value));

/** As `pack`, for values that hold no number -0 (headers, JSON-like records): without the walk that looks for it. */
export const packPlain = (value: unknown): Uint8Array => packed(value);

const BIN_8 = 0xc4;
const BIN_32 = 0xc6;
const ARRAY_32 = 0xdd;
const HEAD_BYTES = 5;
const SHORT_HEAD_BYTES = 2;

/** Bytes of the head of binary data of that length. */
const headOf = (length: number): number => (length < 256 ? SHORT_HEAD_BYTES : HEAD_BYTES);

/** An array of items, ready to be written: its length in bytes is known. */
export interface PackedItems {
  readonly bytes: number;
  /** Each item's own bytes, or what it is encoded as. */
  readonly parts: readonly Uint8Array[];
  /** 1 for items that are bytes. */
  readonly isBytes: Uint8Array;
}

/** As `packPlain` of an array of which some items are long bytes, which are not copied yet. */
export const measureItems = (items: readonly unknown[]): PackedItems => {
  const isBytes = new Uint8Array(items.length);
  let bytes = HEAD_BYTES;
  const parts = items.map((x, i) => {
    const own = x instanceof Uint8Array;
    const part = own ? x : packPlain(x);
    isBytes[i] = own ? 1 : 0;
    bytes += part.length + (own ? headOf(part.length) : 0);
    return part;
  });
  return { bytes, parts, isBytes };
};

/** Writes the items at `at`, where `out` has room for them; `view` shows the same memory as `out`. */
export const writeItems = (
  { parts, isBytes }: PackedItems,
  out: Uint8Array,
  view: DataView,
  at: number,
): void => {
  out[at] = ARRAY_32;
  view.setUint32(at + 1, parts.length);
  at += HEAD_BYTES;
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!;
    if (isBytes[i] === 1) {
      const head = headOf(part.length);
      out[at] = head === SHORT_HEAD_BYTES ? BIN_8 : BIN_32;
      if (head === SHORT_HEAD_BYTES) out[at + 1] = part.length;
      else view.setUint32(at + 1, part.length);
      at += head;
    }
    out.set(part, at);
    at += part.length;
  }
};

/** The items in memory of exactly their size, to which long bytes are copied once. */
export const packItems = (items: readonly unknown[]): Uint8Array => {
  const packed = measureItems(items);
  const out = new Uint8Array(packed.bytes);
  writeItems(packed, out, new DataView(out.buffer), 0);
  return out;
};

/** Decodes; binary values are copies. Throws on anything but exactly one msgpack value. */
export const unpack = (bytes: Uint8Array): unknown => values.unpack(plain(bytes));

/** Decodes; binary values are views into `bytes`. */
export const unpackViews = (bytes: Uint8Array): unknown => views.unpack(plain(bytes));
