/**
 * State values of user code: typed by a DataType (then checked and stored as that type), or any plain data: null, booleans, numbers, bigints, strings,
 * Dates, Uint8Arrays, arrays, Maps, Sets and plain objects of these. What is stored is a copy: later changes of the object do not reach it.
 */
import { type DataType, typeName } from "../core/data-type.ts";
import { ExecutionError } from "../core/errors.ts";
import { STATE_VALUE_BYTES_MAX, STATE_VALUE_DEPTH_MAX } from "../core/limits.ts";
import type { Value } from "../core/value.ts";
import { fromUserValue, toUserValue } from "../expr/user-values.ts";

export interface StateCodec {
  encode(value: unknown): Value;
  decode(stored: Value): unknown;
}

const invalid = (message: string): ExecutionError =>
  new ExecutionError(message, { errorClass: "STATE_VALUE_INVALID" });

/** Estimated bytes of a value. */
const sizeOf = (v: Value): number => {
  if (typeof v === "string") return v.length + 5;
  if (v instanceof Uint8Array) return v.length + 5;
  if (Array.isArray(v)) return (v as readonly Value[]).reduce<number>((sum, x) => sum + sizeOf(x), 5);
  return 9;
};

const checked = (v: Value): Value => {
  const bytes = sizeOf(v);
  if (bytes > STATE_VALUE_BYTES_MAX)
    throw new ExecutionError(
      `a state value of about ${bytes} bytes is above the limit of ${STATE_VALUE_BYTES_MAX} (STATE_VALUE_BYTES_MAX)`,
      { errorClass: "STATE_VALUE_TOO_LARGE", hint: "keep large collections in list or map state" },
    );
  return v;
};

/** Tagged arrays stand for what msgpack has no value for. */
const plain = (v: unknown, depth: number): Value => {
  if (depth > STATE_VALUE_DEPTH_MAX)
    throw invalid(`a state value is nested deeper than ${STATE_VALUE_DEPTH_MAX} levels`);
  if (v === null || v === undefined) return null;
  switch (typeof v) {
    case "boolean":
    case "number":
    case "bigint":
    case "string":
      return v;
    case "object":
      break;
    default:
      throw invalid(`a value of type ${typeof v} cannot be kept in state`);
  }
  if (v instanceof Uint8Array) return v.slice();
  if (v instanceof Date) return ["date", v.getTime()];
  if (Array.isArray(v)) return items("array", v, depth);
  if (v instanceof Map) return pairs("map", v, depth);
  if (v instanceof Set) return items("set", v, depth);
  const prototype: unknown = Object.getPrototypeOf(v);
  if (prototype !== Object.prototype && prototype !== null)
    throw invalid(
      `an object of class ${v.constructor?.name ?? "unknown"} cannot be kept in state: keep plain data`,
    );
  const out: Value[] = ["object"];
  for (const k of Object.keys(v)) out.push([k, plain((v as Record<string, unknown>)[k], depth + 1)]);
  return out;
};

const items = (tag: string, values: Iterable<unknown>, depth: number): Value => {
  const out: Value[] = [tag];
  for (const x of values) out.push(plain(x, depth + 1));
  return out;
};

const pairs = (tag: string, entries: Iterable<readonly [unknown, unknown]>, depth: number): Value => {
  const out: Value[] = [tag];
  for (const [k, x] of entries) out.push([plain(k, depth + 1), plain(x, depth + 1)]);
  return out;
};

const unplain = (v: Value): unknown => {
  if (!Array.isArray(v)) return v;
  const stored = v as readonly Value[];
  switch (stored[0]) {
    case "date":
      return new Date(stored[1] as number);
    case "array":
      return list(stored);
    case "map":
      return new Map(stored.slice(1).map((e) => list(e as readonly Value[], 0) as [unknown, unknown]));
    case "set":
      return new Set(list(stored));
    default:
      return object(stored);
  }
};

/** The values behind the tag, or from `at` on. */
const list = (stored: readonly Value[], at = 1): unknown[] => {
  const out: unknown[] = [];
  for (let i = at; i < stored.length; i++) out.push(unplain(stored[i]!));
  return out;
};

const object = (stored: readonly Value[]): Record<string, unknown> => {
  const out: Record<string, unknown> = {};
  for (let i = 1; i < stored.length; i++) {
    const [k, x] = stored[i] as readonly [string, Value];
    const value = unplain(x);
    // An assignment would set the prototype.
    if (k === "__proto__")
      Object.defineProperty(out, k, { value, enumerable: true, writable: true, configurable: true });
    else out[k] = value;
  }
  return out;
};

const PLAIN: StateCodec = { encode: (v) => checked(plain(v, 0)), decode: unplain };

export const stateCodec = (type: DataType | undefined): StateCodec =>
  type === undefined
    ? PLAIN
    : { encode: (v) => checked(fromUserValue(v, type)), decode: (v) => toUserValue(v, type) };

export const stateTypeText = (type: DataType | undefined): string =>
  type === undefined ? "any" : typeName(type);
