/** Engine values as the golden files write them, and comparison that says where two differ. */
import type { DataType, Field } from "../../src/core/data-type.ts";
import { javaDecimalString } from "../../src/expr/decimal.ts";
import type { Row, Value } from "../../src/core/value.ts";

const double = (x: number): unknown => {
  if (Number.isNaN(x)) return { double: "nan" };
  if (x === Infinity) return { double: "inf" };
  return x === -Infinity ? { double: "-inf" } : x;
};

const date = (days: number): string => {
  const text = new Date(days * 86_400_000).toISOString();
  return text.slice(0, text.indexOf("T"));
};

/** Integers beyond what JSON numbers hold keep their digits. */
const integer = (x: number | bigint): unknown => (typeof x === "bigint" ? { bigint: x.toString() } : x);

const object = (fields: readonly Field[], values: readonly Value[]): unknown =>
  Object.fromEntries(fields.map((f, i) => [f.name, toGolden(values[i]!, f.type)]));

const pythonFloat = (x: number): string => {
  if (Object.is(x, -0)) return "-0.0";
  if (x === 0 || (Math.abs(x) >= 1e-4 && Math.abs(x) < 1e16))
    return Number.isInteger(x) ? x.toFixed(1) : String(x);
  return x.toExponential().replace(/e([+-])(\d)$/, "e$10$2");
};

/** A map's key as the recorder wrote it: Python's str() of the key's own form. */
const keyText = (key: unknown, type: DataType): string => {
  if (typeof key === "boolean") return key ? "True" : "False";
  if (typeof key === "number" && (type.kind === "double" || type.kind === "float")) return pythonFloat(key);
  if (isObject(key))
    return `{${Object.entries(key)
      .map(([k, v]) => `'${k}': ${typeof v === "string" ? `'${v}'` : String(v)}`)
      .join(", ")}}`;
  return String(key);
};

/** The form of a value in a golden file. */
export const toGolden = (value: Value, type: DataType): unknown => {
  if (value === null) return null;
  switch (type.kind) {
    case "double":
    case "float":
      return double(value as number);
    case "long":
      return integer(value as number | bigint);
    case "decimal":
      return { decimal: javaDecimalString(value as bigint, type.scale) };
    case "binary":
      return { hex: Buffer.from(value as Uint8Array).toString("hex") };
    case "date":
      return date(value as number);
    case "dayTimeInterval":
      return { intervalMicros: Number(value) };
    case "array":
      return (value as readonly Value[]).map((v) => toGolden(v, type.element));
    case "struct":
      return object(type.fields, value as readonly Value[]);
    case "map":
      return Object.fromEntries(
        (value as readonly (readonly [Value, Value])[]).map(([k, v]) => [
          keyText(toGolden(k, type.key), type.key),
          toGolden(v, type.value),
        ]),
      );
    default:
      return value;
  }
};

export const rowObject = (row: Row, fields: readonly Field[]): Record<string, unknown> =>
  object(fields, row) as Record<string, unknown>;

const isObject = (x: unknown): x is Record<string, unknown> =>
  typeof x === "object" && x !== null && !Array.isArray(x);

/** Doubles may differ in the last bits: sums are added in another order by another engine. */
const closeTo = (a: number, b: number): boolean =>
  a === b ||
  (Number.isFinite(a) && Number.isFinite(b) && Math.abs(a - b) <= 1e-12 * Math.max(Math.abs(a), Math.abs(b)));

/** JSON.parse made doubles of large integers: compare digits as far as they reach. */
const sameInteger = (a: unknown, b: unknown): boolean => {
  const digits = (x: unknown): number | undefined =>
    isObject(x) && typeof x["bigint"] === "string"
      ? Number(x["bigint"])
      : typeof x === "number"
        ? x
        : undefined;
  const [x, y] = [digits(a), digits(b)];
  return x !== undefined && y !== undefined && x === y;
};

export const equalValues = (a: unknown, b: unknown): boolean => {
  if (typeof a === "number" && typeof b === "number") return closeTo(a, b);
  if (sameInteger(a, b)) return true;
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((x, i) => equalValues(x, b[i]));
  if (isObject(a) && isObject(b)) {
    const keys = Object.keys(a);
    return (
      keys.length === Object.keys(b).length &&
      keys.every((k) => Object.hasOwn(b, k) && equalValues(a[k], b[k]))
    );
  }
  return a === b;
};

/** Order of rows for the comparison of multisets; close doubles are rounded alike. */
const sortText = (x: unknown): string =>
  JSON.stringify(x, (_, v: unknown) => {
    if (typeof v === "number" && !Number.isInteger(v)) return Number(v.toPrecision(9));
    if (isObject(v)) return Object.fromEntries(Object.entries(v).sort(([p], [q]) => (p < q ? -1 : 1)));
    return v;
  });

/** Undefined when equal, else the difference as text. */
export const rowsDifference = (
  ours: readonly unknown[],
  theirs: readonly unknown[],
  ordered: boolean,
): string | undefined => {
  const sorted = (rows: readonly unknown[]): readonly unknown[] =>
    ordered
      ? rows
      : rows
          .map((r) => [sortText(r), r] as const)
          .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
          .map(([, r]) => r);
  const [a, b] = [sorted(ours), sorted(theirs)];
  if (a.length === b.length && a.every((x, i) => equalValues(x, b[i]))) return undefined;
  const text = (rows: readonly unknown[]): string =>
    rows.length === 0 ? "    (none)" : rows.map((r) => `    ${JSON.stringify(r)}`).join("\n");
  return `  ours (${a.length} rows):\n${text(a)}\n  Spark (${b.length} rows):\n${text(b)}`;
};
