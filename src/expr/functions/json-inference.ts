/** The schema of a JSON text as Spark infers it: fields by name, integers bigint, other numbers double, nulls string. */
import {
  array as arrayOf,
  BOOLEAN,
  type DataType,
  decimal,
  DOUBLE,
  field,
  LONG,
  STRING,
  struct as structOf,
  TIMESTAMP,
} from "../../core/data-type.ts";
import { commonType } from "../coercion.ts";
import { DECIMAL_PRECISION_MAX, parseDecimalText } from "../decimal.ts";
import { isInteger } from "../json-path.ts";
import { type Json, JsonFraction, type JsonReading, tryReadJson } from "../json-reader.ts";
import { parseTimestamp } from "../time/iso-text.ts";
import { sqlType } from "../type-errors.ts";
import { failure } from "./definition.ts";

/** `strings`: numbers and booleans are strings; `decimals`: fractions are decimals; `times`: texts of times are timestamps. */
interface Preferences {
  readonly strings: boolean;
  readonly decimals: boolean;
  readonly times: boolean;
}

const BIGGEST = 2n ** 63n;

const numberType = (j: number | bigint | JsonFraction, prefer: Preferences): DataType => {
  if (!isInteger(j)) {
    const parsed = prefer.decimals && j instanceof JsonFraction ? parseDecimalText(j.text) : undefined;
    if (parsed === undefined) return DOUBLE;
    const digits = Math.max(String(parsed.unscaled).replace("-", "").length, parsed.scale);
    return digits <= DECIMAL_PRECISION_MAX && parsed.scale >= 0 ? decimal(digits, parsed.scale) : DOUBLE;
  }
  if (j < BIGGEST && j >= -BIGGEST) return LONG;
  return decimal(Math.min(DECIMAL_PRECISION_MAX, String(j).replace("-", "").length), 0);
};

/** NULL where nothing is known yet. */
const inferJson = (j: Json, prefer: Preferences): DataType | undefined => {
  if (j === null || j === "") return undefined;
  if (typeof j === "string")
    return prefer.times && parseTimestamp(j, "UTC") !== undefined ? TIMESTAMP : STRING;
  if (Array.isArray(j)) {
    const known = j.map((x) => inferJson(x, prefer)).filter((t) => t !== undefined);
    return known.length === 0 ? undefined : arrayOf(known.reduce(merged));
  }
  if (j instanceof Map)
    return structOf(
      [...j]
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([k, x]) => field(k, inferJson(x, prefer) ?? (Array.isArray(x) ? arrayOf(STRING) : STRING))),
    );
  if (prefer.strings) return STRING;
  return typeof j === "boolean" ? BOOLEAN : numberType(j, prefer);
};

const merged = (a: DataType, b: DataType): DataType => {
  if (a.kind === "struct" && b.kind === "struct") {
    const names = [...new Set([...a.fields, ...b.fields].map((f) => f.name))].toSorted();
    return structOf(
      names.map((n) => {
        const [x, y] = [a.fields.find((f) => f.name === n), b.fields.find((f) => f.name === n)];
        return field(n, x && y ? merged(x.type, y.type) : (x ?? y)!.type);
      }),
    );
  }
  const strings = (a.kind === "string") !== (b.kind === "string");
  return strings ? STRING : (commonType([a, b]) ?? STRING);
};

/** A value without the fields that are null, empty arrays or empty objects; undefined when nothing is left of it. */
const withoutEmpty = (j: Json): Json | undefined => {
  if (j === null) return undefined;
  if (Array.isArray(j)) {
    const kept = j.map(withoutEmpty).filter((x) => x !== undefined);
    return kept.length === 0 ? undefined : kept;
  }
  if (!(j instanceof Map)) return j;
  const kept = [...j].flatMap(([k, x]) => {
    const y = withoutEmpty(x);
    return y === undefined ? [] : [[k, y] as const];
  });
  return kept.length === 0 ? undefined : new Map(kept);
};

type Options = ReadonlyMap<string, string>;

/** What the options of from_json and schema_of_json allow beyond the format. */
export const readingOf = (all: Options): JsonReading => {
  const on = (name: string, otherwise = false): boolean =>
    (all.get(name)?.toLowerCase() ?? String(otherwise)) === "true";
  return {
    singleQuotes: on("allowsinglequotes", true),
    unquotedNames: on("allowunquotedfieldnames"),
    leadingZeros: on("allownumericleadingzeros"),
    anyEscape: on("allowbackslashescapinganycharacter"),
    comments: on("allowcomments"),
    controlChars: on("allowunquotedcontrolchars"),
    nonNumbers: on("allownonnumericnumbers", true),
    firstOnly: true,
  };
};

/** The schema of a text as DDL. @throws ExecutionError MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION */
export const inferSchemaText = (text: string, all: Options): string => {
  const on = (name: string): boolean => all.get(name)?.toLowerCase() === "true";
  if (text.trim() === "") return sqlType(STRING);
  const parsed = tryReadJson(text, readingOf(all));
  if (parsed === undefined)
    throw failure(
      "MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION",
      `Malformed records are detected in record parsing: ${text}.`,
    );
  const kept = on("dropfieldifallnull")
    ? (withoutEmpty(parsed) ?? (parsed instanceof Map ? new Map<string, Json>() : null))
    : parsed;
  const type = inferJson(kept, {
    strings: on("primitivesasstring"),
    decimals: on("prefersdecimal"),
    times: on("infertimestamp"),
  });
  return sqlType(type ?? (Array.isArray(kept) ? arrayOf(STRING) : STRING));
};
