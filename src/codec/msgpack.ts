/**
 * The one place that configures msgpackr: plain msgpack without shared structures, readable by any other process.
 *
 * Invariants.
 *  M1 `unpack(pack(v))` equals `v` for every Value (src/core/value): a bigint stays a bigint, a number a number, -0 stays -0,
 *     NaN and the infinities stay themselves, a Uint8Array comes back as a plain Uint8Array of its own memory.
 *  M2 `unpack` of bytes that are not msgpack throws; it never reads outside of them.
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

/** Encodes a plain value (M1). The bytes are the caller's. */
export const pack = (value: unknown): Uint8Array => plain(packr.pack(marked(value)));

/** As `pack`, for values that hold no number -0 (headers, JSON-like records): without the walk that looks for it. */
export const packPlain = (value: unknown): Uint8Array => plain(packr.pack(value));

const BIN_8 = 0xc4;
const BIN_32 = 0xc6;
const ARRAY_32 = 0xdd;
const HEAD_BYTES = 5;
const SHORT_HEAD_BYTES = 2;

/** Bytes of the head of binary data of that length. */
const headOf = (length: number): number => (length < 256 ? SHORT_HEAD_BYTES : HEAD_BYTES);

/** As `packPlain` of an array of which some items are long bytes: in memory of exactly its size, to which these are copied once. */
export const packItems = (items: readonly unknown[]): Uint8Array => {
  const parts = items.map((x) => (x instanceof Uint8Array ? x : packPlain(x)));
  const bytes = (x: unknown): number => (x instanceof Uint8Array ? headOf(x.length) : 0);
  const out = new Uint8Array(parts.reduce((sum, p, i) => sum + bytes(items[i]) + p.length, HEAD_BYTES));
  const view = new DataView(out.buffer);
  out[0] = ARRAY_32;
  view.setUint32(1, items.length);
  let at = HEAD_BYTES;
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!;
    if (items[i] instanceof Uint8Array) {
      const head = headOf(part.length);
      out[at] = head === SHORT_HEAD_BYTES ? BIN_8 : BIN_32;
      if (head === SHORT_HEAD_BYTES) out[at + 1] = part.length;
      else view.setUint32(at + 1, part.length);
      at += head;
    }
    out.set(part, at);
    at += part.length;
  }
  return out;
};

/** Decodes; binary values are copies. Throws on anything but exactly one msgpack value. */
export const unpack = (bytes: Uint8Array): unknown => values.unpack(plain(bytes));

/** Decodes; binary values are views into `bytes`. */
export const unpackViews = (bytes: Uint8Array): unknown => views.unpack(plain(bytes));
