/**
 * Rows as the table that Spark's `show()` and console sink print, values as Spark's casts to string show them.
 */
import type { DataType } from "../../core/data-type.ts";
import {
  type CalendarInterval,
  formatCalendarInterval,
  formatDayTimeInterval,
  formatYearMonthInterval,
} from "../../core/interval-text.ts";
import type { Schema } from "../../core/schema.ts";
import type { Row, Value } from "../../core/value.ts";
import { decimalText, floatText } from "./json-text.ts";
import { dateText, localTimestampText, toLocal } from "./time-text.ts";

/** Java's Double.toString: always a fraction, exponents outside 10^-3 … 10^7. */
const doubleText = (x: number, digits: string = String(x)): string => {
  if (x - x !== 0) return String(x);
  if (x === 0) return Object.is(x, -0) ? "-0.0" : "0.0";
  const magnitude = Math.abs(x);
  if (magnitude >= 1e-3 && magnitude < 1e7) return /[.e]/.test(digits) ? digits : `${digits}.0`;
  const [mantissa, exponent] = Number(digits).toExponential().split("e");
  return `${mantissa!.includes(".") ? mantissa! : `${mantissa!}.0`}E${Number(exponent)}`;
};

/** `yyyy-MM-dd HH:mm:ss[.f…]`, zeros at the end of the fraction left out. */
const timestampText = (localMs: number): string => {
  const micros = Math.round((localMs - Math.floor(localMs)) * 1000);
  const text = `${localTimestampText(localMs)}${String(micros).padStart(3, "0")}`;
  return text.replace("T", " ").replace(/\.?0+$/, "");
};

/** A value as Spark's cast to string shows it; null is `NULL` inside of tables. */
export const displayText = (v: Value, type: DataType, timeZone: string): string => {
  if (v === null) return "NULL";
  const nested = (x: Value, t: DataType): string => (x === null ? "NULL" : displayText(x, t, timeZone));
  switch (type.kind) {
    case "float":
      return doubleText(v as number, floatText(v as number));
    case "double":
      return doubleText(v as number);
    case "decimal":
      return decimalText(v as bigint, type.scale);
    case "binary":
      return `[${Array.from(v as Uint8Array, (b) => b.toString(16).toUpperCase().padStart(2, "0")).join(" ")}]`;
    case "timestamp":
      return timestampText(toLocal(v as number, timeZone));
    case "timestamp_ntz":
      return timestampText(v as number);
    case "date":
      return dateText(v as number);
    case "dayTimeInterval":
      return formatDayTimeInterval(v as number, type.from, type.to);
    case "yearMonthInterval":
      return formatYearMonthInterval(v as number, type.from, type.to);
    case "calendarInterval":
      return formatCalendarInterval(v as unknown as CalendarInterval);
    case "array":
      return `[${(v as readonly Value[]).map((x) => nested(x, type.element)).join(", ")}]`;
    case "map":
      return `{${(v as readonly (readonly [Value, Value])[])
        .map(([k, x]) => `${nested(k, type.key)} -> ${nested(x, type.value)}`)
        .join(", ")}}`;
    case "struct":
      return `{${type.fields.map((f, i) => nested((v as readonly Value[])[i] ?? null, f.type)).join(", ")}}`;
    case "variant":
      return JSON.stringify((v as { readonly variant: unknown }).variant) ?? "null";
    default:
      return String(v);
  }
};

/** Columns a text takes: East Asian wide characters take two. */
const width = (text: string): number => {
  let n = 0;
  for (const c of text)
    n += /[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]/.test(
      c,
    )
      ? 2
      : 1;
  return n;
};

const shorten = (text: string, limit: number): string =>
  limit > 0 && text.length > limit
    ? limit < 4
      ? text.slice(0, limit)
      : `${text.slice(0, limit - 3)}...`
    : text;

export interface TableOptions {
  /** Rows shown at most. Default 20. */
  readonly numRows?: number;
  /** Longest cell in characters; 0: whole. Default 20. */
  readonly truncate?: number;
  readonly timeZone: string;
}

/** The text of Spark's `show`: a framed table and, when there are more rows, `only showing top N rows`. */
export const tableText = (schema: Schema, rows: readonly Row[], options: TableOptions): string => {
  const { numRows = 20, truncate = 20, timeZone } = options;
  const names = schema.fields.map((f) => shorten(f.name, truncate));
  const cells = rows.slice(0, numRows).map((row) =>
    schema.fields.map((f, c) =>
      shorten(
        displayText(row[c] ?? null, f.type, timeZone).replace(/[\n\r\t]/g, (ch) =>
          JSON.stringify(ch).slice(1, -1),
        ),
        truncate,
      ),
    ),
  );
  const widths = names.map((name, c) => Math.max(3, width(name), ...cells.map((row) => width(row[c]!))));
  const line = `+${widths.map((w) => "-".repeat(w)).join("+")}+\n`;
  const pad = (text: string, c: number): string => {
    const space = " ".repeat(widths[c]! - width(text));
    return truncate > 0 ? space + text : text + space;
  };
  const print = (row: readonly string[]): string => `|${row.map(pad).join("|")}|\n`;
  const more = rows.length > numRows ? `only showing top ${numRows} row${numRows === 1 ? "" : "s"}\n` : "";
  return line + print(names) + line + cells.map(print).join("") + line + more;
};
