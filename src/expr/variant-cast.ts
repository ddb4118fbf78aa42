/** Casts to and from variant (`{variant: plain JSON-like value}`). */
import type { DataType } from "../core/data-type.ts";
import { canonicalLong, type Value } from "../core/value.ts";
import { castFromString } from "./cast-string.ts";
import { decimalToNumber } from "./decimal.ts";
import { writeJson } from "./json-path.ts";
import { executionError } from "./runtime-errors.ts";
import { sqlType } from "./type-errors.ts";
import { valueText } from "./value-text.ts";
import { fromVariant } from "./variant.ts";

const plainOf = (v: Value, type: DataType, zone: string): unknown => {
  if (v === null) return null;
  switch (type.kind) {
    case "array":
      return (v as readonly Value[]).map((x) => plainOf(x, type.element, zone));
    case "struct": {
      const out: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
      type.fields.forEach((f, i) => (out[f.name] = plainOf((v as readonly Value[])[i]!, f.type, zone)));
      return out;
    }
    case "decimal":
      return decimalToNumber(v as bigint, type.scale);
    case "boolean":
    case "string":
    case "byte":
    case "short":
    case "int":
    case "long":
    case "float":
    case "double":
      return v;
    case "variant":
      return (v as { variant: unknown }).variant;
    default:
      return valueText(type, zone)(v);
  }
};

export const castToVariant =
  (from: DataType, zone: string) =>
  (v: Value): Value => ({ variant: plainOf(v, from, zone) });

const invalid = (to: DataType): Error =>
  executionError("INVALID_VARIANT_CAST", `The variant value cannot be cast into "${sqlType(to)}".`);

/** Casts a variant; a scalar goes through its text, as Spark's variant_get does. */
export const castFromVariant = (to: DataType, zone: string): ((v: Value) => Value) => {
  const scalar =
    to.kind === "array" || to.kind === "struct" || to.kind === "map" ? undefined : castFromString;
  return (v) => {
    const x = (v as { variant: unknown }).variant;
    if (x === null || x === undefined) return null;
    if (to.kind === "string") return typeof x === "string" ? x : writeJson(fromVariant(v));
    if (to.kind === "array" && Array.isArray(x))
      return x.map((y) => (y === null ? null : castFromVariant(to.element, zone)({ variant: y })));
    if (typeof x === "object") throw invalid(to);
    if (scalar === undefined) throw invalid(to);
    if (typeof x === "number" && ["double", "float"].includes(to.kind))
      return to.kind === "float" ? Math.fround(x) : x;
    if (typeof x === "bigint" && to.kind === "long") return canonicalLong(x);
    try {
      const text =
        typeof x === "number" && ["byte", "short", "int", "long"].includes(to.kind)
          ? String(Math.trunc(x))
          : String(x);
      return scalar(to, zone)(text);
    } catch {
      throw invalid(to);
    }
  };
};
