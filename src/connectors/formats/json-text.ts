/**
 * Values as JSON text (DESIGN section 4): timestamps ISO-8601 UTC with milliseconds or, by option, milliseconds; longs all digits; decimals text;
 * binary base64; NaN and infinities text; structs objects, maps objects with text keys. Day-time intervals are microseconds, year-month
 * intervals months, calendar intervals [months, days, microseconds].
 */
import type { DataType } from "../../core/data-type.ts";
import type { Value } from "../../core/value.ts";
import { dateText, localTimestampText } from "./time-text.ts";

export interface JsonTextOptions {
  /** Timestamps as integers of milliseconds. */
  readonly millis: boolean;
  /** Fields that are null are left out. */
  readonly ignoreNullFields: boolean;
}

/** `-1.50` of -150 at scale 2. */
export const decimalText = (unscaled: bigint, scale: number): string => {
  if (scale === 0) return String(unscaled);
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, "0");
  return `${unscaled < 0n ? "-" : ""}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
};

/** The shortest text that reads back as the same 32-bit float. */
export const floatText = (x: number): string => {
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(x.toPrecision(digits));
    if (Math.fround(short) === x) return String(short);
  }
  return String(Number(x.toPrecision(9)));
};

export const doubleJson = (x: number): string =>
  x - x === 0 ? (Object.is(x, -0) ? "-0.0" : String(x)) : `"${x}"`;
export const floatJson = (x: number): string => (x - x === 0 && x !== 0 ? floatText(x) : doubleJson(x));
export const timestampJson = (ms: number, options: JsonTextOptions): string =>
  options.millis ? String(Math.floor(ms)) : `"${localTimestampText(ms)}Z"`;
export const timestampNtzJson = (ms: number, options: JsonTextOptions): string =>
  options.millis ? String(Math.floor(ms)) : `"${localTimestampText(ms)}"`;

/** The text of a map's key. */
const keyText = (v: Value, type: DataType, options: JsonTextOptions): string => {
  const text = jsonText(v, type, options);
  return text.startsWith('"') ? text : JSON.stringify(text);
};

/** One value as JSON. */
export const jsonText = (v: Value, type: DataType, options: JsonTextOptions): string => {
  if (v === null) return "null";
  switch (type.kind) {
    case "string":
      return JSON.stringify(v);
    case "double":
      return doubleJson(v as number);
    case "float":
      return floatJson(v as number);
    case "decimal":
      return `"${decimalText(v as bigint, type.scale)}"`;
    case "binary":
      return `"${Buffer.from(v as Uint8Array).toString("base64")}"`;
    case "timestamp":
      return timestampJson(v as number, options);
    case "timestamp_ntz":
      return timestampNtzJson(v as number, options);
    case "date":
      return `"${dateText(v as number)}"`;
    case "array":
      return `[${(v as readonly Value[]).map((x) => jsonText(x, type.element, options)).join(",")}]`;
    case "map":
      return `{${(v as readonly (readonly [Value, Value])[])
        .map(([k, x]) => `${keyText(k, type.key, options)}:${jsonText(x, type.value, options)}`)
        .join(",")}}`;
    case "struct":
      return `{${type.fields
        .flatMap((f, i) => {
          const x = (v as readonly Value[])[i] ?? null;
          return x === null && options.ignoreNullFields
            ? []
            : [`${JSON.stringify(f.name)}:${jsonText(x, f.type, options)}`];
        })
        .join(",")}}`;
    case "variant":
      return JSON.stringify((v as { readonly variant: unknown }).variant) ?? "null";
    case "calendarInterval":
      return `[${(v as readonly Value[]).join(",")}]`;
    default:
      return String(v);
  }
};
