/**
 * Spark 4 ANSI type coercion (AnsiTypeCoercion.scala): which type two operands meet in, which implicit casts a function's
 * argument takes, and which explicit casts exist.
 *
 * C1. `tightestCommonType` loses nothing; `commonType` adds decimals and strings (a string gives way to what it meets).
 * C2. An implicit cast is one that ANSI store assignment allows, plus string to any atomic type.
 */
import {
  array,
  type DataType,
  type DayTimeUnit,
  DOUBLE,
  field,
  type Field,
  LONG,
  map,
  NULL,
  sameType,
  struct,
  TIMESTAMP,
  TIMESTAMP_NTZ,
  type YearMonthUnit,
} from "../core/data-type.ts";
import type { TypedExpr } from "./ast.ts";
import { boundedDecimal, decimalFor, type DecimalType, widerDecimal } from "./decimal.ts";

const INTEGRAL = ["byte", "short", "int", "long"];
const PRECEDENCE = ["byte", "short", "int", "long", "float", "double"];
const DAY_TIME_UNITS: readonly DayTimeUnit[] = ["day", "hour", "minute", "second"];
const YEAR_MONTH_UNITS: readonly YearMonthUnit[] = ["year", "month"];

export const isIntegral = (t: DataType): boolean => INTEGRAL.includes(t.kind);
export const isFractional = (t: DataType): boolean =>
  t.kind === "float" || t.kind === "double" || t.kind === "decimal";
export const isNumeric = (t: DataType): boolean => isIntegral(t) || isFractional(t);
export const isDatetime = (t: DataType): boolean =>
  t.kind === "date" || t.kind === "timestamp" || t.kind === "timestamp_ntz";
export const isInterval = (t: DataType): boolean =>
  t.kind === "dayTimeInterval" || t.kind === "yearMonthInterval" || t.kind === "calendarInterval";
export const isAnsiInterval = (t: DataType): boolean =>
  t.kind === "dayTimeInterval" || t.kind === "yearMonthInterval";
export const isAtomic = (t: DataType): boolean =>
  isNumeric(t) ||
  isDatetime(t) ||
  isAnsiInterval(t) ||
  ["boolean", "string", "binary", "variant"].includes(t.kind);

/** Types with an order: all but maps, variants and calendar intervals; nested ones when their parts have one. */
export const isOrderable = (t: DataType): boolean => {
  if (t.kind === "array") return isOrderable(t.element);
  if (t.kind === "struct") return t.fields.every((f) => isOrderable(f.type));
  return (isAtomic(t) && t.kind !== "variant") || t.kind === "null";
};

const wider = (d: DecimalType, t: DataType): boolean => {
  const o = decimalFor(t);
  return d.precision - d.scale >= o.precision - o.scale && d.scale >= o.scale;
};

const span = <U extends string>(
  units: readonly U[],
  a: { from: U; to: U },
  b: { from: U; to: U },
): { from: U; to: U } => ({
  from: units[Math.min(units.indexOf(a.from), units.indexOf(b.from))]!,
  to: units[Math.max(units.indexOf(a.to), units.indexOf(b.to))]!,
});

const complexCommonType = (
  a: DataType,
  b: DataType,
  find: (x: DataType, y: DataType) => DataType | undefined,
): DataType | undefined => {
  if (a.kind === "array" && b.kind === "array") {
    const element = find(a.element, b.element);
    return element && array(element, a.containsNull || b.containsNull);
  }
  if (a.kind === "map" && b.kind === "map") {
    const found = find(a.key, b.key);
    // A key may not become null: strings are keys of strings only.
    const lost = found?.kind !== "string" && (a.key.kind === "string" || b.key.kind === "string");
    const key = lost ? undefined : found;
    const value = find(a.value, b.value);
    return key && value && map(key, value, a.valueContainsNull || b.valueContainsNull);
  }
  if (a.kind === "struct" && b.kind === "struct" && a.fields.length === b.fields.length) {
    const fields: Field[] = [];
    for (const [i, f] of a.fields.entries()) {
      const g = b.fields[i]!;
      const type = f.name.toLowerCase() === g.name.toLowerCase() ? find(f.type, g.type) : undefined;
      if (type === undefined) return undefined;
      fields.push(field(f.name, type, f.nullable || g.nullable));
    }
    return struct(fields);
  }
  return undefined;
};

const numericCommonType = (a: DataType, b: DataType): DataType | undefined => {
  if (a.kind === "decimal" || b.kind === "decimal") {
    if (a.kind === "decimal" && isIntegral(b) && wider(a, b)) return a;
    if (b.kind === "decimal" && isIntegral(a) && wider(b, a)) return b;
    return undefined;
  }
  const kind = PRECEDENCE[Math.max(PRECEDENCE.indexOf(a.kind), PRECEDENCE.indexOf(b.kind))];
  if (kind === "float") return DOUBLE;
  return kind === a.kind ? a : b;
};

const datetimeCommonType = (a: DataType, b: DataType): DataType =>
  a.kind === "timestamp" || b.kind === "timestamp" ? TIMESTAMP : TIMESTAMP_NTZ;

/** C1: the type both convert to without loss. */
export const tightestCommonType = (a: DataType, b: DataType): DataType | undefined => {
  if (a.kind !== "struct" && a.kind !== "array" && a.kind !== "map" && sameType(a, b)) return a;
  if (a.kind === "null") return b;
  if (b.kind === "null") return a;
  if (isNumeric(a) && isNumeric(b)) return numericCommonType(a, b);
  if (isDatetime(a) && isDatetime(b)) return datetimeCommonType(a, b);
  if (a.kind === "dayTimeInterval" && b.kind === "dayTimeInterval")
    return { kind: a.kind, ...span(DAY_TIME_UNITS, a, b) };
  if (a.kind === "yearMonthInterval" && b.kind === "yearMonthInterval")
    return { kind: a.kind, ...span(YEAR_MONTH_UNITS, a, b) };
  return complexCommonType(a, b, tightestCommonType);
};

/** What a string and another type meet in: bigint, double, or the other type; undefined for intervals and nested types. */
export const stringPromotion = (a: DataType, b: DataType): DataType | undefined => {
  const other = a.kind === "string" ? b : b.kind === "string" ? a : undefined;
  if (other === undefined || other.kind === "string") return undefined;
  if (isIntegral(other)) return LONG;
  if (isFractional(other)) return DOUBLE;
  if (other.kind === "null") return a.kind === "string" ? a : b;
  if (isAnsiInterval(other)) return undefined;
  return isAtomic(other) ? other : undefined;
};

const decimalCommonType = (a: DataType, b: DataType): DataType | undefined => {
  if (a.kind === "decimal" && b.kind === "decimal") return widerDecimal(a, b);
  if (a.kind === "decimal" && isIntegral(b)) return widerDecimal(a, decimalFor(b));
  if (b.kind === "decimal" && isIntegral(a)) return widerDecimal(decimalFor(a), b);
  if ((a.kind === "decimal" && isNumeric(b)) || (b.kind === "decimal" && isNumeric(a))) return DOUBLE;
  return undefined;
};

const commonTypeOfTwo = (a: DataType, b: DataType): DataType | undefined =>
  tightestCommonType(a, b) ??
  decimalCommonType(a, b) ??
  stringPromotion(a, b) ??
  complexCommonType(a, b, commonTypeOfTwo);

/** The common type of two where strings meet strings only: elements and keys that are looked for. */
export const commonTypeWithoutStrings = (a: DataType, b: DataType): DataType | undefined =>
  tightestCommonType(a, b) ?? decimalCommonType(a, b) ?? complexCommonType(a, b, commonTypeWithoutStrings);

/** Spark's ANSI least common type of all, undefined when there is none. */
export const commonType = (types: readonly DataType[]): DataType | undefined => {
  let result: DataType | undefined = NULL;
  for (const t of types) {
    result = commonTypeOfTwo(result, t);
    if (result === undefined) return undefined;
  }
  return result;
};

/** The common type of all of which none is made a string or read from one: inline tables, UNPIVOT. */
export const commonTypeOfColumn = (types: readonly DataType[]): DataType | undefined => {
  let result: DataType | undefined = NULL;
  for (const t of types) {
    result = commonTypeWithoutStrings(result, t);
    if (result === undefined) return undefined;
  }
  return result;
};

/** An explicit cast node; the expression itself when it has the type already. */
export const castTo = (e: TypedExpr, type: DataType, tryCast = false): TypedExpr => {
  if (sameType(e.type, type)) return e;
  if (e.kind === "literal" && e.value === null) return { ...e, type };
  const nullable =
    e.nullable ||
    tryCast ||
    (type.kind === "decimal" && (e.type.kind === "double" || e.type.kind === "float")) ||
    (type.kind === "calendarInterval" && e.type.kind === "string");
  return { kind: "cast", child: e, type, tryCast, nullable, position: e.position };
};

/** ANSI store assignment: what an implicit cast to a concrete type may do. */
export const storeAssignable = (from: DataType, to: DataType): boolean => {
  if (from.kind === "null" || sameType(from, to)) return true;
  if (isNumeric(from) && isNumeric(to)) return true;
  if (to.kind === "string") return isAtomic(from) || from.kind === "calendarInterval";
  if (isDatetime(from) && isDatetime(to)) return true;
  if (from.kind === to.kind && isAnsiInterval(from)) return true;
  if (from.kind === "array" && to.kind === "array") return storeAssignable(from.element, to.element);
  if (from.kind === "map" && to.kind === "map")
    return storeAssignable(from.key, to.key) && storeAssignable(from.value, to.value);
  if (from.kind === "struct" && to.kind === "struct")
    return (
      from.fields.length === to.fields.length &&
      from.fields.every((f, i) => storeAssignable(f.type, to.fields[i]!.type))
    );
  return false;
};

/** C2: the expression as the concrete type, by an implicit cast where ANSI allows one. */
export const coerce = (e: TypedExpr, type: DataType): TypedExpr | undefined => {
  if (sameType(e.type, type)) return e;
  if (e.type.kind === "string" && isAtomic(type)) return castTo(e, type);
  return storeAssignable(e.type, type) ? castTo(e, type) : undefined;
};

/** Objects become structs, and maps whose keys are strings. */
const fromVariantAllowed = (to: DataType): boolean => {
  if (to.kind === "array") return fromVariantAllowed(to.element);
  if (to.kind === "map") return to.key.kind === "string" && fromVariantAllowed(to.value);
  if (to.kind === "struct") return to.fields.every((f) => fromVariantAllowed(f.type));
  return !isInterval(to) && to.kind !== "null";
};

const CASTS: Partial<Record<DataType["kind"], (to: DataType) => boolean>> = {
  boolean: isNumeric,
  string: (to) => isAtomic(to) || to.kind === "calendarInterval" || to.kind === "variant",
  binary: (to) => to.kind === "variant",
  date: (to) => isDatetime(to) || to.kind === "variant",
  timestamp: (to) => isDatetime(to) || isNumeric(to) || to.kind === "variant",
  timestamp_ntz: (to) => isDatetime(to) || to.kind === "variant",
  dayTimeInterval: (to) => to.kind === "dayTimeInterval" || isIntegral(to) || to.kind === "decimal",
  yearMonthInterval: (to) => to.kind === "yearMonthInterval" || isIntegral(to) || to.kind === "decimal",
  variant: (to) => fromVariantAllowed(to),
};

/** Structs and maps become variants by to_variant_object only. */
const becomesVariant = (t: DataType): boolean =>
  t.kind === "array"
    ? t.element.kind !== "null" && becomesVariant(t.element)
    : t.kind !== "struct" && t.kind !== "map" && !isInterval(t);

/** Whether an explicit CAST exists in ANSI mode. */
export const castAllowed = (from: DataType, to: DataType): boolean => {
  if (from.kind === "null" || sameType(from, to)) return true;
  if (to.kind === "string") return true;
  if (isNumeric(from)) {
    if (isNumeric(to) || to.kind === "boolean" || to.kind === "timestamp" || to.kind === "variant")
      return true;
    return (isIntegral(from) || from.kind === "decimal") && isAnsiInterval(to);
  }
  if (from.kind === "array" && to.kind === "array") return castAllowed(from.element, to.element);
  if (from.kind === "map" && to.kind === "map")
    return castAllowed(from.key, to.key) && castAllowed(from.value, to.value);
  if (from.kind === "struct" && to.kind === "struct")
    return (
      from.fields.length === to.fields.length &&
      from.fields.every((f, i) => castAllowed(f.type, to.fields[i]!.type))
    );
  if (to.kind === "variant") return becomesVariant(from);
  return CASTS[from.kind]?.(to) ?? false;
};

/** Under try_cast a key that does not fit would be null. */
export const losesKeys = (from: DataType, to: DataType): boolean =>
  from.kind === "map" && to.kind === "map" && from.key.kind === "string" && to.key.kind !== "string";

/** Default concrete type of a decimal class for a numeric (Spark: DecimalType.forType), bounded. */
export const decimalOf = (t: DataType): DataType => {
  const d = decimalFor(t);
  return boundedDecimal(d.precision, d.scale);
};
