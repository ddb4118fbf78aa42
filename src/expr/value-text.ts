/** Values as text: what CAST(… AS STRING), `concat`, `show` and messages print, exactly as Spark (and Java's Double.toString) do. */
import type { DataType } from "../core/data-type.ts";
import type { Value } from "../core/value.ts";
import { plainDecimalString } from "./decimal.ts";
import { writeJson } from "./json-reader.ts";
import { doubleText, floatText } from "./number-text.ts";
import { formatDate, formatLocalTimestamp } from "./time/calendar.ts";
import {
  type CalendarInterval,
  formatCalendarInterval,
  formatDayTimeInterval,
  formatYearMonthInterval,
} from "../core/interval-text.ts";
import { toLocal } from "./time/zones.ts";
import { fromVariant } from "./variant.ts";

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
