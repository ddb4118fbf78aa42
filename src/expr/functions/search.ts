/** Finding, replacing, splitting and comparing inside strings; without regular expressions (regexp.ts). */
import { array, BINARY, BOOLEAN, DOUBLE, INT, STRING } from "../../core/data-type.ts";
import type { Value } from "../../core/value.ts";
import { castTo } from "../coercion.ts";
import type { FunctionDefinition } from "../function.ts";
import { signature, type SignatureOptions, stringOrBinary } from "../rules.ts";
import { textOnly } from "./record-rules.ts";
import { mismatch, unexpectedInput, wrongNumberOfArguments } from "../type-errors.ts";
import { constantOf, custom, failure, family, plain, strict } from "./definition.ts";
import { lengthOf, substring } from "./string.ts";

const string = family("string");

/** Position (from 1, code points) of `part` in `s` at or after `from`; 0 when absent. */
const locate = (part: string, s: string, from: number): number => {
  if (from < 1) return 0;
  if (part === "") return 1;
  const start = from === 1 ? 0 : substring(s, 1, from - 1).length;
  if (from > lengthOf(s)) return 0;
  const i = s.indexOf(part, start);
  return i < 0 ? 0 : lengthOf(s.slice(0, i)) + 1;
};

const translate = (s: string, from: string, to: string): string => {
  const [f, t] = [[...from], [...to]];
  const table = new Map<string, string>();
  f.forEach((c, i) => {
    if (!table.has(c)) table.set(c, t[i] ?? "");
  });
  let out = "";
  for (const c of s) out += table.get(c) ?? c;
  return out;
};

const substringIndex = (s: string, delimiter: string, count: number): string => {
  if (count === 0 || delimiter === "") return "";
  if (count > 0) {
    let at = -1;
    for (let n = 0; n < count; n++) {
      at = s.indexOf(delimiter, at + 1);
      if (at < 0) return s;
    }
    return s.slice(0, at);
  }
  let at = s.length - delimiter.length + 1;
  for (let n = 0; n < -count; n++) {
    if (at - 1 < 0) return s;
    at = s.lastIndexOf(delimiter, at - 1);
    if (at < 0) return s;
  }
  return s.slice(at + delimiter.length);
};

const splitPart = (s: string, delimiter: string, n: number): string => {
  if (n === 0)
    throw failure(
      "INVALID_INDEX_OF_ZERO",
      "The index 0 is invalid. An index shall be either < 0 or > 0 (the first element has index 1).",
    );
  if (delimiter === "") return n === 1 || n === -1 ? s : "";
  if (n < 0) return s.split(delimiter).at(n) ?? "";
  // No part before the n-th is made.
  let from = 0;
  for (let k = 1; k < n; k++) {
    const at = s.indexOf(delimiter, from);
    if (at < 0) return "";
    from = at + delimiter.length;
  }
  const to = s.indexOf(delimiter, from);
  return to < 0 ? s.slice(from) : s.slice(from, to);
};

/** A text in which `$` means something is put in by a function. */
const replaceAll = (s: string, search: string, by = ""): string =>
  search === "" ? s : by.includes("$") ? s.replaceAll(search, () => by) : s.replaceAll(search, by);

/** The position of the n-th part in code points, forward from `start` or, when it is negative, backward; overlapping parts count each. */
const occurrenceAt = (s: string, part: string, start: number, n: number): number => {
  if (n <= 0)
    throw failure(
      "INVALID_PARAMETER_VALUE.OCCURRENCE",
      `The value of parameter(s) \`occurrence\` in \`instr\` is invalid: expects a positive number, but got ${n}.`,
    );
  if (part === "") return 1;
  const [text, wanted] = [[...s], [...part]];
  const step = Math.sign(start);
  let left = n;
  for (let at = start > 0 ? start - 1 : text.length + start; at >= 0 && at < text.length; at += step) {
    if (step === 0) return 0;
    if (wanted.every((c, i) => text[at + i] === c) && --left === 0) return at + 1;
  }
  return 0;
};

/** The Jaro–Winkler similarity of UTF-16 units: a common prefix of up to four counts a tenth each. */
const jaroWinkler = (a: string, b: string): number => {
  if (a === b) return 1;
  const reach = Math.max(0, Math.floor(Math.max(a.length, b.length) / 2) - 1);
  const taken = new Set<number>();
  const common: string[] = [];
  for (let i = 0; i < a.length; i++)
    for (let j = Math.max(0, i - reach); j <= Math.min(b.length - 1, i + reach); j++)
      if (!taken.has(j) && a[i] === b[j]) {
        taken.add(j);
        common.push(a[i]!);
        break;
      }
  const m = common.length;
  if (m === 0) return 0;
  const swapped = [...taken].toSorted((x, y) => x - y).filter((j, k) => b[j] !== common[k]).length / 2;
  const jaro = (m / a.length + m / b.length + (m - swapped) / m) / 3;
  let prefix = 0;
  while (prefix < Math.min(4, a.length, b.length) && a[prefix] === b[prefix]) prefix++;
  return jaro + prefix * 0.1 * (1 - jaro);
};

const levenshtein = (a: string, b: string): number => {
  const [x, y] = [[...a], [...b]];
  let row = Array.from({ length: y.length + 1 }, (_, j) => j);
  for (let i = 1; i <= x.length; i++) {
    const next = [i];
    for (let j = 1; j <= y.length; j++)
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (x[i - 1] === y[j - 1] ? 0 : 1));
    row = next;
  }
  return row[y.length]!;
};

/** Codes of A … Z; 7 is a letter that is passed over. */
const SOUNDEX = "01230127022455012623017202";

const soundex = (s: string): string => {
  const letters = s.replace(/[a-z]/g, (c) => c.toUpperCase());
  if (!/^[A-Z]/.test(letters)) return s;
  let out = letters[0]!;
  let last = SOUNDEX[letters.charCodeAt(0) - 65]!;
  for (let i = 1; i < letters.length && out.length < 4; i++) {
    const index = letters.charCodeAt(i) - 65;
    if (index < 0 || index > 25) {
      last = "0";
      continue;
    }
    const code = SOUNDEX[index]!;
    if (code === "7") continue;
    if (code !== "0" && code !== last) out += code;
    last = code;
  }
  return out.padEnd(4, "0");
};

const luhn = (s: string): boolean => {
  if (!/^[0-9]+$/.test(s)) return false;
  let sum = 0;
  for (let i = s.length - 1, twice = false; i >= 0; i--, twice = !twice) {
    const d = Number(s[i]) * (twice ? 2 : 1);
    sum += d > 9 ? d - 9 : d;
  }
  return sum % 10 === 0;
};

const mask = (
  s: string,
  upper: string | null,
  lower: string | null,
  digit: string | null,
  other: string | null,
): string => {
  let out = "";
  for (const c of s) {
    const by = /\p{Lu}/u.test(c) ? upper : /\p{Ll}/u.test(c) ? lower : /\p{Nd}/u.test(c) ? digit : other;
    out += by ?? c;
  }
  return out;
};

/** startswith, endswith, contains: of two strings, or of two binaries. */
const test = (
  usage: string,
  summary: string,
  ofText: (s: string, part: string) => boolean,
  ofBytes: (s: Buffer, part: Buffer) => boolean,
  example: readonly [string, string],
): FunctionDefinition =>
  string(
    usage,
    summary,
    signature([stringOrBinary, stringOrBinary], BOOLEAN),
    strict<[Value, Value]>(([s, part]) =>
      typeof s === "string" && typeof part === "string"
        ? ofText(s, part)
        : ofBytes(Buffer.from(s as Uint8Array), Buffer.from(part as Uint8Array)),
    ),
    {
      examples: [example],
      emit: (args, call, bind) =>
        call.argTypes.every((t) => t.kind === "string")
          ? `${bind(ofText)}(${args[0]}, ${args[1]})`
          : undefined,
    },
  );

const finding: readonly FunctionDefinition[] = [
  test(
    "contains(str, part)",
    "Whether part is in str.",
    (s, p) => s.includes(p),
    (s, p) => s.includes(p),
    ["contains('Spark SQL', 'Spark')", "true"],
  ),
  test(
    "startswith(str, part)",
    "Whether str begins with part.",
    (s, p) => s.startsWith(p),
    (s, p) => s.subarray(0, p.length).equals(p),
    ["startswith('Spark SQL', 'Spark')", "true"],
  ),
  test(
    "endswith(str, part)",
    "Whether str ends with part.",
    (s, p) => s.endsWith(p),
    (s, p) => p.length === 0 || s.subarray(-p.length).equals(p),
    ["endswith('Spark SQL', 'SQL')", "true"],
  ),
  string(
    "instr(str, part[, start[, occurrence]])",
    "Position of a part in str, from 1; 0 when absent. A negative start searches backward.",
    signature([STRING, STRING, INT, INT], INT, { optional: 2 }),
    plain((s: string, p: string, start?: number, occurrence?: number) =>
      start === undefined ? locate(p, s, 1) : occurrenceAt(s, p, start, occurrence ?? 1),
    ),
    {
      examples: [["instr('SparkSQL', 'SQL')", "6"]],
    },
  ),
  string(
    "locate(part, str[, pos])",
    "Position of the first part in str at or after pos; 0 when absent.",
    signature([STRING, STRING, INT], INT, { optional: 1 }),
    custom<[string | null, string | null, number | null | undefined]>(([part, s, from]) => {
      if (from === null) return 0;
      return part === null || s === null ? null : locate(part, s, from ?? 1);
    }),
    {
      aliases: ["position", "charindex"],
      examples: [
        ["locate('bar', 'foobarbar')", "4"],
        ["locate('bar', 'foobarbar', 5)", "7"],
      ],
    },
  ),
  string(
    "find_in_set(str, list)",
    "Index of str in a comma separated list, from 1; 0 when absent or when str has a comma.",
    signature([STRING, STRING], INT),
    plain((s: string, list: string) => (s.includes(",") ? 0 : list.split(",").indexOf(s) + 1)),
    { examples: [["find_in_set('ab', 'abc,b,ab,c,def')", "3"]] },
  ),
  string(
    "jaro_winkler_similarity(a, b)",
    "How alike two texts are, from 0 to 1 (Jaro–Winkler).",
    signature([STRING, STRING], DOUBLE),
    plain(jaroWinkler),
    { examples: [["jaro_winkler_similarity('ABC', 'XYZ')", "0.0"]] },
  ),
  string(
    "levenshtein(a, b[, threshold])",
    "The edit distance of two strings; -1 when it is above the threshold.",
    signature([STRING, STRING, INT], INT, { optional: 1 }),
    strict<[string, string, number | undefined]>(([a, b, threshold]) => {
      const d = levenshtein(a, b);
      return threshold !== undefined && d > threshold ? -1 : d;
    }),
    { examples: [["levenshtein('kitten', 'sitting')", "3"]] },
  ),
  string("soundex(str)", "The Soundex code of a word.", signature([textOnly], STRING), plain(soundex), {
    examples: [["soundex('Miller')", "M460"]],
  }),
  string(
    "luhn_check(digits)",
    "Whether the last digit is right by Luhn's formula.",
    signature([STRING], BOOLEAN),
    plain(luhn),
    { examples: [["luhn_check('8112189876')", "true"]] },
  ),
];

/** What mask puts in place of a character: a constant character or null. */
const checkMask: SignatureOptions["check"] = (args, site) => {
  for (const [i, a] of args.entries()) {
    if (i === 0) continue;
    if (a.kind === "cast" && a.child.type.kind !== "string" && a.child.type.kind !== "null")
      throw unexpectedInput(site, args.with(i, a.child), i, `"STRING"`);
    const c = constantOf(site.fold?.(a) ?? a);
    if (c === undefined)
      throw mismatch("NON_FOLDABLE_INPUT", site, args, 'the input should be a foldable "STRING" expression.');
    if (c !== null && [...(c as string)].length !== 1)
      throw mismatch(
        "INPUT_SIZE_NOT_ONE",
        site,
        args,
        `Length of the replacement should be 1, but is ${[...(c as string)].length}.`,
      );
  }
};

const replacing: readonly FunctionDefinition[] = [
  string(
    "replace(str, search[, replacement])",
    "str with every search replaced (by default removed).",
    signature([STRING, STRING, STRING], STRING, { optional: 1 }),
    plain(replaceAll),
    { examples: [["replace('ABCabc', 'abc', 'DEF')", "ABCDEF"]] },
  ),
  string(
    "translate(str, from, to)",
    "str with each character of from replaced by the one of to at its place.",
    signature([STRING, STRING, STRING], STRING),
    plain(translate),
    {
      examples: [["translate('AaBbCc', 'abc', '123')", "A1B2C3"]],
    },
  ),
  string(
    "mask(str[, upper, lower, digit, other])",
    "str with letters and digits replaced: X, x, n; null keeps a kind as it is.",
    signature([textOnly, textOnly, textOnly, textOnly, textOnly], STRING, {
      optional: 4,
      nullable: (args) => args[0]!.nullable,
      check: checkMask,
    }),
    custom<(string | null | undefined)[]>(([s, upper = "X", lower = "x", digit = "n", other = null]) =>
      s === null || s === undefined ? null : mask(s, upper, lower, digit, other),
    ),
    { examples: [["mask('abcd-EFGH-8765-4321')", "xxxx-XXXX-nnnn-nnnn"]] },
  ),
  string(
    "substring_index(str, delimiter, count)",
    "str up to the count-th delimiter; from the end when count is negative.",
    signature([STRING, STRING, INT], STRING),
    plain(substringIndex),
    {
      examples: [["substring_index('www.apache.org', '.', 2)", "www.apache"]],
    },
  ),
  string(
    "split_part(str, delimiter, n)",
    "The n-th part of str between delimiters, from 1; negative from the end; empty when there is none.",
    signature([STRING, STRING, INT], STRING),
    plain(splitPart),
    {
      examples: [["split_part('11.12.13', '.', 3)", "13"]],
    },
  ),
  string(
    "sentences(str[, lang, country])",
    "The words of each sentence.",
    signature([STRING, STRING, STRING], array(array(STRING, false), false), { optional: 2 }),
    strict<[string]>(([s]) => {
      const sentences = new Intl.Segmenter("en", { granularity: "sentence" }).segment(s);
      const words = new Intl.Segmenter("en", { granularity: "word" });
      return [...sentences].map((x) =>
        [...words.segment(x.segment)].filter((w) => w.isWordLike).map((w) => w.segment),
      );
    }),
    { examples: [["sentences('Hi there! Good morning.')", "[[Hi, there], [Good, morning]]"]] },
  ),
];

const elt = (args: readonly Value[]): Value => {
  const [n, ...rest] = args as [number, ...Value[]];
  if (n === null) return null;
  if (n < 1 || n > rest.length) {
    throw failure(
      "INVALID_ARRAY_INDEX",
      `The index ${n} is out of bounds. The array has ${rest.length} elements. Use the SQL function \`get()\` to tolerate accessing element at invalid index and return NULL instead.`,
    );
  }
  return rest[n - 1]!;
};

const choosing: readonly FunctionDefinition[] = [
  string(
    "elt(n, a, b, …)",
    "The n-th of the values. @throws INVALID_ARRAY_INDEX when there is none",
    (args, site) => {
      if (args.length < 2) throw wrongNumberOfArguments(site, "> 1", args.length);
      const base = signature([INT, stringOrBinary], STRING, { variadic: true, nullable: true })(args, site);
      const binary = base.args.slice(1).every((a) => a.type.kind === "binary");
      const type = binary && args.length > 1 ? BINARY : STRING;
      return { ...base, args: base.args.map((a, i) => (i === 0 ? a : castTo(a, type))), type };
    },
    custom<Value[]>((args) => elt(args)),
    { examples: [["elt(1, 'scala', 'java')", "scala"]] },
  ),
];

export const SEARCH_FUNCTIONS: readonly FunctionDefinition[] = [...finding, ...replacing, ...choosing];
