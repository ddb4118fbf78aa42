/** Types as text in arguments of functions: `a INT, b STRUCT<c: ARRAY<INT>>` (from_json, from_csv) and `bigint` (variant_get). */
import {
  array,
  BINARY,
  BOOLEAN,
  BYTE,
  CALENDAR_INTERVAL,
  type DataType,
  DATE,
  DAY_TIME_INTERVAL,
  decimal,
  DOUBLE,
  field,
  type Field,
  FLOAT,
  INT,
  LONG,
  map,
  NULL,
  SHORT,
  STRING,
  struct,
  TIMESTAMP,
  TIMESTAMP_NTZ,
  VARIANT,
  YEAR_MONTH_INTERVAL,
} from "../core/data-type.ts";
import { AnalysisError } from "../core/errors.ts";
import { analysisError } from "./type-errors.ts";

const NAMES = new Map<string, DataType>([
  ["boolean", BOOLEAN],
  ["tinyint", BYTE],
  ["byte", BYTE],
  ["smallint", SHORT],
  ["short", SHORT],
  ["int", INT],
  ["integer", INT],
  ["bigint", LONG],
  ["long", LONG],
  ["float", FLOAT],
  ["real", FLOAT],
  ["double", DOUBLE],
  ["string", STRING],
  ["binary", BINARY],
  ["timestamp", TIMESTAMP],
  ["timestamp_ltz", TIMESTAMP],
  ["timestamp_ntz", TIMESTAMP_NTZ],
  ["date", DATE],
  ["variant", VARIANT],
  ["void", NULL],
  ["decimal", decimal(10, 0)],
  ["dec", decimal(10, 0)],
  ["numeric", decimal(10, 0)],
]);

const TOKEN = /\s*(?:(`(?:[^`]|``)*`)|([A-Za-z0-9_]+)|('(?:[^'\\]|\\.)*')|([<>(),:]))/y;
const DEPTH_MAX = 200;

interface Reader {
  readonly text: string;
  at: number;
  depth: number;
}

const fail = (r: Reader): never => {
  throw analysisError("PARSE_SYNTAX_ERROR", `Syntax error in the type '${r.text}' at position ${r.at}.`);
};

const peek = (r: Reader): string | undefined => {
  TOKEN.lastIndex = r.at;
  const m = TOKEN.exec(r.text);
  return m === null ? undefined : (m[1] ?? m[2] ?? m[3] ?? m[4]);
};
const next = (r: Reader): string => {
  const token = peek(r);
  if (token === undefined) return fail(r);
  r.at = TOKEN.lastIndex;
  return token;
};
const accept = (r: Reader, token: string): boolean => {
  if (peek(r)?.toLowerCase() !== token) return false;
  next(r);
  return true;
};
const expect = (r: Reader, token: string): void => {
  if (!accept(r, token)) fail(r);
};

const readFields = (r: Reader, end: string | undefined): Field[] => {
  const fields: Field[] = [];
  if (end !== undefined && peek(r) === end) return fields;
  do {
    const raw = next(r);
    const name = raw.startsWith("`") ? raw.slice(1, -1).replaceAll("``", "`") : raw;
    accept(r, ":");
    const type = readType(r);
    let nullable = true;
    if (accept(r, "not")) {
      expect(r, "null");
      nullable = false;
    }
    if (accept(r, "comment")) next(r);
    fields.push(field(name, type, nullable));
  } while (accept(r, ","));
  return fields;
};

const readDecimal = (r: Reader): DataType => {
  if (!accept(r, "(")) return decimal(10, 0);
  const precision = Number(next(r));
  const scale = accept(r, ",") ? Number(next(r)) : 0;
  expect(r, ")");
  if (!(precision >= 1 && precision <= 38 && scale >= 0 && scale <= precision)) return fail(r);
  return decimal(precision, scale);
};

const readInterval = (r: Reader): DataType => {
  const unit = peek(r)?.toLowerCase();
  if (unit === "year" || unit === "month") {
    next(r);
    if (!accept(r, "to")) return { kind: "yearMonthInterval", from: unit, to: unit };
    expect(r, "month");
    return YEAR_MONTH_INTERVAL;
  }
  if (unit === "day" || unit === "hour" || unit === "minute" || unit === "second") {
    next(r);
    const to = accept(r, "to") ? next(r).toLowerCase() : unit;
    if (to !== "day" && to !== "hour" && to !== "minute" && to !== "second") return fail(r);
    return unit === "day" && to === "second"
      ? DAY_TIME_INTERVAL
      : { kind: "dayTimeInterval", from: unit, to };
  }
  return CALENDAR_INTERVAL;
};

const readType = (r: Reader): DataType => {
  if (++r.depth > DEPTH_MAX) return fail(r);
  const name = next(r).toLowerCase();
  let type: DataType;
  if (name === "array") {
    expect(r, "<");
    type = array(readType(r));
    expect(r, ">");
  } else if (name === "map") {
    expect(r, "<");
    const key = readType(r);
    expect(r, ",");
    type = map(key, readType(r));
    expect(r, ">");
  } else if (name === "struct") {
    expect(r, "<");
    type = struct(readFields(r, ">"));
    expect(r, ">");
  } else if (name === "interval") type = readInterval(r);
  else if (name === "decimal" || name === "dec" || name === "numeric") type = readDecimal(r);
  else if (name === "char" || name === "varchar") {
    expect(r, "(");
    next(r);
    expect(r, ")");
    type = STRING;
  } else if (name === "time")
    throw analysisError("UNSUPPORTED_TIME_TYPE", "The data type TIME is not supported.");
  else type = NAMES.get(name) ?? fail(r);
  r.depth--;
  return type;
};

const whole = <T>(text: string, read: (r: Reader) => T): T => {
  const r: Reader = { text, at: 0, depth: 0 };
  const value = read(r);
  return r.text.slice(r.at).trim() === "" ? value : fail(r);
};

/** A type of a text. @throws AnalysisError PARSE_SYNTAX_ERROR */
export const parseTypeText = (text: string): DataType => whole(text, readType);

/** A type, or a list of columns as a struct. @throws AnalysisError PARSE_SYNTAX_ERROR */
export const parseSchemaText = (text: string): DataType => {
  try {
    return parseTypeText(text);
  } catch (e) {
    const name = /^\s*(\w+)\s*$/.exec(text)?.[1];
    if (name !== undefined && e instanceof AnalysisError && e.errorClass === "PARSE_SYNTAX_ERROR")
      throw analysisError("UNSUPPORTED_DATATYPE", `Unsupported data type "${name.toUpperCase()}".`);
    return whole(text, (r) => struct(readFields(r, undefined)));
  }
};
