/**
 * SQL data types as frozen plain data (Spark's set). Names printed by `typeName` are Spark's `simpleString`s
 * ("bigint", "decimal(10,2)", "array<int>"), because users and the golden files know types by them.
 */
export type DataType =
  | { readonly kind: "null" }
  | { readonly kind: "boolean" }
  | { readonly kind: "byte" }
  | { readonly kind: "short" }
  | { readonly kind: "int" }
  /** `bigint`: user code sees the values as JS bigint (declared `t.bigint`); the same type otherwise. */
  | { readonly kind: "long"; readonly bigint?: true }
  | { readonly kind: "float" }
  | { readonly kind: "double" }
  | { readonly kind: "decimal"; readonly precision: number; readonly scale: number }
  | { readonly kind: "string" }
  | { readonly kind: "binary" }
  | { readonly kind: "timestamp" }
  | { readonly kind: "timestamp_ntz" }
  | { readonly kind: "date" }
  | { readonly kind: "dayTimeInterval"; readonly from: DayTimeUnit; readonly to: DayTimeUnit }
  | { readonly kind: "yearMonthInterval"; readonly from: YearMonthUnit; readonly to: YearMonthUnit }
  | { readonly kind: "calendarInterval" }
  | { readonly kind: "variant" }
  | { readonly kind: "array"; readonly element: DataType; readonly containsNull: boolean }
  | {
      readonly kind: "map";
      readonly key: DataType;
      readonly value: DataType;
      readonly valueContainsNull: boolean;
    }
  | { readonly kind: "struct"; readonly fields: readonly Field[] };

export type DayTimeUnit = "day" | "hour" | "minute" | "second";
export type YearMonthUnit = "year" | "month";

/** A named column or struct field. */
export interface Field {
  readonly name: string;
  readonly type: DataType;
  readonly nullable: boolean;
}

export const NULL: DataType = Object.freeze({ kind: "null" });
export const BOOLEAN: DataType = Object.freeze({ kind: "boolean" });
export const BYTE: DataType = Object.freeze({ kind: "byte" });
export const SHORT: DataType = Object.freeze({ kind: "short" });
export const INT: DataType = Object.freeze({ kind: "int" });
export const LONG: DataType = Object.freeze({ kind: "long" });
export const FLOAT: DataType = Object.freeze({ kind: "float" });
export const DOUBLE: DataType = Object.freeze({ kind: "double" });
export const STRING: DataType = Object.freeze({ kind: "string" });
export const BINARY: DataType = Object.freeze({ kind: "binary" });
export const TIMESTAMP: DataType = Object.freeze({ kind: "timestamp" });
export const TIMESTAMP_NTZ: DataType = Object.freeze({ kind: "timestamp_ntz" });
export const DATE: DataType = Object.freeze({ kind: "date" });
export const VARIANT: DataType = Object.freeze({ kind: "variant" });
export const CALENDAR_INTERVAL: DataType = Object.freeze({ kind: "calendarInterval" });
export const DAY_TIME_INTERVAL: DataType = Object.freeze({
  kind: "dayTimeInterval",
  from: "day",
  to: "second",
});
export const YEAR_MONTH_INTERVAL: DataType = Object.freeze({
  kind: "yearMonthInterval",
  from: "year",
  to: "month",
});

export const decimal = (precision: number, scale: number): DataType =>
  Object.freeze({ kind: "decimal", precision, scale });
export const array = (element: DataType, containsNull = true): DataType =>
  Object.freeze({ kind: "array", element, containsNull });
export const map = (key: DataType, value: DataType, valueContainsNull = true): DataType =>
  Object.freeze({ kind: "map", key, value, valueContainsNull });
export const struct = (fields: readonly Field[]): DataType => Object.freeze({ kind: "struct", fields });
export const field = (name: string, type: DataType, nullable = true): Field =>
  Object.freeze({ name, type, nullable });

/** The struct that `window(ts, …)` yields. */
export const WINDOW: DataType = struct([field("start", TIMESTAMP), field("end", TIMESTAMP)]);

const SIMPLE: Partial<Record<DataType["kind"], string>> = {
  null: "void",
  byte: "tinyint",
  short: "smallint",
  long: "bigint",
  calendarInterval: "interval",
};

/** Spark's `simpleString` of a type. */
export const typeName = (t: DataType): string => {
  switch (t.kind) {
    case "decimal":
      return `decimal(${t.precision},${t.scale})`;
    case "dayTimeInterval":
    case "yearMonthInterval":
      return t.from === t.to ? `interval ${t.from}` : `interval ${t.from} to ${t.to}`;
    case "array":
      return `array<${typeName(t.element)}>`;
    case "map":
      return `map<${typeName(t.key)},${typeName(t.value)}>`;
    case "struct":
      return `struct<${t.fields.map((f) => `${f.name}:${typeName(f.type)}`).join(",")}>`;
    default:
      return SIMPLE[t.kind] ?? t.kind;
  }
};

/** Structural equality; nullability of elements and fields does not count. */
export const sameType = (a: DataType, b: DataType): boolean =>
  a === b || (a.kind === b.kind && typeName(a) === typeName(b));
