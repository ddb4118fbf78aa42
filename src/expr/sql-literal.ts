/** Values as literals that SQL reads back: `3L`, `'abc'`, `CAST(NULL AS INT)`, `MAP('a', 1)`. */
import type { DataType } from "../core/data-type.ts";
import type { Value } from "../core/value.ts";
import { literalText } from "./pretty.ts";
import { sqlType } from "./type-errors.ts";

const SUFFIXES: Readonly<Record<string, string>> = {
  byte: "Y",
  short: "S",
  long: "L",
  double: "D",
  decimal: "BD",
};

/** The literal of a value. */
export const sqlLiteral = (value: Value, type: DataType, zone: string): string => {
  if (value === null) return type.kind === "null" ? "NULL" : `CAST(NULL AS ${sqlType(type)})`;
  switch (type.kind) {
    case "string":
      return `'${(value as string).replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
    case "float":
      return `CAST('${literalText(value, type, zone)}' AS FLOAT)`;
    case "array":
      return `ARRAY(${(value as readonly Value[]).map((v) => sqlLiteral(v, type.element, zone)).join(", ")})`;
    case "map": {
      const pairs = value as readonly (readonly [Value, Value])[];
      const texts = pairs.map(
        ([k, v]) => `${sqlLiteral(k, type.key, zone)}, ${sqlLiteral(v, type.value, zone)}`,
      );
      return `MAP(${texts.join(", ")})`;
    }
    case "struct": {
      const values = value as readonly Value[];
      const texts = type.fields.map((f, i) => `'${f.name}', ${sqlLiteral(values[i]!, f.type, zone)}`);
      return `NAMED_STRUCT(${texts.join(", ")})`;
    }
    default:
      return literalText(value, type, zone) + (SUFFIXES[type.kind] ?? "");
  }
};
