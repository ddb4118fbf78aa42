/** Values as the engine of Spark holds them, printed: keys of JSON objects, `%s` of nested values. */
import type { DataType } from "../core/data-type.ts";
import type { Value } from "../core/value.ts";
import { microsOf } from "./time/calendar.ts";
import { valueText } from "./value-text.ts";

/** The text of a value; nested ones as the engine prints its own rows: `[1,a]`, times in them as numbers. */
export const internalText = (v: Value, type: DataType, zone: string): string => {
  if (v === null) return "null";
  const list = (values: readonly Value[], typeAt: (i: number) => DataType): string =>
    `[${values.map((x, i) => internalText(x, typeAt(i), zone)).join(",")}]`;
  switch (type.kind) {
    case "array":
      return list(v as readonly Value[], () => type.element);
    case "struct":
      return list(v as readonly Value[], (i) => type.fields[i]!.type);
    case "map": {
      const entries = v as readonly (readonly [Value, Value])[];
      const keys = list(
        entries.map(([k]) => k),
        () => type.key,
      );
      const values = list(
        entries.map(([, x]) => x),
        () => type.value,
      );
      return `keys: ${keys}, values: ${values}`;
    }
    case "timestamp":
    case "timestamp_ntz":
      return String(microsOf(v as number));
    case "date":
    case "dayTimeInterval":
    case "yearMonthInterval":
      return String(v);
    default:
      return valueText(type, zone)(v);
  }
};
