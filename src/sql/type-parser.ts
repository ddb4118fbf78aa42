/** Data types and column lists (`a INT, b STRUCT<c: ARRAY<INT>> NOT NULL COMMENT 'x'`) as Spark writes them. */
import {
  array,
  decimal,
  field,
  map,
  struct,
  BINARY,
  BOOLEAN,
  BYTE,
  CALENDAR_INTERVAL,
  DATE,
  DOUBLE,
  FLOAT,
  INT,
  LONG,
  NULL,
  SHORT,
  STRING,
  TIMESTAMP,
  TIMESTAMP_NTZ,
  VARIANT,
  type DataType,
  type DayTimeUnit,
  type Field,
  type YearMonthUnit,
} from "../core/data-type.ts";
import { schemaOf, type Schema } from "../core/schema.ts";
import { nearest } from "./parse-error.ts";
import type { Parser } from "./token-stream.ts";
import type { Token } from "./token.ts";

const DECIMAL_PRECISION_MAX = 38;
const YEAR_MONTH: readonly string[] = ["YEAR", "MONTH"];
const DAY_TIME: readonly string[] = ["DAY", "HOUR", "MINUTE", "SECOND"];

const SIMPLE = new Map<string, DataType>([
  ["BOOLEAN", BOOLEAN],
  ["TINYINT", BYTE],
  ["BYTE", BYTE],
  ["SMALLINT", SHORT],
  ["SHORT", SHORT],
  ["INT", INT],
  ["INTEGER", INT],
  ["BIGINT", LONG],
  ["LONG", LONG],
  ["FLOAT", FLOAT],
  ["REAL", FLOAT],
  ["DOUBLE", DOUBLE],
  ["DATE", DATE],
  ["TIMESTAMP", TIMESTAMP],
  ["TIMESTAMP_LTZ", TIMESTAMP],
  ["TIMESTAMP_NTZ", TIMESTAMP_NTZ],
  ["STRING", STRING],
  ["BINARY", BINARY],
  ["VOID", NULL],
  ["VARIANT", VARIANT],
]);
const DECIMALS: ReadonlySet<string> = new Set(["DECIMAL", "DEC", "NUMERIC"]);
/** Text of bounded length: read as string, the length is not enforced. */
const CHARACTERS: ReadonlySet<string> = new Set(["CHAR", "CHARACTER", "VARCHAR"]);
const NAMES: readonly string[] = [
  ...SIMPLE.keys(),
  ...DECIMALS,
  ...CHARACTERS,
  "INTERVAL",
  "ARRAY",
  "MAP",
  "STRUCT",
];

/** `(10)`, `(10, 2)`; none when there is no parenthesis. */
const sizes = (p: Parser): number[] =>
  p.atOp("(")
    ? p.parenthesized(() => {
        const token = p.peek();
        if (token.kind !== "number" || !/^\d+$/.test(token.text)) throw p.unexpected("an integer");
        return Number(p.next().text);
      })
    : [];

const unsupported = (p: Parser, token: Token, written: string): Error => {
  const near = nearest(token.upper, NAMES);
  return p.error(
    "UNSUPPORTED_DATATYPE",
    `Unsupported data type "${written.toUpperCase()}".`,
    token,
    near === undefined ? undefined : `Did you mean ${near}?`,
  );
};

const decimalType = (p: Parser, token: Token): DataType => {
  const given = sizes(p);
  const [precision = 10, scale = 0] = given;
  if (given.length > 2) throw unsupported(p, token, `${token.text}(${given.join(",")})`);
  if (precision > DECIMAL_PRECISION_MAX)
    throw p.error(
      "DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION",
      `Decimal precision ${precision} exceeds max precision ${DECIMAL_PRECISION_MAX}.`,
      token,
    );
  if (scale > precision)
    throw p.error(
      "INVALID_DECIMAL_SCALE",
      `Decimal scale (${scale}) cannot be greater than precision (${precision}).`,
      token,
    );
  return decimal(precision, scale);
};

/** INTERVAL has been taken. */
const intervalType = (p: Parser): DataType => {
  const from = p.acceptAny([...YEAR_MONTH, ...DAY_TIME]);
  if (from === undefined) return CALENDAR_INTERVAL;
  const family = YEAR_MONTH.includes(from) ? YEAR_MONTH : DAY_TIME;
  const to = p.accept("TO") ? p.expectAny(family.slice(family.indexOf(from) + 1)) : from;
  return family === YEAR_MONTH
    ? {
        kind: "yearMonthInterval",
        from: from.toLowerCase() as YearMonthUnit,
        to: to.toLowerCase() as YearMonthUnit,
      }
    : {
        kind: "dayTimeInterval",
        from: from.toLowerCase() as DayTimeUnit,
        to: to.toLowerCase() as DayTimeUnit,
      };
};

const open = (p: Parser, name: string, example: string): void => {
  if (p.acceptOp("<")) return;
  const before = p.before()!;
  throw p.error(
    `INCOMPLETE_TYPE_DEFINITION.${name}`,
    `Incomplete complex type: the definition of ${name} needs its parameters, as in ${example}.`,
    before,
  );
};

const structType = (p: Parser): DataType => {
  // `STRUCT<>` is one token to the lexer
  if (p.acceptOp("!=")) return struct([]);
  open(p, "STRUCT", "STRUCT<name: STRING>");
  if (p.acceptOp(">")) return struct([]);
  const fields = p.list(() => columnDefinition(p));
  p.expectOp(">");
  return struct(fields);
};

const complexType = (p: Parser, name: string): DataType => {
  if (name === "STRUCT") return structType(p);
  open(p, name, name === "ARRAY" ? "ARRAY<INT>" : "MAP<STRING, INT>");
  const first = dataType(p);
  if (name === "ARRAY") {
    p.expectOp(">");
    return array(first);
  }
  p.expectOp(",");
  const value = dataType(p);
  p.expectOp(">");
  return map(first, value);
};

/** The name after COLLATE: strings compare by their bytes, so it can only say that. */
export const collation = (p: Parser): void => {
  const token = p.peek();
  const name = p.identifier("a collation");
  if (name.toUpperCase() === "UTF8_BINARY") return;
  const message = `The collation ${name} is not supported: strings compare as UTF8_BINARY.`;
  throw p.error("UNSUPPORTED_FEATURE.COLLATION", message, token);
};

/** A data type. Throws ParseError (UNSUPPORTED_DATATYPE, …). */
export const dataType = (p: Parser): DataType => {
  const token = p.peek();
  if (token.kind !== "word") throw p.unexpected("a data type");
  p.next();
  const name = token.upper;
  if (name === "ARRAY" || name === "MAP" || name === "STRUCT") return p.nested(() => complexType(p, name));
  if (name === "INTERVAL") return intervalType(p);
  if (DECIMALS.has(name)) return decimalType(p, token);
  if (CHARACTERS.has(name)) {
    if (sizes(p).length === 1) return STRING;
    throw p.error(
      "DATATYPE_MISSING_SIZE",
      `DataType "${name}" requires a length parameter, for example "${name}"(10).`,
      token,
    );
  }
  const simple = SIMPLE.get(name);
  if (simple === undefined) throw unsupported(p, token, token.text);
  if (p.atOp("(")) throw unsupported(p, token, `${token.text}(${sizes(p).join(",")})`);
  if (simple === STRING && p.accept("COLLATE")) collation(p);
  return simple;
};

/** `name [:] type [NOT NULL] [COMMENT 'text']` */
export const columnDefinition = (p: Parser): Field => {
  const name = p.identifier("a column name");
  p.acceptOp(":");
  const type = dataType(p);
  const nullable = !(p.at("NOT", "NULL") && p.accept("NOT", "NULL"));
  if (p.accept("COMMENT")) p.string("the comment's text");
  return field(name, type, nullable);
};

/** One or more column definitions. */
export const columnDefinitions = (p: Parser): Schema => schemaOf(p.list(() => columnDefinition(p)));
