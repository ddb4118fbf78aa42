/** Values as text: what CAST(… AS STRING), `concat`, `show` and messages print, exactly as Spark (and Java's Double.toString) do. */
import type { DataType } from "../core/data-type.ts";
import type { Value } from "../core/value.ts";
import { plainDecimalString } from "./decimal.ts";
import { writeJson } from "./json-path.ts";
import { formatDate, formatLocalTimestamp } from "./time/calendar.ts";
import {
  type CalendarInterval,
  formatCalendarInterval,
  formatDayTimeInterval,
  formatYearMonthInterval,
} from "../core/interval-text.ts";
import { toLocal } from "./time/zones.ts";
import { fromVariant } from "./variant.ts";

/** Java's layout of shortest digits: plain within [1e-3, 1e7), else `d.dE±n`. */
const javaLayout = (x: number, shortest: string): string => {
  if (Number.isNaN(x)) return "NaN";
  if (!Number.isFinite(x)) return x > 0 ? "Infinity" : "-Infinity";
  if (x === 0) return Object.is(x, -0) ? "-0.0" : "0.0";
  const sign = x < 0 ? "-" : "";
  const [mantissa, exponentText] = shortest.replace(/^-/, "").toLowerCase().split("e") as [
    string,
    string | undefined,
  ];
  const [whole, fraction = ""] = mantissa.split(".") as [string, string | undefined];
  const raw = whole + fraction;
  const leading = raw.length - raw.replace(/^0+/, "").length;
  const digits = raw.slice(leading).replace(/0+$/, "") || "0";
  const exponent = Number(exponentText ?? 0) + whole.length - leading - 1;
  if (exponent >= -3 && exponent < 7) return sign + plain(digits, exponent);
  return `${sign}${digits[0]}.${digits.slice(1) || "0"}E${exponent}`;
};

const plain = (digits: string, exponent: number): string => {
  if (exponent < 0) return `0.${"0".repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, "0");
  return `${whole}.${digits.slice(exponent + 1) || "0"}`;
};

/** The shortest digits that read back as the same double; of one digit alone Java looks for a nearer value of two. */
export const doubleText = (x: number): string => {
  const shortest = String(x);
  return javaLayout(x, /^-?\de/.test(shortest) ? x.toPrecision(2) : shortest);
};

/** The shortest text that reads back as the same float. */
export const floatText = (x: number): string => {
  if (!Number.isFinite(x)) return javaLayout(x, "");
  for (let p = 1; p < 10; p++) {
    const text = x.toPrecision(p);
    if (Math.fround(Number(text)) === x) return javaLayout(x, text);
  }
  return javaLayout(x, String(x));
};

const DECODER = new TextDecoder();

const nestedText = (type: DataType, zone: string): ((v: Value) => string) => {
  const inner = valueText(type, zone);
  return (v) => (v === null ? "null" : inner(v));
};

const mapText = (type: Extract<DataType, { kind: "map" }>, zone: string): ((v: Value) => string) => {
  const key = nestedText(type.key, zone);
  const value = nestedText(type.value, zone);
  return (v) =>
    `{${(v as readonly (readonly [Value, Value])[]).map(([k, x]) => `${key(k)} -> ${value(x)}`).join(", ")}}`;
};

/** The printer of non-null values of a type. */
export const valueText = (type: DataType, zone: string): ((v: Value) => string) => {
  switch (type.kind) {
    case "float":
      return (v) => floatText(v as number);
    case "double":
      return (v) => doubleText(v as number);
    case "decimal":
      return (v) => plainDecimalString(v as bigint, type.scale);
    case "binary":
      return (v) => DECODER.decode(v as Uint8Array);
    case "date":
      return (v) => formatDate(v as number);
    case "timestamp":
      return (v) => formatLocalTimestamp(toLocal(v as number, zone));
    case "timestamp_ntz":
      return (v) => formatLocalTimestamp(v as number);
    case "dayTimeInterval":
      return (v) => formatDayTimeInterval(v as number, type.from, type.to);
    case "yearMonthInterval":
      return (v) => formatYearMonthInterval(v as number, type.from, type.to);
    case "calendarInterval":
      return (v) => formatCalendarInterval(v as unknown as CalendarInterval);
    case "array": {
      const element = nestedText(type.element, zone);
      return (v) => `[${(v as readonly Value[]).map(element).join(", ")}]`;
    }
    case "map":
      return mapText(type, zone);
    case "struct": {
      const fields = type.fields.map((f) => nestedText(f.type, zone));
      return (v) => `{${(v as readonly Value[]).map((x, i) => fields[i]!(x)).join(", ")}}`;
    }
    case "variant":
      return (v) => writeJson(fromVariant(v));
    default:
      return String;
  }
};

/** A value as error messages show it: strings quoted, numbers with their literal suffix. */
export const shownValue = (v: Value, type: DataType, zone: string): string => {
  if (v === null) return "NULL";
  const text = valueText(type, zone)(v);
  const suffix = { byte: "Y", short: "S", long: "L", double: "D", decimal: "BD" }[type.kind as string];
  if (suffix !== undefined) return text + suffix;
  return type.kind === "string" ? `'${text}'` : text;
};
