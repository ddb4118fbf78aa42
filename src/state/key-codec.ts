/**
 * Order-preserving keys. A key is a "binary string": one char code 0-255 a byte, so that `<` on keys is byte order and
 * keys work in a Map. Two rows have equal keys exactly when SQL groups them together (null = null, NaN = NaN, 0 = -0).
 * The encoding is part of the checkpoint format.
 *
 * Per value: 0x00 for null; else 0x01 and
 *   numbers, booleans, dates, times  8 bytes: IEEE double, sign-flipped so that bytes sort as numbers
 *   long                             8 bytes: two's complement, sign bit flipped
 *   decimal                          17 bytes: two's complement of 136 bits, sign bit flipped
 *   string, binary                   UTF-8 bytes with 0x00 written as 0x00 0xff, then 0x00 0x01
 *   array, struct, map               0x02 before every element, then 0x01; a map as its entries in key order
 */
import type { DataType } from "../core/data-type.ts";
import { combineHash, hashNumber, hashString } from "../core/hash.ts";
import type { Row, Value } from "../core/value.ts";
import type { StateKey } from "./table.ts";

const view = new DataView(new ArrayBuffer(8));

const bytes8 = (): string =>
  String.fromCharCode(
    view.getUint8(0),
    view.getUint8(1),
    view.getUint8(2),
    view.getUint8(3),
    view.getUint8(4),
    view.getUint8(5),
    view.getUint8(6),
    view.getUint8(7),
  );

const encodeDouble = (x: number): string => {
  view.setFloat64(0, x === 0 ? 0 : Number.isNaN(x) ? NaN : x);
  const high = view.getUint32(0);
  if (high & 0x80000000) {
    view.setUint32(0, ~high >>> 0);
    view.setUint32(4, ~view.getUint32(4) >>> 0);
  } else view.setUint32(0, (high | 0x80000000) >>> 0);
  return bytes8();
};

const encodeLong = (x: number | bigint): string => {
  if (typeof x === "number") {
    const high = Math.floor(x / 4294967296);
    view.setUint32(0, ((high | 0) ^ 0x80000000) >>> 0);
    view.setUint32(4, x - high * 4294967296);
  } else view.setBigUint64(0, BigInt.asUintN(64, x ^ (1n << 63n)));
  return bytes8();
};

const encodeDecimal = (x: bigint): string => {
  let rest = BigInt.asUintN(136, x) ^ (1n << 135n);
  let out = "";
  for (let i = 0; i < 17; i++) {
    out = String.fromCharCode(Number(rest & 255n)) + out;
    rest >>= 8n;
  }
  return out;
};

// oxlint-disable-next-line no-control-regex -- plain ASCII without NUL needs no work
const PLAIN = /^[\u0001-\u007f]*$/;

const encodeText = (s: string): string => {
  if (PLAIN.test(s)) return s + "\0\x01";
  return Buffer.from(s, "utf8").toString("latin1").replaceAll("\0", "\0\xff") + "\0\x01";
};

const encodeList = (values: readonly Value[], type: (i: number) => DataType): string => {
  let out = "";
  for (let i = 0; i < values.length; i++) out += "\x02" + encodeValue(values[i]!, type(i));
  return out + "\x01";
};

const encodeMap = (entries: readonly (readonly [Value, Value])[], key: DataType, value: DataType): string =>
  entries
    .map(([k, v]) => encodeValue(k, key) + encodeValue(v, value))
    .sort()
    .map((e) => "\x02" + e)
    .join("") + "\x01";

/** Key bytes of one value. */
export const encodeValue = (v: Value, type: DataType): StateKey => {
  if (v === null) return "\0";
  switch (type.kind) {
    case "string":
      return "\x01" + encodeText(v as string);
    case "long":
      return "\x01" + encodeLong(v as number | bigint);
    case "boolean":
      return "\x01" + encodeDouble(v === true ? 1 : 0);
    case "decimal":
      return "\x01" + encodeDecimal(v as bigint);
    case "binary":
      return (
        "\x01" +
        Buffer.from(v as Uint8Array)
          .toString("latin1")
          .replaceAll("\0", "\0\xff") +
        "\0\x01"
      );
    case "array":
      return "\x01" + encodeList(v as readonly Value[], () => type.element);
    case "struct":
      return "\x01" + encodeList(v as readonly Value[], (i) => type.fields[i]!.type);
    case "map":
      return "\x01" + encodeMap(v as readonly (readonly [Value, Value])[], type.key, type.value);
    case "calendarInterval":
      return "\x01" + (v as readonly number[]).map(encodeDouble).join("");
    case "variant":
    case "null":
      return "\x01" + encodeText(JSON.stringify(v));
    default:
      return "\x01" + encodeDouble(v as number);
  }
};

/** Key bytes of a row of values. */
export const encodeKey = (values: Row, types: readonly DataType[]): StateKey => {
  let key = "";
  for (let i = 0; i < types.length; i++) key += encodeValue(values[i]!, types[i]!);
  return key;
};

/** Hash of one value for routing (keyGroupOf). Numbers and strings have loops of their own in the exchange; the results agree. */
export const hashValue = (v: Value, type: DataType): number => {
  if (v === null) return 0x9e3779b1;
  if (typeof v === "number") return hashNumber(v);
  if (typeof v === "string") return hashString(v);
  if (typeof v === "boolean") return hashNumber(v ? 1 : 0);
  if (typeof v === "bigint" && type.kind === "long") return hashString(v.toString());
  return hashString(encodeValue(v, type));
};

/** Hash of a key row; the same whatever batch or layout the values came from. */
export const hashRow = (values: Row, types: readonly DataType[]): number => {
  let h = 0;
  for (let i = 0; i < types.length; i++) h = combineHash(h, hashValue(values[i]!, types[i]!));
  return h;
};
