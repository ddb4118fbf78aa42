/** Values from text (CSV fields, directory names), by type. Same contract as ValueConverter: what does not fit is null and a `problem`. */
import type { DataType } from "../../core/data-type.ts";
import type { Value } from "../../core/value.ts";
import type { ValueConverter } from "./conversion.ts";
import { ExactNumber } from "./json-exact.ts";

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/** The value that `text` is in `type`. */
export const valueOfText = (text: string, type: DataType, converter: ValueConverter): Value => {
  switch (type.kind) {
    case "boolean": {
      const lower = text.trim().toLowerCase();
      return converter.convert(lower === "true" ? true : lower === "false" ? false : text, type);
    }
    case "byte":
    case "short":
    case "int":
    case "long":
    case "float":
    case "double":
    case "dayTimeInterval":
    case "yearMonthInterval": {
      const trimmed = text.trim();
      if (!NUMBER.test(trimmed)) return converter.convert(trimmed, type);
      return converter.convert(new ExactNumber(trimmed.replace(/^\+/, "")), type);
    }
    case "timestamp":
    case "timestamp_ntz":
      return converter.convert(/^-?\d{9,}$/.test(text) ? Number(text) : text, type);
    case "array":
    case "map":
    case "struct":
      try {
        return converter.convert(JSON.parse(text), type);
      } catch {
        return converter.convert(new ExactNumber(text), type);
      }
    default:
      return converter.convert(text, type);
  }
};
