/**
 * JSON text without loss: `parseJson` keeps integers outside ±2^53 as bigints and objects as Maps (any key is safe). Paths are Spark's
 * (`$.a.b[0]['c'][*]`).
 */
import type { Value } from "../core/value.ts";

export type Json = null | boolean | number | bigint | string | Json[] | JsonObject;
export type JsonObject = Map<string, Json>;

export class JsonSyntaxError extends Error {}

interface Reader {
  readonly text: string;
  at: number;
  depth: number;
  readonly distinctKeys?: boolean;
}

const DEPTH_MAX = 1000;
const BLANK = /[ \t\r\n]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
const PLAIN = /[^"\\\u0000-\u001f]*/y;

const skip = (r: Reader): void => {
  BLANK.lastIndex = r.at;
  BLANK.exec(r.text);
  r.at = BLANK.lastIndex;
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

const readString = (r: Reader): string => {
  let out = "";
  r.at++;
  for (;;) {
    PLAIN.lastIndex = r.at;
    out += PLAIN.exec(r.text)![0];
    r.at = PLAIN.lastIndex;
    const c = r.text[r.at];
    if (c === '"') {
      r.at++;
      return out;
    }
    if (c !== "\\") return fail(r);
    const e = r.text[r.at + 1] ?? "";
    if (e === "u") {
      const hex = r.text.slice(r.at + 2, r.at + 6);
      if (!/^[0-9a-fA-F]{4}$/.test(hex)) return fail(r);
      out += String.fromCharCode(Number.parseInt(hex, 16));
      r.at += 6;
    } else {
      const known = Object.hasOwn(ESCAPES, e) ? ESCAPES[e]! : undefined;
      if (known === undefined) return fail(r);
      out += known;
      r.at += 2;
    }
  }
};

const readNumber = (r: Reader): number | bigint => {
  NUMBER.lastIndex = r.at;
  const m = NUMBER.exec(r.text);
  if (m === null) return fail(r);
  r.at = NUMBER.lastIndex;
  const x = Number(m[0]);
  return m[1] === undefined && m[2] === undefined && !Number.isSafeInteger(x) ? BigInt(m[0]) : x;
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

const readObject = (r: Reader): JsonObject => {
  const out: JsonObject = new Map();
  r.at++;
  skip(r);
  if (r.text[r.at] === "}") {
    r.at++;
    return out;
  }
  for (;;) {
    skip(r);
    if (r.text[r.at] !== '"') return fail(r);
    const key = readString(r);
    skip(r);
    if (r.text[r.at++] !== ":") return fail(r);
    if (r.distinctKeys === true && out.has(key)) return fail(r);
    out.set(key, readValue(r));
    skip(r);
    const c = r.text[r.at++];
    if (c === "}") return out;
    if (c !== ",") return fail(r);
  }
};

const readWord = (r: Reader, word: string, value: Json): Json => {
  if (!r.text.startsWith(word, r.at)) return fail(r);
  r.at += word.length;
  return value;
};

const readValue = (r: Reader): Json => {
  skip(r);
  if (++r.depth > DEPTH_MAX) throw new JsonSyntaxError(`nested deeper than ${DEPTH_MAX}`);
  const c = r.text[r.at];
  const value =
    c === "{"
      ? readObject(r)
      : c === "["
        ? readArray(r)
        : c === '"'
          ? readString(r)
          : c === "t"
            ? readWord(r, "true", true)
            : c === "f"
              ? readWord(r, "false", false)
              : c === "n"
                ? readWord(r, "null", null)
                : readNumber(r);
  r.depth--;
  return value;
};

/** The JSON of a text. @throws JsonSyntaxError */
export const parseJson = (text: string): Json => {
  const r: Reader = { text, at: 0, depth: 0 };
  const value = readValue(r);
  skip(r);
  if (r.at !== text.length) fail(r);
  return value;
};

/** The JSON value that a text begins with, what follows is not read; undefined where it is none or an object has a key twice. */
export const tryParseFirst = (text: string): Json | undefined => {
  try {
    const r: Reader = { text, at: 0, depth: 0, distinctKeys: true };
    const value = readValue(r);
    return typeof value !== "object" && !/^(?:$|\s)/.test(text.slice(r.at, r.at + 1)) ? fail(r) : value;
  } catch (e) {
    if (e instanceof JsonSyntaxError) return undefined;
    throw e;
  }
};

/** `parseJson`, undefined where it throws. */
export const tryParseJson = (text: string): Json | undefined => {
  try {
    return parseJson(text);
  } catch (e) {
    if (e instanceof JsonSyntaxError) return undefined;
    throw e;
  }
};

/** Compact JSON text, keys in their order. */
export const writeJson = (v: Json): string => {
  if (Array.isArray(v)) return `[${v.map(writeJson).join(",")}]`;
  if (v instanceof Map)
    return `{${[...v].map(([k, x]) => `${JSON.stringify(k)}:${writeJson(x)}`).join(",")}}`;
  return typeof v === "bigint" ? String(v) : JSON.stringify(v);
};

export type PathStep =
  | { readonly kind: "key"; readonly name: string }
  | { readonly kind: "index"; readonly index: number }
  | { readonly kind: "all" };

const STEP = /\.(\*|[^.[\]]+)|\[(?:(\d+)|(\*)|'([^']*)'|"([^"]*)")\]/y;

/** The steps of a path that begins with `$`; undefined when it is none. */
export const parsePath = (path: string): readonly PathStep[] | undefined => {
  if (!path.startsWith("$")) return undefined;
  const steps: PathStep[] = [];
  let at = 1;
  while (at < path.length) {
    STEP.lastIndex = at;
    const m = STEP.exec(path);
    if (m === null) return undefined;
    at = STEP.lastIndex;
    const name = m[1] ?? m[4] ?? m[5];
    if (m[1] === "*" || m[3] !== undefined) steps.push({ kind: "all" });
    else if (name !== undefined) steps.push({ kind: "key", name });
    else steps.push({ kind: "index", index: Number(m[2]) });
  }
  return steps;
};

/** All values at a path; more than one only behind `[*]`. A key goes through the objects of an array. */
export const valuesAt = (v: Json, steps: readonly PathStep[], from = 0): Json[] => {
  const step = steps[from];
  if (step === undefined) return [v];
  if (step.kind === "key") {
    if (v instanceof Map) return v.has(step.name) ? valuesAt(v.get(step.name)!, steps, from + 1) : [];
    return Array.isArray(v) && from > 0 && steps[from - 1]!.kind === "all"
      ? v.flatMap((x) => valuesAt(x, steps, from))
      : [];
  }
  if (!Array.isArray(v)) return [];
  if (step.kind === "index") return step.index < v.length ? valuesAt(v[step.index]!, steps, from + 1) : [];
  return v.flatMap((x) => valuesAt(x, steps, from + 1));
};

/** A JSON value as json_tuple and get_json_object show it: strings bare, null as null, the rest as JSON. */
export const jsonText = (v: Json): string | null =>
  v === null ? null : typeof v === "string" ? v : writeJson(v);

/** json_tuple: the top-level values of keys. */
export const jsonFields = (json: string | null, keys: readonly (string | null)[]): Value[] => {
  const parsed = json === null ? undefined : tryParseJson(json);
  return keys.map((k) =>
    k !== null && parsed instanceof Map && parsed.has(k) ? jsonText(parsed.get(k)!) : null,
  );
};
