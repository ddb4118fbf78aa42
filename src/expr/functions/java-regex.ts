/**
 * Java's regular expressions as JavaScript's (flag `v`): quoting, anchors, POSIX and Java classes, class union and intersection, inline flags at the
 * start. Possessive quantifiers become greedy ones (same matches except where backtracking would have been needed).
 */
import type { ExecutionError } from "../../core/errors.ts";
import { failure } from "./definition.ts";

const POSIX: Readonly<Record<string, string>> = {
  Lower: "a-z",
  Upper: "A-Z",
  ASCII: "\\x00-\\x7F",
  Alpha: "a-zA-Z",
  Digit: "0-9",
  Alnum: "a-zA-Z0-9",
  Punct: "!-\\/:-@\\[-`\\{-~",
  Graph: "!-~",
  Print: " -~",
  Blank: " \\t",
  Cntrl: "\\x00-\\x1F\\x7F",
  XDigit: "0-9a-fA-F",
  Space: " \\t\\n\\x0B\\f\\r",
  javaLowerCase: "\\p{Ll}",
  javaUpperCase: "\\p{Lu}",
  IsAlphabetic: "\\p{Alphabetic}",
  IsDigit: "\\p{Nd}",
  IsLetter: "\\p{L}",
  IsPunctuation: "\\p{P}",
  IsUppercase: "\\p{Uppercase}",
  IsLowercase: "\\p{Lowercase}",
  IsWhite_Space: "\\p{White_Space}",
};

const SYNTAX = new Set("^$\\.*+?()[]{}|/");
const CLASS_SYNTAX = new Set("()[]{}/-\\|&!#$%*+,.:;<=>?@^`~");
const literal = (c: string, inClass: boolean): string =>
  (inClass ? CLASS_SYNTAX : SYNTAX).has(c) ? `\\${c}` : c;

interface Scan {
  readonly source: string;
  at: number;
  out: string;
  multiline: boolean;
}

/** Escapes that mean the same in both languages. */
const SHARED = new Set("dDwWsSbBnrtf0123456789");
const END = "(?=(?:\\r\\n|[\\n\\r\\u0085\\u2028\\u2029])?(?![\\s\\S]))";

const property = (s: Scan, negated: boolean, inClass: boolean): void => {
  const braced = s.source[s.at] === "{";
  const end = braced ? s.source.indexOf("}", s.at) : s.at;
  const name = braced ? s.source.slice(s.at + 1, end) : s.source[s.at]!;
  s.at = end + 1;
  const body = Object.hasOwn(POSIX, name) ? POSIX[name]! : undefined;
  if (body !== undefined) s.out += inClass && !negated ? body : `[${negated ? "^" : ""}${body}]`;
  else {
    const script = name.startsWith("Is") ? name.slice(2) : name;
    const value = name.startsWith("Is") && script.length > 2 ? `Script=${script}` : script;
    s.out += `\\${negated ? "P" : "p"}{${value}}`;
  }
};

const codePoint = (hex: string): string => `\\u{${Number.parseInt(hex, 16).toString(16)}}`;

const escape = (s: Scan, inClass: boolean): void => {
  const c = s.source[s.at + 1];
  s.at += 2;
  const rest = s.source.slice(s.at);
  if (c === undefined) throw new SyntaxError("trailing backslash");
  if (c === "Q") {
    const end = s.source.indexOf("\\E", s.at);
    const text = s.source.slice(s.at, end < 0 ? undefined : end);
    for (const x of text) s.out += literal(x, inClass);
    s.at = end < 0 ? s.source.length : end + 2;
  } else if (c === "p" || c === "P") property(s, c === "P", inClass);
  else if (c === "A" || c === "G") s.out += "(?<![\\s\\S])";
  else if (c === "z") s.out += "(?![\\s\\S])";
  else if (c === "Z") s.out += END;
  else if (c === "h") s.out += inClass ? " \\t\\u00A0" : "[ \\t\\u00A0]";
  else if (c === "R") s.out += "(?:\\r\\n|[\\n\\x0B\\f\\r\\u0085\\u2028\\u2029])";
  else if (c === "v")
    s.out += inClass ? "\\n\\x0B\\f\\r\\u0085\\u2028\\u2029" : "[\\n\\x0B\\f\\r\\u0085\\u2028\\u2029]";
  else if (c === "a") s.out += "\\x07";
  else if (c === "e") s.out += "\\x1B";
  else if (c === "x" && rest.startsWith("{")) {
    const end = rest.indexOf("}");
    s.out += codePoint(rest.slice(1, end));
    s.at += end + 1;
  } else if (c === "x" || c === "u") {
    const n = c === "x" ? 2 : 4;
    s.out += codePoint(rest.slice(0, n));
    s.at += n;
  } else if (c === "k") {
    s.out += "\\k";
  } else if (c === "0") {
    const octal = /^[0-3]?[0-7]{1,2}/.exec(rest)?.[0] ?? "0";
    s.out += `\\u{${Number.parseInt(octal, 8).toString(16)}}`;
    s.at += octal.length;
  } else if (SHARED.has(c)) s.out += `\\${c}`;
  else if (/[A-Za-z]/.test(c)) throw new SyntaxError(`illegal escape \\${c}`);
  else s.out += literal(c, inClass);
};

/** A bracket class. Java allows a class inside a class (union) and `&&`; so does flag v, for whole operands only. */
const bracket = (s: Scan): void => {
  s.at++;
  let body = "[";
  if (s.source[s.at] === "^") {
    body += "^";
    s.at++;
  }
  const operands: string[] = [];
  const outer = s.out;
  s.out = "";
  let first = true;
  for (; ; first = false) {
    const c = s.source[s.at];
    if (c === undefined) throw new SyntaxError("unclosed character class");
    if (c === "]" && !first) break;
    if (c === "[") bracket(s);
    else if (c === "\\") escape(s, true);
    else if (c === "&" && s.source[s.at + 1] === "&") {
      operands.push(s.out);
      s.out = "";
      s.at += 2;
    } else if (c === "-" && !first && s.source[s.at + 1] !== "]" && s.source[s.at + 1] !== "[") {
      s.out += "-";
      s.at++;
    } else {
      const ch = String.fromCodePoint(s.source.codePointAt(s.at)!);
      s.out += literal(ch, true);
      s.at += ch.length;
    }
  }
  s.at++;
  operands.push(s.out);
  s.out =
    outer + body + (operands.length === 1 ? operands[0]! : operands.map((o) => `[${o}]`).join("&&")) + "]";
};

/** Flags switched on, and those switched off: at the start they are off already. */
const FLAGS = /^\(\?([imsux]*)(?:-[imsux]+)?\)/;

const compile = (pattern: string): RegExp => {
  const inline = FLAGS.exec(pattern);
  const asked = inline?.[1] ?? "";
  const s: Scan = { source: pattern, at: inline?.[0].length ?? 0, out: "", multiline: asked.includes("m") };
  while (s.at < s.source.length) {
    const c = s.source[s.at]!;
    if (c === "\\") escape(s, false);
    else if (c === "[") bracket(s);
    else if (c === "$" && !s.multiline) {
      s.out += END;
      s.at++;
    } else if (
      (c === "+" || c === "?") &&
      /[*+?}]/.test(s.source[s.at - 1] ?? "") &&
      c === "+" &&
      s.source[s.at - 2] !== "\\"
    ) {
      s.at++;
    } else if (c === "{" && !/^\{\d+(?:,\d*)?\}/.test(s.source.slice(s.at)))
      throw new SyntaxError("illegal repetition");
    else if (c === "}" && !/\{\d+(?:,\d*)?$/.test(s.source.slice(0, s.at))) {
      s.out += "\\}";
      s.at++;
    } else if (c === "]") {
      s.out += "\\]";
      s.at++;
    } else if (c === "(" && s.source.startsWith("(?>", s.at)) {
      s.out += "(?:";
      s.at += 3;
    } else {
      s.out += c;
      s.at++;
    }
  }
  const flags = `gv${asked.includes("i") ? "i" : ""}${asked.includes("m") ? "m" : ""}${asked.includes("s") ? "s" : ""}`;
  return new RegExp(s.out, flags);
};

const CACHE_PATTERNS_MAX = 1000;
const cache = new Map<string, RegExp>();

const invalidPattern = (pattern: string, fn: string): ExecutionError =>
  failure(
    "INVALID_PARAMETER_VALUE.PATTERN",
    `The value of parameter(s) \`regexp\` in \`${fn}\` is invalid: '${pattern}'.`,
  );

/** The compiled form of a Java pattern, global; set `lastIndex` before use. @throws ExecutionError INVALID_PARAMETER_VALUE.PATTERN */
export const javaRegex = (pattern: string, fn: string): RegExp => {
  let re = cache.get(pattern);
  if (re === undefined) {
    try {
      re = compile(pattern);
    } catch {
      throw invalidPattern(pattern, fn);
    }
    if (cache.size >= CACHE_PATTERNS_MAX) cache.clear();
    cache.set(pattern, re);
  }
  re.lastIndex = 0;
  return re;
};
