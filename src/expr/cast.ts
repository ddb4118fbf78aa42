/**
 * Casts of values, in ANSI mode: errors are CAST_INVALID_INPUT (text that does not fit), CAST_OVERFLOW (numbers out of range) and
 * NUMERIC_VALUE_OUT_OF_RANGE (decimals). try_cast gives null instead, inside arrays, maps and structs element by element.
 * The type checker has already refused pairs of types that have no cast.
 */
import { type DataType, sameType } from "../core/data-type.ts";
import { ExecutionError } from "../core/errors.ts";
import type { Value } from "../core/value.ts";
import { castFromString } from "./cast-string.ts";
import { castToDecimal, castToFloating, castToIntegral } from "./cast-numeric.ts";
import { castToInterval } from "./cast-interval.ts";
import { isAnsiInterval } from "./coercion.ts";
import { castInvalidInput, castOverflow } from "./runtime-errors.ts";
import { DAY_MS, dayOfLocal } from "./time/calendar.ts";
import { fromLocal, toLocal } from "./time/zones.ts";
import { doubleText } from "./number-text.ts";
import { shownValue, valueText } from "./value-text.ts";
import { castFromVariant, castToVariant } from "./variant-cast.ts";

export interface CastOptions {
  readonly timeZone: string;
  readonly clockMs?: number;
  readonly tryCast?: boolean;
}
/** Casts a non-null value; null only for try_cast. */
export type Cast = (v: Value) => Value;

const ENCODER = new TextEncoder();
/** 2^63 - 1 microseconds: seconds beyond saturate there, as in Spark. */
const TIMESTAMP_MS_MAX = 2 ** 63 / 1000;

const toBoolean = (from: DataType): Cast => {
  switch (from.kind) {
    case "decimal":
      return (v) => v !== 0n;
    default:
      return (v) => v !== 0 && v !== false;
  }
};

const secondsToTimestamp =
  (from: DataType): Cast =>
  (v) => {
    if (from.kind === "decimal")
      return Number(BigInt.asIntN(64, ((v as bigint) * 1_000_000n) / 10n ** BigInt(from.scale))) / 1000;
    const seconds = Number(v);
    if (!Number.isFinite(seconds)) throw castInvalidInput(doubleText(seconds), from, { kind: "timestamp" });
    const floating = from.kind === "float" || from.kind === "double";
    if (floating && Math.abs(seconds * 1e6) > 2 ** 63)
      throw castOverflow(shownValue(seconds, from, "UTC"), from, { kind: "timestamp" });
    return floating
      ? Math.trunc(seconds * 1e6) / 1000
      : Math.min(Math.max(seconds * 1000, -TIMESTAMP_MS_MAX), TIMESTAMP_MS_MAX);
  };

const toDatetime = (from: DataType, to: DataType, zone: string): Cast => {
  const target = to.kind as "date" | "timestamp" | "timestamp_ntz";
  if (from.kind === "date") {
    if (target === "timestamp") return (v) => fromLocal((v as number) * DAY_MS, zone);
    return (v) => (v as number) * DAY_MS;
  }
  if (from.kind === "timestamp") {
    if (target === "date") return (v) => dayOfLocal(toLocal(v as number, zone));
    return (v) => toLocal(v as number, zone);
  }
  if (from.kind === "timestamp_ntz") {
    if (target === "date") return (v) => dayOfLocal(v as number);
    return (v) => fromLocal(v as number, zone);
  }
  return secondsToTimestamp(from);
};

const nested = (from: DataType, to: DataType, options: CastOptions): Cast => {
  const inner = castFunction(from, to, options);
  return (v) => (v === null ? null : inner(v));
};

const castNested = (from: DataType, to: DataType, options: CastOptions): Cast | undefined => {
  if (from.kind === "array" && to.kind === "array") {
    const element = nested(from.element, to.element, options);
    return (v) => (v as readonly Value[]).map(element);
  }
  if (from.kind === "map" && to.kind === "map") {
    const key = nested(from.key, to.key, options);
    const value = nested(from.value, to.value, options);
    return (v) => (v as readonly (readonly [Value, Value])[]).map(([k, x]) => [key(k), value(x)] as const);
  }
  if (from.kind === "struct" && to.kind === "struct") {
    const fields = from.fields.map((f, i) => nested(f.type, to.fields[i]!.type, options));
    return (v) => (v as readonly Value[]).map((x, i) => fields[i]!(x));
  }
  return undefined;
};

const castLeaf = (from: DataType, to: DataType, options: CastOptions): Cast => {
  const zone = options.timeZone;
  if (to.kind === "variant") return castToVariant(from, zone);
  if (from.kind === "variant")
    return castFromVariant(
      to,
      (a, b) => castFunction(a, b, { ...options, tryCast: false }),
      options.tryCast === true,
    );
  if (to.kind === "string") return valueText(from, zone);
  if (from.kind === "string") return castFromString(to, zone, options.clockMs);
  switch (to.kind) {
    case "boolean":
      return toBoolean(from);
    case "byte":
    case "short":
    case "int":
    case "long":
      return castToIntegral(from, to);
    case "float":
    case "double":
      return castToFloating(from, to);
    case "decimal":
      return castToDecimal(from, to);
    case "date":
    case "timestamp":
    case "timestamp_ntz":
      return toDatetime(from, to, zone);
    case "binary":
      return (v) => ENCODER.encode(String(v));
    default:
      if (isAnsiInterval(to)) return castToInterval(from, to);
      throw new TypeError(`no cast from ${from.kind} to ${to.kind}`);
  }
};

const lenient =
  (cast: Cast): Cast =>
  (v) => {
    try {
      return cast(v);
    } catch (e) {
      if (e instanceof ExecutionError) return null;
      throw e;
    }
  };

/** The cast of non-null values from one type to another. Throws ExecutionError, or gives null with `tryCast`. */
export const castFunction = (from: DataType, to: DataType, options: CastOptions): Cast => {
  if (from.kind === "null") return () => null;
  if (sameType(from, to)) return (v) => v;
  const structural = to.kind === "string" ? undefined : castNested(from, to, options);
  if (structural !== undefined) return structural;
  const leaf = castLeaf(from, to, options);
  return options.tryCast ? lenient(leaf) : leaf;
};

/** Whether a cast depends on the session's zone or clock. */
export const castNeedsContext = (from: DataType, to: DataType): boolean => {
  const timed = (t: DataType): boolean =>
    t.kind === "timestamp" ||
    t.kind === "variant" ||
    (t.kind === "array" && timed(t.element)) ||
    (t.kind === "map" && (timed(t.key) || timed(t.value))) ||
    (t.kind === "struct" && t.fields.some((f) => timed(f.type)));
  return timed(from) || timed(to);
};
