/**
 * Numbers as text by a pattern: to_char / to_number with SQL patterns (0 9 . D , G $ S MI PR).
 */
import { type DataType, decimal, STRING } from "../../core/data-type.ts";
import type { Value } from "../../core/value.ts";
import { isDatetime } from "../coercion.ts";
import { parseDecimalText, plainDecimalString } from "../decimal.ts";
import type { FunctionDefinition, TypeRule } from "../function.ts";
import { any, signature, decimalLike } from "../rules.ts";
import { formatInstant } from "../time/pattern-format.ts";
import { DAY_MS } from "../time/calendar.ts";
import { analysisError } from "../type-errors.ts";
import { constantOf, custom, failure, family, strict } from "./definition.ts";
import { formatText } from "./printf.ts";

const string = family("string");

interface Exact {
  readonly unscaled: bigint;
  readonly scale: number;
}

const exactOf = (v: Value, type: DataType): Exact | undefined => {
  if (type.kind === "decimal") return { unscaled: v as bigint, scale: type.scale };
  return parseDecimalText(String(v));
};

interface NumberPattern {
  readonly prefix: string;
  /** The whole part's characters: 0, 9, comma. */
  readonly whole: string;
  readonly fraction: string;
  readonly point: boolean;
  readonly sign: "" | "S" | "MI" | "PR";
  readonly leading: boolean;
}

/** Which rule of number formats a text breaks first, as Spark asks them: a digit, commas, single tokens, places. */
const formatProblem = (format: string): string => {
  const f = format.toUpperCase();
  if (f === "") return "INVALID_FORMAT.EMPTY";
  if (!/[09]/.test(f)) return "INVALID_FORMAT.WRONG_NUM_DIGIT";
  const tokens = f.match(/MI|PR|[0-9]*[09]|./gs)!.map((t) => (/^[09]+$/.test(t) ? "9" : t));
  const point = tokens.findIndex((t) => t === "." || t === "D");
  const commas = tokens.flatMap((t, i) => (t === "," || t === "G" ? [i] : []));
  if (point !== -1 && commas.some((i) => i > point)) return "INVALID_FORMAT.THOUSANDS_SEPS_MUST_BEFORE_DEC";
  if (commas.some((i) => tokens[i - 1] !== "9" || tokens[i + 1] !== "9"))
    return "INVALID_FORMAT.CONT_THOUSANDS_SEPS";
  const count = (...of: readonly string[]): number => tokens.filter((t) => of.includes(t)).length;
  if (count(".", "D") > 1 || count("$") > 1 || count("S") > 1 || count("MI") > 1 || count("PR") > 1)
    return "INVALID_FORMAT.WRONG_NUM_TOKEN";
  const currency = tokens.indexOf("$");
  if (currency > tokens.indexOf("9")) return "INVALID_FORMAT.CUR_MUST_BEFORE_DIGIT";
  if (currency !== -1 && point !== -1 && currency > point) return "INVALID_FORMAT.CUR_MUST_BEFORE_DEC";
  return "INVALID_FORMAT.UNEXPECTED_TOKEN";
};

const PATTERN = /^(S|MI)?(\$)?([09,G]*)(?:([.D])([09]*))?(S|MI|PR)?$/;

const patternOf = (format: string): NumberPattern | undefined => {
  const m = PATTERN.exec(format.toUpperCase());
  if (
    m === null ||
    (m[1] !== undefined && m[6] !== undefined) ||
    ((m[3] ?? "") + (m[5] ?? "")).replace(/[,G]/g, "") === "" ||
    /^[,G]|[,G]$|[,G][,G]/.test(m[3] ?? "")
  )
    return undefined;
  return {
    prefix: m[2] ?? "",
    whole: (m[3] ?? "").replaceAll("G", ","),
    fraction: m[5] ?? "",
    point: m[4] !== undefined,
    sign: (m[1] ?? m[6] ?? "") as NumberPattern["sign"],
    leading: m[1] !== undefined,
  };
};

const invalidFormat = (format: string): Error =>
  analysisError(formatProblem(format), `The format is invalid: '${format}'.`);

/** The whole digits laid over the pattern from the right: 9 shows blanks for leading zeros, 0 shows zeros. */
const layWhole = (digits: string, pattern: string): string | undefined => {
  const slots = pattern.replaceAll(",", "").length;
  if (digits.length > slots) return undefined;
  const filled = digits.padStart(slots, "\u0000");
  let out = "";
  let k = 0;
  let started = false;
  for (const c of pattern) {
    if (c === ",") {
      out += started ? "," : " ";
      continue;
    }
    const d = filled[k++]!;
    if (d !== "\u0000") started = true;
    else if (c === "0") started = true;
    out += d !== "\u0000" ? d : c === "0" || started ? "0" : " ";
  }
  return out;
};

const toChar = (v: Value, type: DataType, format: string): string => {
  const p = patternOf(format);
  if (p === undefined) throw invalidFormat(format);
  const x = exactOf(v, type)!;
  const negative = x.unscaled < 0n;
  const magnitude = negative ? -x.unscaled : x.unscaled;
  const [whole, fraction = ""] = plainDecimalString(magnitude, x.scale).split(".") as [string, string?];
  const digits = whole.replace(/^0+/, "");
  // A zero keeps one digit in front of the point, but for a sign that stands there.
  const zero = digits === "" && p.point && !(negative && p.leading) ? "0" : digits;
  const cut = fraction.slice(p.fraction.length).replace(/0+$/, "");
  const laid = cut === "" ? (layWhole(zero, p.whole) ?? layWhole(digits, p.whole)) : undefined;
  const hashes = (text: string): string => text.replace(/[09]/g, "#").replaceAll(",", " ");
  const shown = laid ?? hashes(p.whole);
  const kept = fraction.slice(0, p.fraction.length).padEnd(p.fraction.length, "0");
  const tail = !p.point ? "" : p.fraction === "" ? " " : `.${laid === undefined ? hashes(p.fraction) : kept}`;
  const blanks = /^ */.exec(shown)![0];
  const digitsShown = `${shown.slice(blanks.length)}${tail}`;
  // The currency sign stands in front of the blanks, a sign behind them unless there is a currency sign.
  const [outer, inner] = p.prefix === "" ? [blanks, ""] : ["", p.prefix + blanks];
  const core = `${inner}${digitsShown}`;
  if (p.sign === "PR") return negative ? `${outer}<${core}>` : `${outer}${core}  `;
  const mark = p.sign === "" ? "" : negative ? "-" : p.sign === "S" ? "+" : p.sign === "MI" ? " " : "";
  return p.leading || p.sign === "" ? `${outer}${mark}${core}` : `${outer}${core}${mark}`;
};

const numberType = (format: string): DataType => {
  const p = patternOf(format);
  if (p === undefined) throw invalidFormat(format);
  const scale = p.fraction.length;
  return decimal(p.whole.replaceAll(",", "").length + scale, scale);
};

const toNumber = (text: string, format: string): bigint | undefined => {
  const p = patternOf(format)!;
  let s = text.trim();
  let negative = false;
  if (p.sign === "PR" && /^<.*>$/.test(s)) {
    negative = true;
    s = s.slice(1, -1);
  } else if (p.sign !== "") {
    const m = p.leading ? /^([+-])?(.*)$/.exec(s)! : /^(.*?)([+-])?$/.exec(s)!;
    negative = (p.leading ? m[1] : m[2]) === "-";
    s = (p.leading ? m[2] : m[1])!;
  }
  if (p.prefix !== "") {
    if (!s.startsWith("$")) return undefined;
    s = s.slice(1);
  }
  if (s.startsWith("-") || s.startsWith("+")) return undefined;
  const m = /^([\d,]*)(?:\.(\d*))?$/.exec(s);
  if (m === null || (m[2] !== undefined && !p.point)) return undefined;
  const whole = m[1]!.replaceAll(",", "");
  const fraction = m[2] ?? "";
  const commas = (x: string): string =>
    [...x]
      .toReversed()
      .join("")
      .split(",")
      .slice(0, -1)
      .map((g) => g.length)
      .join();
  const slots = p.whole.replaceAll(",", "").length;
  // A 0 at the front of the format wants as many digits as the format has.
  if (p.whole.startsWith("0") && whole.length < slots) return undefined;
  if (whole.length > slots || fraction.length > p.fraction.length || whole + fraction === "")
    return undefined;
  if (
    m[1]!.includes(",")
      ? !commas(p.whole).startsWith(commas(m[1]!))
      : p.whole.includes(",") && whole.length > p.whole.length - p.whole.lastIndexOf(",") - 1
  )
    return undefined;
  const unscaled = BigInt(whole + fraction.padEnd(p.fraction.length, "0"));
  return negative ? -unscaled : unscaled;
};

const toNumberRule: TypeRule = (args, site) => {
  const base = signature([STRING, STRING], STRING, { nullable: true })(args, site);
  const folded = site.fold?.(base.args[1]!) ?? base.args[1];
  const format = constantOf(folded);
  if (format === undefined)
    throw analysisError(
      "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT",
      `Cannot resolve "${site.fn}" due to data type mismatch: the input \`format\` should be a foldable "STRING" expression.`,
      site.position,
    );
  return { ...base, type: format === null ? decimal(10, 0) : numberType(format as string) };
};

const parsing = (name: string, lenient: boolean): FunctionDefinition =>
  string(
    `${name}(text, format)`,
    `A text as a decimal by a pattern of 0 9 . , $ S MI PR${lenient ? "; null where it does not fit" : ""}.`,
    toNumberRule,
    strict<[string, string]>(([s, format]) => {
      const n = toNumber(s, format);
      if (n === undefined && !lenient)
        throw failure(
          "INVALID_FORMAT.MISMATCH_INPUT",
          `The input 'STRING' '${s}' does not match the format.`,
        );
      return n ?? null;
    }),
    { examples: [[`${name}('454.00', '000.00')`, "454.00"]] },
  );

const charRule: TypeRule = (args, site) => {
  const t = args[0]?.type;
  if (t !== undefined && (isDatetime(t) || t.kind === "binary"))
    return signature([any, STRING], STRING)(args, site);
  return signature([decimalLike, STRING], STRING)(args, site);
};

const charOf = (v: Value, format: string, type: DataType, zone: string): string => {
  if (type.kind === "date") return formatInstant((v as number) * DAY_MS, "UTC", format);
  if (isDatetime(type)) return formatInstant(v as number, type.kind === "timestamp" ? zone : "UTC", format);
  if (type.kind !== "binary") return toChar(v, type, format);
  const encoding = ({ hex: "hex", base64: "base64", "utf-8": "utf8" } as const)[
    format.toLowerCase() as "hex"
  ];
  if (encoding === undefined)
    throw failure(
      "INVALID_PARAMETER_VALUE.BINARY_FORMAT",
      `The value of parameter(s) \`format\` in \`to_char\` is invalid: expects one of binary formats 'base64', 'hex', 'utf-8', but got '${format}'.`,
    );
  const text = Buffer.from(v as Uint8Array).toString(encoding);
  return encoding === "hex" ? text.toUpperCase() : text;
};

export const NUMBER_FORMAT_FUNCTIONS: readonly FunctionDefinition[] = [
  string(
    "format_string(format, a, …)",
    "Text by a printf format, as Java's String.format.",
    signature([STRING, any], STRING, { variadic: true, nullable: (args) => args[0]!.nullable }),
    custom<Value[]>(([format, ...args], call) =>
      format === null
        ? null
        : formatText(format as string, args, call.argTypes.slice(1), call.context.timeZone),
    ),
    {
      aliases: ["printf"],
      examples: [["format_string('Hello World %d %s', 100, 'days')", "Hello World 100 days"]],
    },
  ),
  string(
    "to_char(x, format)",
    "A number, date, timestamp or binary as text by a format.",
    charRule,
    strict<[Value, string]>(([v, f], call) => charOf(v, f, call.argTypes[0]!, call.context.timeZone)),
    {
      aliases: ["to_varchar"],
      examples: [
        ["to_char(454, '999')", "454"],
        ["to_char(78.12, '$99.99')", "$78.12"],
      ],
    },
  ),
  parsing("to_number", false),
  parsing("try_to_number", true),
];
