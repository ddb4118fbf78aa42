/** Strings: case, length, cutting, padding, joining. Positions and lengths count code points, from 1; on binary, bytes. */
import { BINARY, type DataType, array, INT, STRING } from "../../core/data-type.ts";
import { TEXT_CHARS_MAX } from "../../core/limits.ts";
import type { Value } from "../../core/value.ts";
import { commonType, castTo, coerce } from "../coercion.ts";
import type { FunctionDefinition, TypeRule } from "../function.ts";
import { oneOf, signature, stringOrBinary } from "../rules.ts";
import { differentTypes, unexpectedInput } from "../type-errors.ts";
import { custom, family, plain, strict, tooLong } from "./definition.ts";

type List = readonly Value[];
const string = family("string");

const SURROGATE = /[\ud800-\udfff]/;
/** The characters of a string: itself while every code unit is one. */
export const characters = (s: string): string | readonly string[] => (SURROGATE.test(s) ? [...s] : s);
const textOf = (c: string | readonly string[]): string => (typeof c === "string" ? c : c.join(""));
export const lengthOf = (s: string): number => characters(s).length;

/** SQL substring: positions from 1, negative ones from the end, 0 as 1. */
export const substring = (s: string, position: number, length?: number): string => {
  const c = characters(s);
  const [from, to] = sliceBounds(c.length, position, length);
  return textOf(c.slice(from, to));
};

const sliceBounds = (size: number, position: number, length: number | undefined): [number, number] => {
  const start = position > 0 ? position - 1 : position < 0 ? size + position : 0;
  const end = length === undefined ? size : Math.min(start + length, size);
  return [Math.max(start, 0), Math.max(end, start < 0 ? 0 : start, 0)];
};

const substringOf = (v: Value, position: number, length?: number): Value => {
  if (typeof v === "string") return substring(v, position, length);
  const bytes = v as Uint8Array;
  const [from, to] = sliceBounds(bytes.length, position, length);
  return bytes.slice(from, to);
};

/** How often a text of `length` is repeated. Throws when the result would be too long. */
const checkedLength = (n: number, length: number, fn: string): number => {
  if (n * length > TEXT_CHARS_MAX) throw tooLong(n * length, fn);
  return Math.max(n, 0);
};

const pad = (s: string, width: number, filler: string, left: boolean): string => {
  const c = characters(s);
  if (width <= 0) return "";
  if (c.length >= width) return textOf(c.slice(0, width));
  const f = [...filler];
  if (f.length === 0) return s;
  checkedLength(width, 1, "lpad");
  let fill = "";
  for (let i = 0, n = width - c.length; i < n; i++) fill += f[i % f.length];
  return left ? fill + s : s + fill;
};

const padBytes = (v: Uint8Array, width: number, filler: Uint8Array, left: boolean): Uint8Array => {
  checkedLength(width, 1, "lpad");
  if (width <= 0) return new Uint8Array(0);
  if (v.length >= width || filler.length === 0) return v.slice(0, width);
  const out = new Uint8Array(width);
  const start = left ? 0 : v.length;
  for (let i = 0; i < width - v.length; i++) out[start + i] = filler[i % filler.length]!;
  out.set(v, left ? width - v.length : 0);
  return out;
};

/** Bytes are padded with bytes; beside a string they are read as text. */
const padRule: TypeRule = (raw, site) => {
  const mixed = raw.length > 2 && (raw[0]!.type.kind === "binary") !== (raw[2]!.type.kind === "binary");
  const args = mixed ? raw.map((a, i) => (i === 1 ? a : castTo(a, STRING))) : raw;
  return signature([stringOrBinary, INT, stringOrBinary], (a) => a[0]!.type, { optional: 1 })(args, site);
};

const padding = (
  name: "lpad" | "rpad",
  side: string,
  example: readonly [string, string],
): FunctionDefinition =>
  string(
    `${name}(str, len[, pad])`,
    `str made len long: cut at the end, or filled on the ${side} with pad (default a blank).`,
    padRule,
    strict<[Value, number, Value | undefined]>(([v, width, filler]) =>
      v instanceof Uint8Array
        ? padBytes(v, width, filler instanceof Uint8Array ? filler : new Uint8Array([0]), name === "lpad")
        : pad(v as string, width, (filler as string | undefined) ?? " ", name === "lpad"),
    ),
    { examples: [example] },
  );

const trimStart = (s: string, set: ReadonlySet<string> | undefined): string => {
  if (set === undefined) return s.replace(/^ +/, "");
  const c = [...s];
  let i = 0;
  while (i < c.length && set.has(c[i]!)) i++;
  return c.slice(i).join("");
};
const trimEnd = (s: string, set: ReadonlySet<string> | undefined): string => {
  if (set === undefined) {
    let end = s.length;
    while (end > 0 && s.charCodeAt(end - 1) === 32) end--;
    return s.slice(0, end);
  }
  const c = [...s];
  let end = c.length;
  while (end > 0 && set.has(c[end - 1]!)) end--;
  return c.slice(0, end).join("");
};
const trimBoth = (s: string, set: ReadonlySet<string> | undefined): string => trimStart(trimEnd(s, set), set);

/** `trim(str)` and `trim(characters, str)`, the form that `trim(BOTH characters FROM str)` becomes. */
const trimming = (
  usage: string,
  summary: string,
  f: (s: string, set: ReadonlySet<string> | undefined) => string,
  charactersFirst: boolean,
  example: readonly [string, string],
): FunctionDefinition =>
  string(
    usage,
    summary,
    signature([STRING, STRING], STRING, { optional: 1 }),
    strict<[string, string | undefined]>(([a, b]) => {
      if (b === undefined) return f(a, undefined);
      return charactersFirst ? f(b, new Set(a)) : f(a, new Set(b));
    }),
    { examples: [example] },
  );

/** Blanks alone separate words. */
const initcap = (s: string): string =>
  s.toLowerCase().replace(/(^| )([^ ])/gu, (_, blank: string, c: string) => blank + c.toUpperCase());

/** concat: arrays give an array, binaries a binary, everything else a string. */
const concatRule: TypeRule = (args, site) => {
  const nullable = args.some((a) => a.nullable);
  if (args.length > 0 && args.some((a) => a.type.kind === "array")) {
    const common = commonType(args.map((a) => a.type));
    if (common?.kind !== "array") throw differentTypes(site, args);
    return { args: args.map((a) => castTo(a, common)), type: common, nullable };
  }
  const type: DataType = args.length > 0 && args.every((a) => a.type.kind === "binary") ? BINARY : STRING;
  const cast = args.map((a, i) => {
    const c = a.type.kind === "binary" ? castTo(a, type) : coerce(a, type);
    if (c === undefined) throw unexpectedInput(site, args, i, `("STRING" or "BINARY" or "ARRAY")`);
    return c;
  });
  return { args: cast, type, nullable };
};

const concat = (args: readonly Value[], type: DataType): Value => {
  if (type.kind === "array") return (args as (readonly Value[])[]).flat(1);
  if (type.kind === "binary") return new Uint8Array(Buffer.concat(args as Uint8Array[]));
  return args.join("");
};

const overlay = (s: string, replacement: string, position: number, length: number): string => {
  const c = [...s];
  const n = length >= 0 ? length : lengthOf(replacement);
  return (
    substring(s, 1, position - 1) + replacement + (position + n <= c.length ? substring(s, position + n) : "")
  );
};

const overlayOf = (v: Value, by: Value, position: number, length: number): Value => {
  if (typeof v === "string") return overlay(v, by as string, position, length);
  const [bytes, r] = [v as Uint8Array, by as Uint8Array];
  const n = length >= 0 ? length : r.length;
  return new Uint8Array([
    ...bytes.slice(0, Math.max(0, position - 1)),
    ...r,
    ...bytes.slice(position - 1 + n),
  ]);
};

const cutting: readonly FunctionDefinition[] = [
  string(
    "substring(str, pos[, len])",
    "The part of a string (or binary) from a position; negative positions count from the end.",
    signature([stringOrBinary, INT, INT], (args) => args[0]!.type, { optional: 1 }),
    plain(substringOf as (v: string, p: number, n?: number) => Value),
    {
      aliases: ["substr", "mid"],
      examples: [
        ["substring('Spark SQL', 5)", "k SQL"],
        ["substring('Spark SQL', -3)", "SQL"],
      ],
    },
  ),
  string(
    "left(str, len)",
    "The first len characters.",
    signature([stringOrBinary, INT], (a) => a[0]!.type),
    strict<[Value, number]>(([s, n]) => substringOf(s, 1, Math.max(n, 0))),
    {
      examples: [["left('Spark SQL', 3)", "Spa"]],
    },
  ),
  string(
    "right(str, len)",
    "The last len characters.",
    signature([STRING, INT], STRING),
    plain((s: string, n: number) => (n <= 0 ? "" : substring(s, -Math.min(n, lengthOf(s)) || 1))),
    { examples: [["right('Spark SQL', 3)", "SQL"]] },
  ),
  trimming(
    "trim(str)",
    "str without the blanks at both ends; `trim(BOTH chars FROM str)` without any of chars.",
    trimBoth,
    true,
    ["trim('    SparkSQL   ')", "SparkSQL"],
  ),
  trimming("ltrim(str)", "str without the blanks at its start.", trimStart, true, [
    "ltrim('    SparkSQL')",
    "SparkSQL",
  ]),
  trimming("rtrim(str)", "str without the blanks at its end.", trimEnd, true, [
    "rtrim('SparkSQL   ')",
    "SparkSQL",
  ]),
  trimming(
    "btrim(str[, chars])",
    "str without the characters of chars (default blanks) at both ends.",
    trimBoth,
    false,
    ["btrim('SSparkSQLS', 'SL')", "parkSQ"],
  ),
  padding("lpad", "left", ["lpad('hi', 5, '??')", "???hi"]),
  padding("rpad", "right", ["rpad('hi', 5, '??')", "hi???"]),
  string(
    "overlay(str, replacement, pos[, len])",
    "str with len characters (default: as many as the replacement has) from pos replaced.",
    signature([stringOrBinary, stringOrBinary, INT, INT], (args) => args[0]!.type, {
      optional: 1,
      check: (args, site) => {
        if (args[0]!.type.kind !== args[1]!.type.kind) throw differentTypes(site, args.slice(0, 2));
      },
    }),
    strict<[Value, Value, number, number | undefined]>(([s, r, position, n]) =>
      overlayOf(s, r, position, n ?? -1),
    ),
    { examples: [["overlay('Spark SQL' PLACING '_' FROM 6)", "Spark_SQL"]] },
  ),
];

const SIZE = oneOf(STRING, BINARY);
const bytesOf = (v: Value): number =>
  typeof v === "string" ? Buffer.byteLength(v) : (v as Uint8Array).length;

const measuring: readonly FunctionDefinition[] = [
  string(
    "length(x)",
    "Characters of a string, bytes of a binary.",
    signature([SIZE], INT),
    plain((v: string | Uint8Array) => (typeof v === "string" ? lengthOf(v) : v.length)),
    {
      aliases: ["len", "char_length", "character_length"],
      examples: [["length('Spark SQL ')", "10"]],
    },
  ),
  string(
    "octet_length(x)",
    "Bytes of a string in UTF-8, or of a binary.",
    signature([SIZE], INT),
    plain(bytesOf),
    { examples: [["octet_length('Spark SQL')", "9"]] },
  ),
  string(
    "bit_length(x)",
    "Bits of a string in UTF-8, or of a binary.",
    signature([SIZE], INT),
    plain((v: Value) => bytesOf(v) * 8),
    { examples: [["bit_length('Spark SQL')", "72"]] },
  ),
  string(
    "ascii(str)",
    "The code point of the first character; 0 for an empty string.",
    signature([STRING], INT),
    plain((s: string) => s.codePointAt(0) ?? 0),
    {
      examples: [["ascii('222')", "50"]],
    },
  ),
  string(
    "char(n)",
    "The character of code n modulo 256; empty below 0.",
    signature([oneOf({ kind: "long" })], STRING),
    plain((n: number | bigint) => (n < 0 ? "" : String.fromCharCode(Number(BigInt(n) & 255n)))),
    { aliases: ["chr"], examples: [["char(65)", "A"]] },
  ),
];

const shaping: readonly FunctionDefinition[] = [
  string(
    "upper(str)",
    "Upper case.",
    signature([STRING], STRING),
    plain((s: string) => s.toUpperCase()),
    { aliases: ["ucase"], examples: [["upper('SparkSql')", "SPARKSQL"]] },
  ),
  string(
    "lower(str)",
    "Lower case.",
    signature([STRING], STRING),
    plain((s: string) => s.toLowerCase()),
    { aliases: ["lcase"], examples: [["lower('SparkSql')", "sparksql"]] },
  ),
  string(
    "initcap(str)",
    "The first letter of each word in upper case, the others in lower case.",
    signature([STRING], STRING),
    plain(initcap),
    {
      examples: [["initcap('sPark sql')", "Spark Sql"]],
    },
  ),
  string(
    "reverse(x)",
    "A string, bytes or an array back to front.",
    signature(
      [oneOf(stringOrBinary, { name: `"ARRAY"`, accepts: (t) => t.kind === "array", whenNull: STRING })],
      (a) => a[0]!.type,
    ),
    strict<[Value]>(([v]) =>
      typeof v === "string" ? [...v].toReversed().join("") : (v as Uint8Array | List).toReversed(),
    ),
    {
      examples: [["reverse('Spark SQL')", "LQS krapS"]],
    },
  ),
  string(
    "repeat(str, n)",
    "str n times.",
    signature([STRING, INT], STRING),
    plain((s: string, n: number) => s.repeat(checkedLength(n, s.length, "repeat"))),
    { examples: [["repeat('123', 2)", "123123"]] },
  ),
  string(
    "space(n)",
    "n blanks.",
    signature([INT], STRING),
    plain((n: number) => " ".repeat(checkedLength(n, 1, "space"))),
    { examples: [["concat(space(2), '1')", "  1"]] },
  ),
  string(
    "concat(a, b, …)",
    "Strings, binaries or arrays one after the other.",
    concatRule,
    strict<Value[]>((args, call) => concat(args, call.type)),
    {
      examples: [["concat('Spark', 'SQL')", "SparkSQL"]],
    },
  ),
  string(
    "concat_ws(separator, a, b, …)",
    "Strings and arrays of strings joined by a separator; nulls are left out.",
    signature([STRING, oneOf(array(STRING), STRING)], STRING, {
      variadic: true,
      nullable: (args) => args[0]!.nullable,
    }),
    custom<Value[]>(([separator, ...rest]) => {
      if (separator === null) return null;
      return rest
        .flat(1)
        .filter((x) => x !== null)
        .join(separator as string);
    }),
    {
      examples: [
        ["concat_ws(' ', 'Spark', 'SQL')", "Spark SQL"],
        ["concat_ws('/', 'foo', null, 'bar')", "foo/bar"],
      ],
    },
  ),
];

export const STRING_FUNCTIONS: readonly FunctionDefinition[] = [...cutting, ...measuring, ...shaping];
