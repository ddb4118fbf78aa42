/**
 * LIKE and RLIKE. A LIKE pattern matches the whole text: % any characters, _ one, the escape character (default \) makes the next literal and
 * may stand only before %, _ or itself. Patterns are compiled once and kept.
 */
import { BOOLEAN, STRING } from "../../core/data-type.ts";
import type { EvaluatedArg, FunctionDefinition } from "../function.ts";
import { signature } from "../rules.ts";
import { executionError } from "../runtime-errors.ts";
import { javaRegex } from "./java-regex.ts";

const CACHE_MAX = 512;
const patterns = new Map<string, RegExp>();

const quote = (c: string): string => c.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");

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
    r = new RegExp(likeSource(pattern, escape).replace(/\\-/g, "-"), ignoreCase ? "sui" : "su");
    if (patterns.size >= CACHE_MAX) patterns.clear();
    patterns.set(key, r);
  }
  return r;
};

const matches = (args: readonly EvaluatedArg[], ignoreCase: boolean): boolean =>
  likePattern(args[1] as string, (args[2] as string | undefined) ?? "\\", ignoreCase).test(args[0] as string);

const like = (name: string, ignoreCase: boolean, example: string): FunctionDefinition => ({
  name,
  category: "string",
  usage: `str ${name} pattern [escape char]`,
  summary: `Whether the text matches the pattern${ignoreCase ? ", without regard to case" : ""}.`,
  examples: [[example, "true"]],
  resolve: signature([STRING, STRING, STRING], BOOLEAN, { optional: 1 }),
  nulls: "strict",
  evaluate: (args) => matches(args, ignoreCase),
});

export const PATTERN_FUNCTIONS: readonly FunctionDefinition[] = [
  like("like", false, "'abc' like 'a%'"),
  like("ilike", true, "'abc' ilike 'A_C'"),
  {
    name: "rlike",
    aliases: ["regexp", "regexp_like"],
    category: "string",
    usage: "str rlike regexp",
    summary: "Whether the Java regular expression is found in the text.",
    examples: [["'abc' rlike 'b'", "true"]],
    resolve: signature([STRING, STRING], BOOLEAN),
    nulls: "strict",
    evaluate: ([text, pattern]) => {
      const r = javaRegex(pattern as string, "rlike");
      r.lastIndex = 0;
      return r.test(text as string);
    },
  },
];
