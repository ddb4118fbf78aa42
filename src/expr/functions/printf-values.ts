/** Values as Java's formatter sees what Spark's engine holds: `%h` hash codes, `%a` doubles in base 16. */
import type { DataType } from "../../core/data-type.ts";
import type { Value } from "../../core/value.ts";

const hashOfLong = (x: bigint): number => Number(BigInt.asIntN(32, x ^ (x >> 32n)));

const hashOfText = (s: string): number => {
  let h = 0;
  for (let i = 0; i < s.length; i++) h = (Math.imul(h, 31) + s.charCodeAt(i)) | 0;
  return h;
};

/** `Object.hashCode()`; undefined for types whose hash is not the value's. */
export const javaHash = (v: Value, type: DataType): number | undefined => {
  switch (type.kind) {
    case "boolean":
      return v === true ? 1231 : 1237;
    case "byte":
    case "short":
    case "int":
      return v as number;
    case "long":
      return hashOfLong(BigInt(v as number | bigint));
    case "string":
      return hashOfText(v as string);
    case "float":
    case "double": {
      const view = new DataView(new ArrayBuffer(8));
      if (type.kind === "float") {
        view.setFloat32(0, v as number);
        return view.getInt32(0);
      }
      view.setFloat64(0, v as number);
      return hashOfLong(view.getBigInt64(0));
    }
    default:
      return undefined;
  }
};

/** A magnitude as `Double.toHexString` writes it, rounded half to even to a number of hexadecimal digits. */
export const hexDouble = (x: number, precision: number | undefined): string => {
  if (x === 0) return `0x0.${"0".repeat(Math.max(1, precision ?? 1))}p0`;
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, x);
  const bits = view.getBigUint64(0);
  const field = Number(bits >> 52n);
  let mantissa = bits & 0xfffffffffffffn;
  let lead = field === 0 ? 0n : 1n;
  const exponent = field === 0 ? -1022 : field - 1023;
  const digits = Math.max(1, precision ?? 13);
  if (precision !== undefined && digits < 13) {
    const drop = BigInt(4 * (13 - digits));
    const all = (lead << 52n) | mantissa;
    const half = 1n << (drop - 1n);
    const rest = all & ((1n << drop) - 1n);
    let kept = all >> drop;
    if (rest > half || (rest === half && (kept & 1n) === 1n)) kept++;
    lead = kept >> BigInt(4 * digits);
    mantissa = (kept & ((1n << BigInt(4 * digits)) - 1n)) << drop;
  }
  const full = mantissa.toString(16).padStart(13, "0");
  const shown =
    precision === undefined ? full.replace(/0+$/, "") || "0" : full.padEnd(digits, "0").slice(0, digits);
  return `0x${lead}.${shown}p${exponent}`;
};
