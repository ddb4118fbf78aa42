/**
 * LIKE and RLIKE. A LIKE pattern matches the whole text: % any characters, _ one, the escape character (default \) makes the next literal and
 * may stand only before %, _ or itself. Patterns are compiled once and kept.
 */
import { BOOLEAN, STRING } from "../../core/data-type.ts";
import type { Emit, FunctionDefinition } from "../function.ts";
import { signature } from "../rules.ts";
import { executionError } from "../runtime-errors.ts";
import { analysisError } from "../type-errors.ts";
import { javaRegex } from "./java-regex.ts";

const CACHE_MAX = 512;
const patterns = new Map<string, RegExp>();

const quote = (c: string): string => c.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");

const escapeError = (pattern: string, why: "ESC_AT_THE_END" | "ESC_IN_THE_MIDDLE"): Error =>
  executionError(
    `INVALID_FORMAT.${why}`,
    `The format is invalid: '${pattern}'. The escape character is not allowed to ${why === "ESC_AT_THE_END" ? "end with" : "precede other than %, _ and itself"}.`,
  );

const likeSource = (pattern: string, escape: string): string => {
  const chars = [...pattern];
  let out = "";
  for (let i = 0; i < chars.length; i++) {
    const c = chars[i]!;
    if (c === escape) {
      const next = chars[++i];
      if (next === undefined) throw escapeError(pattern, "ESC_AT_THE_END");
      if (next !== "%" && next !== "_" && next !== escape) throw escapeError(pattern, "ESC_IN_THE_MIDDLE");
      out += quote(next);
    } else if (c === "%") out += ".*";
    else out += c === "_" ? "." : quote(c);
  }
  return `^${out}$`;
};

/** The regular expression of a LIKE pattern. Throws INVALID_FORMAT for a stray escape. */
export const likePattern = (pattern: string, escape: string, ignoreCase: boolean): RegExp => {
  const key = `${ignoreCase ? "i" : "c"}${escape}\u0000${pattern}`;
  let r = patterns.get(key);
  if (r === undefined) {
    r = new RegExp(likeSource(pattern, escape), ignoreCase ? "sui" : "su");
    if (patterns.size >= CACHE_MAX) patterns.clear();
    patterns.set(key, r);
  }
  return r;
};

type Test = (text: string, pattern: string, escape?: string) => boolean;

/** A test that remembers its last pattern: in a query it is nearly always the same. */
const likeTest = (ignoreCase: boolean): Test => {
  let last = { pattern: "", escape: "", regexp: /^$/ };
  return (text, pattern, escape = "\\") => {
    if (pattern !== last.pattern || escape !== last.escape)
      last = { pattern, escape, regexp: likePattern(pattern, escape, ignoreCase) };
    return last.regexp.test(text);
  };
};

const rlikeTest: Test = (text, pattern) => javaRegex(pattern, "rlike").test(text);

const called =
  (test: Test): Emit =>
  (args, _call, bind) =>
    `${bind(test)}(${args.join(", ")})`;

const like = (name: string, test: Test, ignoreCase: boolean, example: string): FunctionDefinition => ({
  name,
  category: "string",
  usage: `str ${name} pattern [escape char]`,
  summary: `Whether the text matches the pattern${ignoreCase ? ", without regard to case" : ""}.`,
  examples: [[example, "true"]],
  resolve: (args, site) => {
    const escape = args[2];
    const one = escape?.kind === "literal" && typeof escape.value === "string" && escape.value.length === 1;
    if (escape !== undefined && !one)
      throw analysisError(
        "INVALID_ESCAPE_CHAR",
        "`EscapeChar` should be a string literal of length one.",
        escape.position ?? site.position,
      );
    return signature([STRING, STRING, STRING], BOOLEAN, { optional: 1 })(args, site);
  },
  nulls: "strict",
  evaluate: (args) => test(...(args as [string, string, string?])),
  emit: called(test),
});

export const PATTERN_FUNCTIONS: readonly FunctionDefinition[] = [
  like("like", likeTest(false), false, "'abc' like 'a%'"),
  like("ilike", likeTest(true), true, "'abc' ilike 'A_C'"),
  {
    name: "rlike",
    aliases: ["regexp", "regexp_like"],
    category: "string",
    usage: "str rlike regexp",
    summary: "Whether the Java regular expression is found in the text.",
    examples: [["'abc' rlike 'b'", "true"]],
    resolve: signature([STRING, STRING], BOOLEAN),
    nulls: "strict",
    evaluate: ([text, pattern]) => rlikeTest(text as string, pattern as string),
    emit: called(rlikeTest),
  },
];
