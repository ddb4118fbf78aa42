/** Regular expressions in Java's language: split, regexp_replace, regexp_extract and their kin. */
import { array, INT, STRING } from "../../core/data-type.ts";
import type { FunctionDefinition } from "../function.ts";
import { signature } from "../rules.ts";
import { failure, family, plain, strict } from "./definition.ts";
import { javaRegex } from "./java-regex.ts";
import { lengthOf, substring } from "./string.ts";

const string = family("string");

/** Java's String.split: at most `limit` parts when positive; a match of nothing at the start makes no part. */
export const splitBy = (s: string, re: RegExp, limit: number): string[] => {
  const out: string[] = [];
  let from = 0;
  for (const m of s.matchAll(re)) {
    if (limit > 0 && out.length === limit - 1) break;
    const end = m.index + m[0].length;
    if (end === 0) continue;
    out.push(s.slice(from, m.index));
    from = end;
  }
  out.push(s.slice(from));
  return out;
};

const split = (s: string, pattern: string, limit: number): string[] => {
  if (s === "") return [""];
  if (pattern === "") {
    const chars = [...s];
    return limit > 0 && limit < chars.length
      ? [...chars.slice(0, limit - 1), chars.slice(limit - 1).join("")]
      : chars;
  }
  return splitBy(s, javaRegex(pattern, "split"), limit);
};

const invalidReplacement = (replacement: string): Error =>
  failure(
    "INVALID_REGEXP_REPLACE",
    `Could not perform regexp_replace: the replacement '${replacement}' names a group that the pattern has not, or ends in the middle.`,
  );

/** Java's replacement text: `$1`, `${name}`, `\$`. */
const expand = (replacement: string, m: RegExpExecArray): string => {
  let out = "";
  for (let i = 0; i < replacement.length; i++) {
    const c = replacement[i]!;
    if (c === "\\") {
      if (i + 1 === replacement.length) throw invalidReplacement(replacement);
      out += replacement[++i]!;
    } else if (c !== "$") out += c;
    else if (replacement[i + 1] === "{") {
      const end = replacement.indexOf("}", i);
      out += m.groups?.[replacement.slice(i + 2, end)] ?? "";
      i = end;
    } else {
      let digits = /^\d+/.exec(replacement.slice(i + 1))?.[0] ?? "";
      while (digits.length > 1 && Number(digits) >= m.length) digits = digits.slice(0, -1);
      if (digits === "" || Number(digits) >= m.length) throw invalidReplacement(replacement);
      out += m[Number(digits)] ?? "";
      i += digits.length;
    }
  }
  return out;
};

const replace = (s: string, pattern: string, replacement: string, position: number): string => {
  const head = position > 1 ? substring(s, 1, position - 1) : "";
  if (position > 1 && position > lengthOf(s)) return s;
  const rest = s.slice(head.length);
  let out = head;
  let from = 0;
  for (const m of rest.matchAll(javaRegex(pattern, "regexp_replace"))) {
    out += rest.slice(from, m.index) + expand(replacement, m);
    from = m.index + m[0].length;
  }
  return out + rest.slice(from);
};

const checkGroup = (match: RegExpMatchArray, group: number, fn: string): void => {
  const count = match.length - 1;
  if (group < 0 || group > count)
    throw failure(
      "INVALID_PARAMETER_VALUE.REGEX_GROUP_INDEX",
      `The value of parameter(s) \`idx\` in \`${fn}\` is invalid: Expects group index between 0 and ${count}, but got ${group}.`,
    );
};

const extract = (s: string, pattern: string, group = 1): string => {
  const m = javaRegex(pattern, "regexp_extract").exec(s);
  if (m === null) return "";
  checkGroup(m, group, "regexp_extract");
  return m[group] ?? "";
};

const extractAll = (s: string, pattern: string, group = 1): string[] => {
  const re = javaRegex(pattern, "regexp_extract_all");
  re.lastIndex = 0;
  const matches = [...s.matchAll(re)];
  if (matches.length > 0) checkGroup(matches[0]!, group, "regexp_extract_all");
  return matches.map((m) => m[group] ?? "");
};

const instr = (s: string, pattern: string): number => {
  const m = javaRegex(pattern, "regexp_instr").exec(s);
  return m === null ? 0 : lengthOf(s.slice(0, m.index)) + 1;
};

export const REGEXP_FUNCTIONS: readonly FunctionDefinition[] = [
  string(
    "split(str, regexp[, limit])",
    "str between the matches of a regular expression, in at most limit parts when positive.",
    signature([STRING, STRING, INT], array(STRING, false), { optional: 1 }),
    strict<[string, string, number | undefined]>(([s, p, n]) => split(s, p, n ?? -1)),
    {
      examples: [["split('oneAtwoBthreeC', '[ABC]')", "[one, two, three, ]"]],
    },
  ),
  string(
    "regexp_replace(str, regexp, replacement[, position])",
    "str with the matches replaced; $1 in the replacement is the first group.",
    signature([STRING, STRING, STRING, INT], STRING, { optional: 1 }),
    strict<[string, string, string, number | undefined]>(([s, p, r, at]) => {
      if (at !== undefined && at < 1)
        throw failure(
          "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE",
          `The \`position\` must be between (0, 2147483647] (current value = ${at}).`,
        );
      return replace(s, p, r, at ?? 1);
    }),
    { examples: [[String.raw`regexp_replace('100-200', '(\\d+)', 'num')`, "num-num"]] },
  ),
  string(
    "regexp_extract(str, regexp[, group])",
    "A group (default 1) of the first match; empty without a match.",
    signature([STRING, STRING, INT], STRING, { optional: 1 }),
    plain(extract),
    {
      examples: [[String.raw`regexp_extract('100-200', '(\\d+)-(\\d+)', 1)`, "100"]],
    },
  ),
  string(
    "regexp_extract_all(str, regexp[, group])",
    "A group (default 1) of all matches.",
    signature([STRING, STRING, INT], array(STRING, true), { optional: 1 }),
    plain(extractAll as (s: string, p: string, g?: number) => string[]),
    {
      examples: [[String.raw`regexp_extract_all('100-200, 300-400', '(\\d+)-(\\d+)', 1)`, "[100, 300]"]],
    },
  ),
  string(
    "regexp_count(str, regexp)",
    "The number of matches.",
    signature([STRING, STRING], INT),
    plain((s: string, p: string) => [...s.matchAll(javaRegex(p, "regexp_count"))].length),
    {
      examples: [["regexp_count('Steven Jones and Stephen Smith are the best players', 'Ste(v|ph)en')", "2"]],
    },
  ),
  string(
    "regexp_substr(str, regexp)",
    "The first match; null without one.",
    signature([STRING, STRING], STRING, { nullable: true }),
    strict<[string, string]>(([s, p]) => javaRegex(p, "regexp_substr").exec(s)?.[0] || null),
    {
      examples: [
        ["regexp_substr('Steven Jones and Stephen Smith are the best players', 'Ste(v|ph)en')", "Steven"],
      ],
    },
  ),
  string(
    "regexp_instr(str, regexp[, group])",
    "The position of the first match, from 1; 0 without one.",
    signature([STRING, STRING, INT], INT, { optional: 1 }),
    plain(instr as (s: string, p: string) => number),
    {
      examples: [["regexp_instr('user@spark.apache.org', '@[^.]*')", "5"]],
    },
  ),
];
