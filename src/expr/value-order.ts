/**
 * Order, equality and hash keys of values by type, as Spark has them. O1: NaN equals NaN and is the greatest; -0 equals 0. O2: strings order by their UTF-8
 * bytes, binary by unsigned bytes. O3: inside arrays and structs null is the least and equals null.
 */
import type { DataType } from "../core/data-type.ts";
import type { Value } from "../core/value.ts";

export type Compare = (a: Value, b: Value) => number;

/** UTF-8 order: JavaScript's UTF-16 order differs only where a surrogate meets a unit above it. */
export const compareStrings = (a: string, b: string): number => {
  if (a === b) return 0;
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    const sx = x >= 0xd800 && x <= 0xdfff;
    const sy = y >= 0xd800 && y <= 0xdfff;
    return sx === sy ? x - y : sx ? 1 : -1;
  }
  return a.length - b.length;
};

const compareNumbers: Compare = (a, b) => {
  if ((a as number) < (b as number)) return -1;
  if ((a as number) > (b as number)) return 1;
  return (Number.isNaN(a as number) ? 1 : 0) - (Number.isNaN(b as number) ? 1 : 0);
};

const compareBytes = (a: Uint8Array, b: Uint8Array): number => {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
};

/** O3. */
const nullsLeast =
  (compare: Compare): Compare =>
  (a, b) =>
    a === null ? (b === null ? 0 : -1) : b === null ? 1 : compare(a, b);

const compareSequences =
  (compareAt: (i: number) => Compare): Compare =>
  (a, b) => {
    const [x, y] = [a as readonly Value[], b as readonly Value[]];
    const n = Math.min(x.length, y.length);
    for (let i = 0; i < n; i++) {
      const c = compareAt(i)(x[i]!, y[i]!);
      if (c !== 0) return c;
    }
    return x.length - y.length;
  };

/** The order of the non-null values of a type: negative, zero, positive. Maps and variants compare by their keys: for equality only. */
export const compareValues = (type: DataType): Compare => {
  switch (type.kind) {
    case "string":
      return (a, b) => compareStrings(a as string, b as string);
    case "boolean":
      return (a, b) => Number(a) - Number(b);
    case "binary":
      return (a, b) => compareBytes(a as Uint8Array, b as Uint8Array);
    case "array": {
      const element = nullsLeast(compareValues(type.element));
      return compareSequences(() => element);
    }
    case "struct": {
      const fields = type.fields.map((f) => nullsLeast(compareValues(f.type)));
      return compareSequences((i) => fields[i]!);
    }
    case "map":
    case "variant":
    case "calendarInterval": {
      const key = valueKey(type);
      return (a, b) => compareStrings(String(key(a)), String(key(b)));
    }
    default:
      return compareNumbers;
  }
};

/** Like `compareValues`, null being the least. */
export const compareNullable = (type: DataType): Compare => nullsLeast(compareValues(type));

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

const numberKey = (v: Value): string | number | bigint => (v === 0 ? 0 : (v as number | bigint));

const nestedKey = (type: DataType): ((v: Value) => string) => {
  const key = valueKey(type);
  return (v) => {
    if (v === null) return "n";
    const k = String(key(v));
    return `${k.length}:${k}`;
  };
};

/**
 * A primitive that is the same for equal values (O1) and differs for unequal ones of the type; usable as the key of a Map or Set.
 * Null has none: the caller handles it.
 */
export const valueKey = (type: DataType): ((v: Value) => string | number | bigint | boolean) => {
  switch (type.kind) {
    case "string":
    case "boolean":
      return (v) => v as string | boolean;
    case "binary":
      return (v) => hex(v as Uint8Array);
    case "array": {
      const element = nestedKey(type.element);
      return (v) => (v as readonly Value[]).map(element).join("");
    }
    case "struct": {
      const fields = type.fields.map((f) => nestedKey(f.type));
      return (v) => (v as readonly Value[]).map((x, i) => fields[i]!(x)).join("");
    }
    case "map": {
      const [key, value] = [nestedKey(type.key), nestedKey(type.value)];
      return (v) =>
        (v as readonly (readonly [Value, Value])[])
          .map(([k, x]) => key(k) + value(x))
          .toSorted()
          .join("");
    }
    case "calendarInterval":
      return (v) => (v as readonly number[]).join(" ");
    case "variant":
      return (v) => JSON.stringify(v, (_, x: unknown) => (typeof x === "bigint" ? `${x}n` : x));
    default:
      return numberKey;
  }
};

/** Equality of non-null values of a type. */
export const equalValues = (type: DataType): ((a: Value, b: Value) => boolean) => {
  const compare = compareValues(type);
  return (a, b) => compare(a, b) === 0;
};
