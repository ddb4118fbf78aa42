/**
 * Values as user code sees them: `Date` for dates and timestamps, objects for structs, `Map` for maps, a decimal as its text, a long as a number (outside
 * ±2^53: UnsafeIntegerError); and back again.
 */
import { type DataType, type Field, typeName } from "../core/data-type.ts";
import { ExecutionError, UnsafeIntegerError } from "../core/errors.ts";
import { canonicalLong, type Value } from "../core/value.ts";
import { castFunction } from "./cast.ts";
import { parseDecimalText, plainDecimalString, toScale } from "./decimal.ts";
import { DAY_MS } from "./time/calendar.ts";

const structToUser = (v: readonly Value[], fields: readonly Field[]): unknown => {
  const out: Record<string, unknown> = {};
  fields.forEach((f, i) => {
    const value = toUserValue(v[i]!, f.type);
    if (f.name === "__proto__")
      Object.defineProperty(out, f.name, { value, enumerable: true, writable: true, configurable: true });
    else out[f.name] = value;
  });
  return out;
};

const longToUser = (v: Value): unknown => {
  if (typeof v === "bigint")
    throw new UnsafeIntegerError(
      `the bigint value ${v} does not fit a JavaScript number: cast it to string or decimal`,
      {
        errorClass: "UNSAFE_INTEGER",
      },
    );
  return v;
};

/** A value as user code sees it. */
export const toUserValue = (v: Value, type: DataType): unknown => {
  if (v === null) return null;
  switch (type.kind) {
    case "long":
      return type.bigint === true ? BigInt(v as number | bigint) : longToUser(v);
    case "decimal":
      return plainDecimalString(v as bigint, type.scale);
    case "timestamp":
    case "timestamp_ntz":
      return new Date(v as number);
    case "date":
      return new Date((v as number) * DAY_MS);
    case "array":
      return (v as readonly Value[]).map((x) => toUserValue(x, type.element));
    case "map":
      return new Map(
        (v as readonly (readonly [Value, Value])[]).map(([k, x]) => [
          toUserValue(k, type.key),
          toUserValue(x, type.value),
        ]),
      );
    case "struct":
      return structToUser(v as readonly Value[], type.fields);
    case "variant":
      return (v as { variant: unknown }).variant;
    default:
      return v;
  }
};

const refuse = (v: unknown, type: DataType): ExecutionError => {
  const isPromise = v instanceof Promise;
  const given = isPromise ? "a promise" : typeof v === "object" ? "an object" : `${typeof v} ${String(v)}`;
  return new ExecutionError(`a user function gave ${given} where ${typeName(type)} is due`, {
    errorClass: "UDF_RESULT_TYPE",
    ...(isPromise ? { hint: "look things up in mapAsync, which waits for promises" } : {}),
  });
};

const INTEGER_BITS: Partial<Record<DataType["kind"], number>> = {
  byte: 7,
  short: 15,
  int: 31,
  yearMonthInterval: 31,
};

const integerFrom = (v: unknown, type: DataType): Value => {
  if (typeof v === "bigint" && type.kind === "long" && BigInt.asIntN(64, v) === v) return canonicalLong(v);
  if (typeof v !== "number" || !Number.isSafeInteger(v)) throw refuse(v, type);
  const bits = INTEGER_BITS[type.kind];
  if (bits !== undefined && (v >= 2 ** bits || v < -(2 ** bits))) throw refuse(v, type);
  return v + 0;
};

const instantFrom = (v: unknown, type: DataType): number => {
  const ms = v instanceof Date ? v.getTime() : v;
  if (typeof ms === "number" && Number.isFinite(ms)) return ms;
  if (typeof v === "string") return castFunction({ kind: "string" }, type, { timeZone: "UTC" })(v) as number;
  throw refuse(v, type);
};

const decimalFrom = (v: unknown, type: Extract<DataType, { kind: "decimal" }>): bigint => {
  const parsed = ["string", "number", "bigint"].includes(typeof v) ? parseDecimalText(String(v)) : undefined;
  if (parsed === undefined) throw refuse(v, type);
  return toScale(parsed.unscaled, parsed.scale, type.scale);
};

const nestedFrom = (v: unknown, type: DataType): Value => {
  if (type.kind === "array" && Array.isArray(v)) return v.map((x) => fromUserValue(x, type.element));
  if (type.kind === "map" && typeof v === "object" && v !== null) {
    const entries = v instanceof Map ? [...v] : Object.entries(v);
    return entries.map(([k, x]) => [fromUserValue(k, type.key), fromUserValue(x, type.value)] as const);
  }
  if (type.kind === "struct" && typeof v === "object" && v !== null)
    return type.fields.map((f) =>
      fromUserValue(Object.hasOwn(v, f.name) ? (v as Record<string, unknown>)[f.name] : null, f.type),
    );
  throw refuse(v, type);
};

/** A user's value as the engine holds it. Throws ExecutionError when it does not fit the type. */
export const fromUserValue = (v: unknown, type: DataType): Value => {
  if (v === null || v === undefined) return null;
  switch (type.kind) {
    case "boolean":
    case "string":
      if (typeof v !== type.kind) throw refuse(v, type);
      return v as Value;
    case "byte":
    case "short":
    case "int":
    case "long":
    case "dayTimeInterval":
    case "yearMonthInterval":
      return integerFrom(v, type);
    case "float":
    case "double":
      if (typeof v !== "number") throw refuse(v, type);
      return type.kind === "float" ? Math.fround(v) : v;
    case "decimal":
      return decimalFrom(v, type);
    case "timestamp":
    case "timestamp_ntz":
      return instantFrom(v, type);
    case "date":
      return typeof v === "number"
        ? Math.floor(v)
        : Math.floor(instantFrom(v, { kind: "timestamp" }) / DAY_MS);
    case "binary":
      if (!(v instanceof Uint8Array)) throw refuse(v, type);
      return v;
    case "variant":
      return { variant: v };
    case "null":
      return null;
    default:
      return nestedFrom(v, type);
  }
};
