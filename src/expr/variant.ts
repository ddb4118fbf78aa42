/**
 * Variant values: `{variant: x}`, x being plain JSON-like data: null, boolean, number, bigint, string, arrays and objects without prototype. Objects print their
 * keys in order of the alphabet, as Spark's binary form does.
 */
import type { Value } from "../core/value.ts";
import { type Json, JsonFraction } from "./json-reader.ts";

export interface VariantValue {
  readonly variant: unknown;
}

const plainOf = (j: Json): unknown => {
  if (Array.isArray(j)) return j.map(plainOf);
  if (j instanceof JsonFraction) return j.value;
  if (!(j instanceof Map)) return j;
  const out = Object.create(null) as Record<string, unknown>;
  for (const k of [...j.keys()].toSorted()) out[k] = plainOf(j.get(k)!);
  return out;
};

/** The variant of a JSON value. */
export const toVariant = (j: Json): Value => ({ variant: plainOf(j) });

const jsonOf = (x: unknown): Json => {
  if (x === null || x === undefined) return null;
  if (Array.isArray(x)) return x.map(jsonOf);
  if (typeof x === "object") return new Map(Object.entries(x).map(([k, v]) => [k, jsonOf(v)]));
  return x as Json;
};

/** The JSON value of a variant. */
export const fromVariant = (v: Value): Json => jsonOf((v as VariantValue).variant);
