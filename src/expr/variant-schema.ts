/** Schemas of variants and how those of several meet: schema_of_variant, schema_of_variant_agg. */
import { parseDecimalText } from "./decimal.ts";
import { type Json, JsonFraction } from "./json-reader.ts";

/** The schema of one variant or the common one of several; VOID goes with all. */
export type VariantSchema =
  | { readonly kind: "VOID" | "VARIANT" | "BIGINT" | "DOUBLE" | "STRING" | "BOOLEAN" }
  | { readonly kind: "DECIMAL"; readonly precision: number; readonly scale: number }
  | { readonly kind: "ARRAY"; readonly element: VariantSchema }
  | { readonly kind: "OBJECT"; readonly fields: ReadonlyMap<string, VariantSchema> };

type Decimal = Extract<VariantSchema, { kind: "DECIMAL" }>;

const VOID: VariantSchema = { kind: "VOID" };
const PRECISION_MAX = 38;
/** The decimal that holds every BIGINT where it meets a decimal. */
const OF_BIGINT: Decimal = { kind: "DECIMAL", precision: 20, scale: 0 };

const numberSchema = (x: number | bigint): VariantSchema => {
  if (typeof x === "bigint" ? BigInt.asIntN(64, x) === x : Number.isSafeInteger(x)) return { kind: "BIGINT" };
  const parsed = parseDecimalText(String(x));
  if (parsed === undefined || parsed.scale < 0) return { kind: "DOUBLE" };
  const digits = String(parsed.unscaled).replace("-", "").length;
  const precision = Math.max(digits, parsed.scale);
  return precision > PRECISION_MAX ? { kind: "DOUBLE" } : { kind: "DECIMAL", precision, scale: parsed.scale };
};

/** The schema of a JSON value. */
export const variantSchema = (j: Json): VariantSchema => {
  if (j === null) return VOID;
  if (Array.isArray(j)) return { kind: "ARRAY", element: j.map(variantSchema).reduce(mergedSchema, VOID) };
  if (j instanceof Map)
    return { kind: "OBJECT", fields: new Map([...j].map(([k, x]) => [k, variantSchema(x)])) };
  if (typeof j === "string") return { kind: "STRING" };
  if (typeof j === "boolean") return { kind: "BOOLEAN" };
  return numberSchema(j instanceof JsonFraction ? j.value : j);
};

const mergedDecimal = (a: Decimal, b: Decimal): VariantSchema => {
  const scale = Math.max(a.scale, b.scale);
  const precision = Math.max(a.precision - a.scale, b.precision - b.scale) + scale;
  return precision > PRECISION_MAX ? { kind: "DOUBLE" } : { kind: "DECIMAL", precision, scale };
};

/** The schema that both values have; VARIANT where there is no narrower one. */
export const mergedSchema = (a: VariantSchema, b: VariantSchema): VariantSchema => {
  if (a.kind === "VOID") return b;
  if (b.kind === "VOID") return a;
  if (a.kind === "DECIMAL" && b.kind === "DECIMAL") return mergedDecimal(a, b);
  if (a.kind === "ARRAY" && b.kind === "ARRAY")
    return { kind: "ARRAY", element: mergedSchema(a.element, b.element) };
  if (a.kind === "OBJECT" && b.kind === "OBJECT") {
    const fields = new Map(a.fields);
    for (const [k, s] of b.fields) fields.set(k, mergedSchema(fields.get(k) ?? VOID, s));
    return { kind: "OBJECT", fields: new Map([...fields].sort(([x], [y]) => (x < y ? -1 : 1))) };
  }
  if (a.kind === b.kind) return a;
  if (a.kind === "BIGINT" && b.kind === "DECIMAL") return mergedDecimal(OF_BIGINT, b);
  if (a.kind === "DECIMAL" && b.kind === "BIGINT") return mergedDecimal(a, OF_BIGINT);
  const numeric = ["BIGINT", "DECIMAL", "DOUBLE"];
  return { kind: numeric.includes(a.kind) && numeric.includes(b.kind) ? "DOUBLE" : "VARIANT" };
};

const nameText = (name: string): string =>
  /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? name : `\`${name.replaceAll("`", "``")}\``;

/** The schema as Spark prints it. */
export const schemaText = (s: VariantSchema): string => {
  switch (s.kind) {
    case "DECIMAL":
      return `DECIMAL(${s.precision},${s.scale})`;
    case "ARRAY":
      return `ARRAY<${schemaText(s.element)}>`;
    case "OBJECT":
      return `OBJECT<${[...s.fields].map(([k, x]) => `${nameText(k)}: ${schemaText(x)}`).join(", ")}>`;
    default:
      return s.kind;
  }
};
