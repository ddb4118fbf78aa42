/**
 * One column to msgpack items and back (format: frame-codec.ts). Loops are per layout, over typed arrays, without a branch on
 * the layout inside.
 *
 * Invariants.
 *  C1 `encodeColumn` appends exactly `itemsOfColumn(code)` items, the layout code first.
 *  C2 `decodeColumn` throws FrameError unless layout, lengths and ids fit the type and the number of rows.
 */
import type { DataType } from "../core/data-type.ts";
import { FrameError } from "../core/errors.ts";
import type { Value } from "../core/value.ts";
import { Utf8Strings } from "../core/utf8-strings.ts";
import { type Layout, layoutOf, stringAt, type StringVector, type Vector } from "../core/vector.ts";
import { pack, unpack } from "./msgpack.ts";

const LAYOUT_CODES: readonly Layout[] = ["bool", "i32", "f64", "i64", "dict", "any", "dict", "any"];
const DICT = LAYOUT_CODES.indexOf("dict");
/** The code of strings as bytes. */
const BYTES = LAYOUT_CODES.lastIndexOf("dict");
/** The code of values that stand in many rows (the windows of a group's rows): each once, and ids. */
const REPEATED = LAYOUT_CODES.lastIndexOf("any");

/** Items of a column by its layout code: code, nulls, data (dictionary, repeated values: values, width, ids; strings as bytes: ascii, ends, bytes, width, ids). */
export const itemsOfColumn = (code: unknown): number =>
  code === DICT || code === REPEATED ? 5 : code === BYTES ? 7 : 3;

type Rows = Int32Array | undefined;

/** Bits of rows [from, to), through the selection `rows` where there is one; undefined when none is set. */
const packBits = (data: Uint8Array, from: number, to: number, rows: Rows): Uint8Array | undefined => {
  const n = to - from;
  const out = new Uint8Array((n + 7) >>> 3);
  let any = 0;
  if (rows === undefined)
    for (let i = 0; i < n; i++) {
      const b = data[from + i]!;
      any |= b;
      out[i >>> 3]! |= b << (i & 7);
    }
  else
    for (let i = 0; i < n; i++) {
      const b = data[rows[i]!]!;
      any |= b;
      out[i >>> 3]! |= b << (i & 7);
    }
  return any === 0 ? undefined : out;
};

const unpackBits = (bits: Uint8Array, rows: number): Uint8Array => {
  const out = new Uint8Array(rows);
  for (let i = 0; i < rows; i++) out[i] = (bits[i >>> 3]! >>> (i & 7)) & 1;
  return out;
};

type Numbers = Int32Array | Float64Array | BigInt64Array;

const bytesOf = (a: Numbers | Uint8Array | Uint16Array): Uint8Array =>
  new Uint8Array(a.buffer, a.byteOffset, a.byteLength);

const gather32 = (data: Int32Array, rows: Int32Array): Int32Array => {
  const out = new Int32Array(rows.length);
  for (let i = 0; i < rows.length; i++) out[i] = data[rows[i]!]!;
  return out;
};
const gather64 = (data: Float64Array, rows: Int32Array): Float64Array => {
  const out = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) out[i] = data[rows[i]!]!;
  return out;
};
const gatherBig = (data: BigInt64Array, rows: Int32Array): BigInt64Array => {
  const out = new BigInt64Array(rows.length);
  for (let i = 0; i < rows.length; i++) out[i] = data[rows[i]!]!;
  return out;
};

/** Scratch of the dictionary compaction: `stamps[id] === stamp` means id is used in this column and `slots[id]` is its new id. */
let stamps = new Int32Array(1024);
let slots = new Int32Array(1024);
let stamp = 0;

const freshStamp = (size: number): number => {
  if (size > stamps.length || stamp === 0x7fffffff) {
    const room = Math.max(size * 2, stamps.length);
    stamps = new Int32Array(room);
    slots = new Int32Array(room);
    stamp = 0;
  }
  return ++stamp;
};

const packIds = (ids: Int32Array, count: number): readonly [width: number, ids: Uint8Array] =>
  count <= 0x100
    ? [1, Uint8Array.from(ids)]
    : count <= 0x10000
      ? [2, bytesOf(Uint16Array.from(ids))]
      : [4, bytesOf(ids)];

const encodeDictionary = (v: StringVector, from: number, to: number, rows: Rows, items: unknown[]): void => {
  const { data, dictionary, nulls } = v;
  const n = to - from;
  const ids = new Int32Array(n);
  const used = new Int32Array(Math.min(n, dictionary.length));
  let count = 0;
  const mark = freshStamp(dictionary.length);
  for (let i = 0; i < n; i++) {
    const row = rows === undefined ? from + i : rows[i]!;
    if (nulls !== undefined && nulls[row] === 1) continue;
    const id = data[row]!;
    if (stamps[id] !== mark) {
      stamps[id] = mark;
      slots[id] = count;
      used[count++] = id;
    }
    ids[i] = slots[id]!;
  }
  if (dictionary instanceof Utf8Strings && dictionary.exact) {
    const strings = dictionary.show(used, count);
    items.push(strings.ascii, bytesOf(strings.ends), strings.bytes);
  } else items.push(Array.from(used.subarray(0, count), (id) => stringAt(dictionary, id)));
  items.push(...packIds(ids, count));
};

const encodeAny = (data: readonly Value[], from: number, to: number, rows: Rows): Uint8Array => {
  if (rows === undefined) return pack(data.slice(from, to));
  const out: Value[] = new Array(rows.length);
  for (let i = 0; i < rows.length; i++) out[i] = data[rows[i]!]!;
  return pack(out);
};

/** Fewer different values than one in so many rows are written once each. */
const REPEATED_SHARE = 4;
const REPEATED_MAX = 256;

/** The different values of rows and the row's index among them; undefined when they are too many. Numbers are left out: 0 and -0 are two. */
const repeatedValues = (
  data: readonly Value[],
  from: number,
  to: number,
  rows: Rows,
): { readonly values: readonly Value[]; readonly ids: Int32Array } | undefined => {
  const n = to - from;
  const most = Math.min(REPEATED_MAX, n / REPEATED_SHARE);
  const known = new Map<Value, number>();
  const ids = new Int32Array(n);
  let last: Value | undefined;
  let id = 0;
  for (let i = 0; i < n; i++) {
    const x = data[rows === undefined ? from + i : rows[i]!]!;
    if (x !== last) {
      if (typeof x === "number") return undefined;
      id = known.get((last = x)) ?? known.size;
      if (id === known.size) known.set(x, id);
      if (id >= most) return undefined;
    }
    ids[i] = id;
  }
  return { values: [...known.keys()], ids };
};

const codeOf = (v: Vector): number =>
  v.layout === "dict" && v.dictionary instanceof Utf8Strings && v.dictionary.exact
    ? BYTES
    : LAYOUT_CODES.indexOf(v.layout);

/** Appends a column's items for the physical rows [from, to), or for `rows` when there is a selection. */
export const encodeColumn = (v: Vector, from: number, to: number, rows: Rows, items: unknown[]): void => {
  const repeated = v.layout === "any" ? repeatedValues(v.data, from, to, rows) : undefined;
  items.push(
    repeated === undefined ? codeOf(v) : REPEATED,
    v.nulls === undefined ? null : (packBits(v.nulls, from, to, rows) ?? null),
  );
  switch (v.layout) {
    case "bool":
      items.push(packBits(v.data, from, to, rows) ?? new Uint8Array((to - from + 7) >>> 3));
      break;
    case "i32":
      items.push(bytesOf(rows === undefined ? v.data.subarray(from, to) : gather32(v.data, rows)));
      break;
    case "f64":
      items.push(bytesOf(rows === undefined ? v.data.subarray(from, to) : gather64(v.data, rows)));
      break;
    case "i64":
      items.push(bytesOf(rows === undefined ? v.data.subarray(from, to) : gatherBig(v.data, rows)));
      break;
    case "dict":
      encodeDictionary(v, from, to, rows, items);
      break;
    default:
      if (repeated === undefined) items.push(encodeAny(v.data, from, to, rows));
      else items.push(pack(repeated.values), ...packIds(repeated.ids, repeated.values.length));
  }
};

const corrupt = (what: string): FrameError => new FrameError(`Corrupt frame: ${what}`);

const bin = (x: unknown, bytes: number): Uint8Array => {
  if (!(x instanceof Uint8Array) || x.length !== bytes) throw corrupt(`a column is not ${bytes} bytes long`);
  return x;
};

const decodeIds = (width: unknown, data: unknown, rows: number, size: number): Int32Array => {
  const ids = new Int32Array(rows);
  if (width === 4) bytesOf(ids).set(bin(data, rows * 4));
  else if (width === 2) {
    const narrow = new Uint16Array(rows);
    bytesOf(narrow).set(bin(data, rows * 2));
    ids.set(narrow);
  } else if (width === 1) ids.set(bin(data, rows));
  else throw corrupt(`ids of ${String(width)} bytes`);
  let outside = 0;
  for (let i = 0; i < rows; i++) outside |= ids[i]! >= size || ids[i]! < 0 ? 1 : 0;
  if (outside !== 0) throw corrupt("a string id is outside of its dictionary");
  return ids;
};

const decodeDictionary = (
  items: readonly unknown[],
  at: number,
  rows: number,
  nulls: Uint8Array | undefined,
): Vector => {
  const strings = items[at];
  if (!Array.isArray(strings) || !strings.every((s) => typeof s === "string"))
    throw corrupt("a dictionary holds something else than strings");
  // Null rows have id 0, which must exist (V2).
  const dictionary: string[] = strings.length === 0 ? [""] : strings;
  if (strings.length === 0 && nulls === undefined) throw corrupt("an empty dictionary");
  return {
    layout: "dict",
    data: decodeIds(items[at + 1], items[at + 2], rows, dictionary.length),
    dictionary,
    nulls,
  };
};

const decodeStrings = (
  items: readonly unknown[],
  at: number,
  rows: number,
  nulls: Uint8Array | undefined,
): Vector => {
  const [ascii, ends, bytes] = [items[at], items[at + 1], items[at + 2]];
  if (
    !(ends instanceof Uint8Array) ||
    ends.length % 4 !== 0 ||
    ends.length < 4 ||
    !(bytes instanceof Uint8Array)
  )
    throw corrupt("a dictionary without its bytes");
  const entries = ends.length / 4 - 1;
  const own = new Int32Array(entries + 1);
  bytesOf(own).set(ends);
  let wrong = own[0] !== 0 || own[entries] !== bytes.length || typeof ascii !== "boolean" ? 1 : 0;
  for (let i = 0; i < entries; i++) wrong |= own[i + 1]! < own[i]! ? 1 : 0;
  if (wrong !== 0) throw corrupt("the strings of a dictionary do not fit its bytes");
  if (entries === 0 && nulls === undefined) throw corrupt("an empty dictionary");
  const memory = Buffer.allocUnsafeSlow(bytes.length);
  memory.set(bytes);
  return {
    layout: "dict",
    // Null rows have id 0 (V2), which is "" where there is no entry.
    data: decodeIds(items[at + 3], items[at + 4], rows, Math.max(1, entries)),
    dictionary: Utf8Strings.of(entries, own, memory, ascii === true),
    nulls,
  };
};

const unpackValues = (data: unknown): Value[] => {
  if (!(data instanceof Uint8Array)) throw corrupt("nested values are missing");
  let values: unknown;
  try {
    values = unpack(data);
  } catch (cause) {
    throw new FrameError("Corrupt frame: nested values are not msgpack", { cause });
  }
  if (!Array.isArray(values)) throw corrupt("nested values are no list");
  return values as Value[];
};

const decodeAny = (data: unknown, rows: number, nulls: Uint8Array | undefined): Vector => {
  const values = unpackValues(data);
  if (values.length !== rows) throw corrupt("the number of nested values is not the number of rows");
  return { layout: "any", data: values, nulls };
};

const decodeRepeated = (
  items: readonly unknown[],
  at: number,
  rows: number,
  nulls: Uint8Array | undefined,
): Vector => {
  const values = unpackValues(items[at]);
  const ids = decodeIds(items[at + 1], items[at + 2], rows, values.length);
  const out: Value[] = new Array(rows);
  for (let i = 0; i < rows; i++) out[i] = values[ids[i]!]!;
  return { layout: "any", data: out, nulls };
};

const fits = (layout: Layout | undefined, type: DataType): boolean => {
  const expected = layoutOf(type);
  return layout === expected || (layout === "i64" && (expected === "f64" || expected === "i32"));
};

/** The column whose items start at `at`. */
export const decodeColumn = (items: readonly unknown[], at: number, rows: number, type: DataType): Vector => {
  const code = items[at] as number;
  const layout = LAYOUT_CODES[code];
  if (!fits(layout, type)) throw corrupt(`layout ${String(items[at])} does not fit a ${type.kind}`);
  const bits = items[at + 1];
  const nulls = bits === null ? undefined : unpackBits(bin(bits, (rows + 7) >>> 3), rows);
  const data = items[at + 2];
  switch (layout) {
    case "bool":
      return { layout, data: unpackBits(bin(data, (rows + 7) >>> 3), rows), nulls };
    case "i32": {
      const out = new Int32Array(rows);
      bytesOf(out).set(bin(data, rows * 4));
      return { layout, data: out, nulls };
    }
    case "f64": {
      const out = new Float64Array(rows);
      bytesOf(out).set(bin(data, rows * 8));
      return { layout, data: out, nulls };
    }
    case "i64": {
      const out = new BigInt64Array(rows);
      bytesOf(out).set(bin(data, rows * 8));
      return { layout, data: out, nulls };
    }
    case "dict":
      return (code === BYTES ? decodeStrings : decodeDictionary)(items, at + 2, rows, nulls);
    default:
      return code === REPEATED ? decodeRepeated(items, at + 2, rows, nulls) : decodeAny(data, rows, nulls);
  }
};
