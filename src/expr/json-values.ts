/**
 * JSON to typed values and back, with Spark's rules. J1: a field that does not fit its type is null and the others are kept (PERMISSIVE); FAILFAST throws. J2: struct fields
 * that are null are left out of the text, null elements and map values are not.
 */
import type { DataType, Field } from "../core/data-type.ts";
import { ExecutionError } from "../core/errors.ts";
import { canonicalLong, type Value } from "../core/value.ts";
import {
  DECIMAL_PRECISION_MAX,
  fitsPrecision,
  javaDecimalString,
  parseDecimalText,
  toScale,
} from "./decimal.ts";
import { isInteger, isNumber } from "./json-path.ts";
import { type Json, JsonFraction, type JsonObject, quoteJson, writeJson } from "./json-reader.ts";
import { DAY_MS, formatDate } from "./time/calendar.ts";
import { parseDate, parseTimestamp, parseTimestampNtz } from "./time/iso-text.ts";
import { parseCalendarInterval, parseDayTimeInterval, parseYearMonthInterval } from "./time/interval-text.ts";
import { formatInstant } from "./time/pattern-format.ts";
import { parseInstant, parsePattern } from "./time/pattern-parse.ts";
import { doubleText, floatText } from "./number-text.ts";
import { internalText } from "./internal-text.ts";
import { valueText } from "./value-text.ts";
import { fromVariant, toVariant } from "./variant.ts";

export interface JsonOptions {
  readonly zone: string;
  readonly timestampFormat?: string | undefined;
  readonly timestampNtzFormat?: string | undefined;
  readonly dateFormat?: string | undefined;
  readonly keepNullFields?: boolean;
  /** Fields of structs and keys of maps in order of the alphabet. */
  readonly sortKeys?: boolean;
}

/** A value that does not fit; thrown inside, caught by the field that has it (J1). */
export class JsonMismatch extends Error {
  readonly partial: Value;
  constructor(partial: Value = null) {
    super("the JSON value does not fit its type");
    this.partial = partial;
  }
}

const BITS: Partial<Record<DataType["kind"], number>> = { byte: 8, short: 16, int: 32, long: 64 };

const integer = (j: Json, type: DataType): Value => {
  if (!isInteger(j)) throw new JsonMismatch();
  const x = BigInt(j);
  // Jackson reads a byte with or without a sign.
  if (type.kind === "byte" && x > 127n && x < 256n) return Number(x) - 256;
  if (BigInt.asIntN(BITS[type.kind]!, x) !== x) throw new JsonMismatch();
  return canonicalLong(x);
};

const SPECIAL = new Map<string, number>([
  ["NaN", Number.NaN],
  ["Infinity", Infinity],
  ["+Infinity", Infinity],
  ["+INF", Infinity],
  ["-Infinity", -Infinity],
  ["-INF", -Infinity],
]);

const floating = (j: Json, type: DataType): Value => {
  const x = j instanceof JsonFraction ? j.value : typeof j === "string" ? SPECIAL.get(j) : undefined;
  const n = x ?? (isInteger(j) ? Number(j) : undefined);
  if (n === undefined) throw new JsonMismatch();
  return type.kind === "float" ? Math.fround(n) : n;
};

/** The digits of a text may be grouped by commas. */
const toDecimal = (j: Json, type: DataType & { kind: "decimal" }): Value => {
  const text = typeof j === "string" ? j.replaceAll(",", "") : j instanceof JsonFraction ? j.text : String(j);
  const parsed = isNumber(j) || typeof j === "string" ? parseDecimalText(text) : undefined;
  if (parsed === undefined) throw new JsonMismatch();
  const unscaled = toScale(parsed.unscaled, parsed.scale, type.scale);
  if (!fitsPrecision(unscaled, Math.min(type.precision, DECIMAL_PRECISION_MAX))) throw new JsonMismatch();
  return unscaled;
};

const or = (x: number | undefined): number => {
  if (x === undefined) throw new JsonMismatch();
  return x;
};

/** A pattern nobody understands makes the field null; one that only old formatters understood is an error. */
const instant = (j: Json, type: DataType, o: JsonOptions): Value => {
  try {
    return instantBy(j, type, o);
  } catch (e) {
    if (
      e instanceof ExecutionError &&
      e.errorClass !== "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_PATTERN_RECOGNITION"
    )
      throw new JsonMismatch();
    throw e;
  }
};
const instantBy = (j: Json, type: DataType, o: JsonOptions): Value => {
  if (typeof j === "number" && Number.isInteger(j) && type.kind === "timestamp") return j * 1000;
  if (typeof j !== "string") throw new JsonMismatch();
  if (type.kind === "date")
    return or(o.dateFormat === undefined ? parseDate(j) : dayOf(parsePattern(j, o.dateFormat)?.localMs));
  if (type.kind === "timestamp")
    return or(
      o.timestampFormat === undefined
        ? parseTimestamp(j, o.zone)
        : parseInstant(j, o.zone, o.timestampFormat),
    );
  return or(
    o.timestampNtzFormat === undefined
      ? parseTimestampNtz(/[Tt ].*[A-Za-z+-]/.test(j) ? "" : j)
      : parsePattern(j, o.timestampNtzFormat)?.localMs,
  );
};
const dayOf = (ms: number | undefined): number | undefined =>
  ms === undefined ? undefined : Math.floor(ms / DAY_MS);

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** What of several parts fits (J1): throws a mismatch with all of them when one was a struct that fits in part. */
const partsFrom = <T>(parts: readonly T[], read: (part: T) => Value): Value[] => {
  let failed = false;
  const out = parts.map((part) => {
    try {
      return read(part);
    } catch (e) {
      if (!(e instanceof JsonMismatch) || e.partial === null) throw e;
      failed = true;
      return e.partial;
    }
  });
  if (failed) throw new JsonMismatch(out);
  return out;
};

/** Each field on its own (J1); throws a mismatch with the rest when one did not fit. */
const structFrom = (j: JsonObject, fields: readonly Field[], o: JsonOptions): Value => {
  let failed = false;
  const out = fields.map((f) => {
    const x = j.get(f.name);
    if (x === undefined || x === null) return null;
    try {
      return fromJson(x, f.type, o);
    } catch (e) {
      if (!(e instanceof JsonMismatch)) throw e;
      failed = true;
      return e.partial;
    }
  });
  if (failed) throw new JsonMismatch(out);
  return out;
};

/** Texts of intervals, numbers by their digits. */
const interval = (j: Json, type: DataType): Value => {
  const text = typeof j === "string" ? j : writeJson(j);
  const parsed =
    type.kind === "dayTimeInterval"
      ? parseDayTimeInterval(text, type.from, type.to)
      : type.kind === "yearMonthInterval"
        ? parseYearMonthInterval(text, type.from, type.to)
        : parseCalendarInterval(text);
  if (parsed === undefined) throw new JsonMismatch();
  return parsed;
};

/** A JSON value as a value of a type. @throws JsonMismatch */
export const fromJson = (j: Json, type: DataType, o: JsonOptions): Value => {
  if (j === null) return null;
  switch (type.kind) {
    case "boolean":
      if (typeof j !== "boolean") throw new JsonMismatch();
      return j;
    case "string":
      return typeof j === "string" ? j : writeJson(j);
    case "byte":
    case "short":
    case "int":
    case "long":
      return integer(j, type);
    case "float":
    case "double":
      return floating(j, type);
    case "decimal":
      return toDecimal(j, type);
    case "date":
    case "timestamp":
    case "timestamp_ntz":
      return instant(j, type, o);
    case "binary":
      if (typeof j !== "string" || !BASE64.test(j)) throw new JsonMismatch();
      return new Uint8Array(Buffer.from(j, "base64"));
    case "array":
      if (!Array.isArray(j)) throw new JsonMismatch();
      return partsFrom(j, (x) => fromJson(x, type.element, o));
    case "map":
      if (!(j instanceof Map)) throw new JsonMismatch();
      return [...j].map(([k, x]) => [k, fromJson(x, type.value, o)] as const);
    case "struct":
      if (!(j instanceof Map)) throw new JsonMismatch();
      return structFrom(j, type.fields, o);
    case "variant":
      return toVariant(j);
    case "calendarInterval":
    case "dayTimeInterval":
    case "yearMonthInterval":
      return interval(j, type);
    default:
      throw new JsonMismatch();
  }
};

const TIMESTAMP_FORMAT = "yyyy-MM-dd'T'HH:mm:ss[.SSS][XXX]";
const NTZ_FORMAT = "yyyy-MM-dd'T'HH:mm:ss[.SSS]";

const numberText = (x: number, text: string): string => (Number.isFinite(x) ? text : quoteJson(text));

const objectText = (entries: readonly (readonly [string, string])[], o: JsonOptions): string => {
  const shown = o.sortKeys === true ? entries.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)) : entries;
  return `{${shown.map(([k, x]) => `${quoteJson(k)}:${x}`).join(",")}}`;
};

const structText = (v: readonly Value[], fields: readonly Field[], o: JsonOptions): string => {
  const entries: [string, string][] = [];
  fields.forEach((f, i) => {
    if (v[i] !== null || o.keepNullFields === true) entries.push([f.name, toJson(v[i]!, f.type, o)]);
  });
  return objectText(entries, o);
};

/** A date or timestamp as JSON and CSV show it. */
export const timeText = (v: number, type: DataType, o: JsonOptions): string => {
  if (type.kind === "date")
    return o.dateFormat === undefined ? formatDate(v) : formatInstant(v * DAY_MS, "UTC", o.dateFormat);
  if (type.kind === "timestamp") return formatInstant(v, o.zone, o.timestampFormat ?? TIMESTAMP_FORMAT);
  return formatInstant(v, "UTC", o.timestampNtzFormat ?? NTZ_FORMAT);
};

/** The JSON text of a value. */
export const toJson = (v: Value, type: DataType, o: JsonOptions): string => {
  if (v === null) return "null";
  switch (type.kind) {
    case "boolean":
    case "byte":
    case "short":
    case "int":
    case "long":
      return String(v);
    case "double":
      return numberText(v as number, doubleText(v as number));
    case "float":
      return numberText(v as number, floatText(v as number));
    case "decimal":
      return javaDecimalString(v as bigint, type.scale);
    case "date":
    case "timestamp":
    case "timestamp_ntz":
      return quoteJson(timeText(v as number, type, o));
    case "binary":
      return quoteJson(Buffer.from(v as Uint8Array).toString("base64"));
    case "array":
      return `[${(v as readonly Value[]).map((x) => toJson(x, type.element, o)).join(",")}]`;
    case "map": {
      const entries = v as readonly (readonly [Value, Value])[];
      return objectText(
        entries.map(([k, x]) => [internalText(k, type.key, o.zone), toJson(x, type.value, o)] as const),
        o,
      );
    }
    case "struct":
      return structText(v as readonly Value[], type.fields, o);
    case "variant":
      return writeJson(fromVariant(v));
    default:
      return quoteJson(valueText(type, o.zone)(v));
  }
};
