/**
 * JSON text without loss, and back. J1: integers outside of ±2^53 are bigints, numbers with a fraction or an exponent keep their text, objects are Maps (any key is
 * safe). J2: of a key that comes twice the last value counts, unless the caller wants the first or none. J3: what the format itself does not allow is read by option only.
 */
import { doubleText } from "./number-text.ts";

export type Json = null | boolean | number | bigint | string | JsonFraction | Json[] | JsonObject;
export type JsonObject = Map<string, Json>;

/** A number with a fraction or an exponent, or one of the texts NaN, Infinity, -Infinity. */
export class JsonFraction {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
  get value(): number {
    return Number(this.text);
  }
}

export class JsonSyntaxError extends Error {}

/** What a reader allows beyond the format. */
export interface JsonReading {
  readonly duplicateKeys?: "last" | "first" | "refused";
  readonly singleQuotes?: boolean;
  readonly unquotedNames?: boolean;
  readonly leadingZeros?: boolean;
  readonly anyEscape?: boolean;
  readonly comments?: boolean;
  readonly controlChars?: boolean;
  readonly nonNumbers?: boolean;
  /** Text behind the value is not read. */
  readonly firstOnly?: boolean;
}

interface Reader {
  readonly text: string;
  at: number;
  depth: number;
  readonly how: JsonReading;
}

const DEPTH_MAX = 1000;
const BLANK = /[ \t\r\n]*/y;
const COMMENTED_BLANK = /(?:[ \t\r\n]+|\/\/[^\n]*|\/\*[^]*?\*\/)*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
const NUMBER_OF_ZEROS = /-?0*(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
const NON_NUMBER = /NaN|[+-]?(?:Infinity|INF)/y;
const PLAIN = /[^"'\\\u0000-\u001f]*/y;
const NAME = /[\p{L}_$][\p{L}\p{N}_$]*/uy;
const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

const skip = (r: Reader): void => {
  const blank = r.how.comments === true ? COMMENTED_BLANK : BLANK;
  blank.lastIndex = r.at;
  blank.exec(r.text);
  r.at = blank.lastIndex;
};
const fail = (r: Reader): never => {
  throw new JsonSyntaxError(`unexpected text at ${r.at}`);
};

const ESCAPES: Readonly<Record<string, string>> = {
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  '"': '"',
  "\\": "\\",
  "/": "/",
};

/** The characters of an escape that begins at the reader. */
const readEscape = (r: Reader): string => {
  const e = r.text[r.at + 1] ?? "";
  if (e === "u") {
    const hex = r.text.slice(r.at + 2, r.at + 6);
    if (!/^[0-9a-fA-F]{4}$/.test(hex)) return fail(r);
    r.at += 6;
    return String.fromCharCode(Number.parseInt(hex, 16));
  }
  const known = Object.hasOwn(ESCAPES, e) ? ESCAPES[e]! : r.how.anyEscape === true ? e : "";
  if (known === "") return fail(r);
  r.at += 2;
  return known;
};

/** A text cannot hold half a character: `?` stands for it. */
const readString = (r: Reader): string => {
  const quote = r.text[r.at++]!;
  let out = "";
  let escaped = false;
  for (;;) {
    PLAIN.lastIndex = r.at;
    out += PLAIN.exec(r.text)![0];
    r.at = PLAIN.lastIndex;
    const c = r.text[r.at];
    if (c === quote) {
      r.at++;
      return escaped ? out.replace(LONE_SURROGATE, "?") : out;
    }
    if (c === "\\") {
      out += readEscape(r);
      escaped = true;
    } else if (c !== undefined && (c === '"' || c === "'" || r.how.controlChars === true)) {
      out += c;
      r.at++;
    } else return fail(r);
  }
};

const readNumber = (r: Reader): Json => {
  if (r.how.nonNumbers === true) {
    NON_NUMBER.lastIndex = r.at;
    const word = NON_NUMBER.exec(r.text)?.[0];
    if (word !== undefined) {
      r.at += word.length;
      return new JsonFraction(word.replace("INF", "Infinity").replace("+", ""));
    }
  }
  const number = r.how.leadingZeros === true ? NUMBER_OF_ZEROS : NUMBER;
  number.lastIndex = r.at;
  const m = number.exec(r.text);
  if (m === null) return fail(r);
  r.at = number.lastIndex;
  // A number ends where it cannot go on: 01 and 1x are none.
  if (/[\w.+-]/.test(r.text[r.at] ?? "")) return fail(r);
  if (m[1] !== undefined || m[2] !== undefined) return new JsonFraction(m[0]);
  const x = Number(m[0]);
  return Number.isSafeInteger(x) ? x + 0 : BigInt(m[0]);
};

const readArray = (r: Reader): Json[] => {
  const out: Json[] = [];
  r.at++;
  skip(r);
  if (r.text[r.at] === "]") {
    r.at++;
    return out;
  }
  for (;;) {
    out.push(readValue(r));
    skip(r);
    const c = r.text[r.at++];
    if (c === "]") return out;
    if (c !== ",") return fail(r);
  }
};

const isQuote = (r: Reader): boolean =>
  r.text[r.at] === '"' || (r.text[r.at] === "'" && r.how.singleQuotes === true);

const readKey = (r: Reader): string => {
  if (isQuote(r)) return readString(r);
  if (r.how.unquotedNames !== true) return fail(r);
  NAME.lastIndex = r.at;
  const name = NAME.exec(r.text)?.[0] ?? fail(r);
  r.at += name.length;
  return name;
};

const readObject = (r: Reader): JsonObject => {
  const out: JsonObject = new Map();
  const duplicates = r.how.duplicateKeys ?? "last";
  r.at++;
  skip(r);
  if (r.text[r.at] === "}") {
    r.at++;
    return out;
  }
  for (;;) {
    skip(r);
    const key = readKey(r);
    skip(r);
    if (r.text[r.at++] !== ":") return fail(r);
    const again = duplicates !== "last" && out.has(key);
    if (again && duplicates === "refused") return fail(r);
    const value = readValue(r);
    if (!again) out.set(key, value);
    skip(r);
    const c = r.text[r.at++];
    if (c === "}") return out;
    if (c !== ",") return fail(r);
  }
};

const WORDS = new Map<string, Json>([
  ["true", true],
  ["false", false],
  ["null", null],
]);
const WORD = /true|false|null/y;

const readScalar = (r: Reader): Json => {
  WORD.lastIndex = r.at;
  const word = WORD.exec(r.text)?.[0];
  if (word === undefined) return readNumber(r);
  r.at += word.length;
  if (/\w/.test(r.text[r.at] ?? "")) return fail(r);
  return WORDS.get(word)!;
};

const readValue = (r: Reader): Json => {
  skip(r);
  if (++r.depth > DEPTH_MAX) throw new JsonSyntaxError(`nested deeper than ${DEPTH_MAX}`);
  const c = r.text[r.at];
  const value =
    c === "{" ? readObject(r) : c === "[" ? readArray(r) : isQuote(r) ? readString(r) : readScalar(r);
  r.depth--;
  return value;
};

const readJson = (text: string, how: JsonReading): Json => {
  const r: Reader = { text, at: 0, depth: 0, how };
  const value = readValue(r);
  if (how.firstOnly === true) {
    const scalar = typeof value !== "object" || value === null || value instanceof JsonFraction;
    return scalar && !/^(?:$|\s)/.test(text.slice(r.at, r.at + 1)) ? fail(r) : value;
  }
  skip(r);
  return r.at === text.length ? value : fail(r);
};

/** The JSON of a text; undefined where it is none. */
export const tryReadJson = (text: string, how: JsonReading = {}): Json | undefined => {
  try {
    return readJson(text, how);
  } catch (e) {
    if (e instanceof JsonSyntaxError) return undefined;
    throw e;
  }
};

/** A text in quotes; control characters as Jackson writes them. */
export const quoteJson = (s: string): string => {
  const quoted = JSON.stringify(s);
  return quoted.includes("\\u")
    ? quoted.replace(/\\(?:u([0-9a-f]{4})|.)/g, (whole, hex?: string) =>
        hex === undefined ? whole : `\\u${hex.toUpperCase()}`,
      )
    : quoted;
};

/** A scalar as JSON; fractions as Java prints doubles. */
const writeScalar = (v: null | boolean | number | bigint | string | JsonFraction): string => {
  if (typeof v === "string") return quoteJson(v);
  if (!(v instanceof JsonFraction)) return String(v);
  return Number.isFinite(v.value) ? doubleText(v.value) : quoteJson(v.text);
};

/** Compact JSON text, keys in their order. */
export const writeJson = (v: Json): string => {
  if (Array.isArray(v)) return `[${v.map(writeJson).join(",")}]`;
  if (v instanceof Map) return `{${[...v].map(([k, x]) => `${quoteJson(k)}:${writeJson(x)}`).join(",")}}`;
  return typeof v === "number" && !Number.isInteger(v) ? JSON.stringify(v) : writeScalar(v);
};

/** JSON text over several lines, as Jackson lays it out: fields below one another, elements beside. */
export const writePrettyJson = (v: Json, indent = ""): string => {
  if (Array.isArray(v))
    return v.length === 0 ? "[ ]" : `[ ${v.map((x) => writePrettyJson(x, indent)).join(", ")} ]`;
  if (!(v instanceof Map)) return writeJson(v);
  if (v.size === 0) return "{ }";
  const deeper = `${indent}  `;
  const fields = [...v].map(([k, x]) => `${deeper}${quoteJson(k)} : ${writePrettyJson(x, deeper)}`);
  return `{\n${fields.join(",\n")}\n${indent}}`;
};
