/** Casts to and from variant (`{variant: plain JSON-like value}`). */
import { BOOLEAN, type DataType, decimal, DOUBLE, LONG, STRING } from "../core/data-type.ts";
import { ExecutionError } from "../core/errors.ts";
import { canonicalLong, type Value } from "../core/value.ts";
import { castAllowed } from "./coercion.ts";
import { decimalToNumber, parseDecimalText } from "./decimal.ts";
import { writeJson } from "./json-reader.ts";
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

const isPlainObject = (x: unknown): x is Record<string, unknown> =>
  typeof x === "object" && x !== null && !Array.isArray(x);

const invalid = (to: DataType): Error =>
  executionError("INVALID_VARIANT_CAST", `The variant value cannot be cast into "${sqlType(to)}".`);

/** The type that Spark's variant has for a plain scalar: integers are LONG while they fit, numbers with a fraction exact decimals. */
const scalarOf = (x: unknown): readonly [DataType, Value] | undefined => {
  if (typeof x === "boolean") return [BOOLEAN, x];
  if (typeof x === "string") return [STRING, x];
  if (typeof x === "bigint")
    return BigInt.asIntN(64, x) === x ? [LONG, canonicalLong(x)] : [decimal(38, 0), x];
  if (typeof x !== "number") return undefined;
  if (Number.isSafeInteger(x)) return [LONG, x];
  const parsed = Number.isFinite(x) ? parseDecimalText(String(x)) : undefined;
  if (parsed === undefined || parsed.scale < 0 || parsed.scale > 38) return [DOUBLE, x];
  const digits = String(parsed.unscaled).replace("-", "").length;
  const precision = Math.max(digits, parsed.scale);
  return precision > 38 ? [DOUBLE, x] : [decimal(precision, parsed.scale), parsed.unscaled];
};

type CastLeaf = (from: DataType, to: DataType) => (v: Value) => Value;
type FromPlain = (x: unknown) => Value;

/** `leaf` makes the casts of scalars. With `lenient` a part that does not fit is null, not the whole. */
export const castFromVariant = (to: DataType, leaf: CastLeaf, lenient: boolean): ((v: Value) => Value) => {
  const refuse = (): null => {
    if (lenient) return null;
    throw invalid(to);
  };
  const scalar: FromPlain = (x) => {
    const typed = scalarOf(x);
    if (typed === undefined) return refuse();
    const [from, v] = typed;
    if (from.kind !== to.kind && !(from.kind === "string" && to.kind === "binary") && !castAllowed(from, to))
      return refuse();
    try {
      return leaf(from, to)(v);
    } catch (e) {
      if (e instanceof ExecutionError) return refuse();
      throw e;
    }
  };
  const inner = (type: DataType): FromPlain => {
    const cast = castFromVariant(type, leaf, lenient);
    return (x) => (x === null || x === undefined ? null : cast({ variant: x }));
  };
  const plain = ((): FromPlain => {
    switch (to.kind) {
      case "variant":
        return (x) => ({ variant: x });
      case "string":
        return (x) => (typeof x === "string" ? x : writeJson(fromVariant({ variant: x })));
      case "array": {
        const element = inner(to.element);
        return (x) => (Array.isArray(x) ? x.map(element) : refuse());
      }
      case "map": {
        const value = inner(to.value);
        return (x) =>
          isPlainObject(x) ? Object.entries(x).map(([k, y]) => [k, value(y)] as const) : refuse();
      }
      case "struct": {
        const fields = to.fields.map((f) => [f.name, inner(f.type)] as const);
        return (x) =>
          isPlainObject(x)
            ? fields.map(([name, cast]) => (Object.hasOwn(x, name) ? cast(x[name]) : null))
            : refuse();
      }
      default:
        return scalar;
    }
  })();
  return (v) => {
    const x = (v as { variant: unknown }).variant;
    return x === null || x === undefined ? null : plain(x);
  };
};
