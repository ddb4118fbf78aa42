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
  const inner = (x: unknown): Value => plain(x, depth + 1);
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
  if (Array.isArray(v)) return ["array", ...v.map(inner)];
  if (v instanceof Map) return ["map", ...[...v].map(([k, x]) => [inner(k), inner(x)])];
  if (v instanceof Set) return ["set", ...[...v].map(inner)];
  const prototype: unknown = Object.getPrototypeOf(v);
  if (prototype !== Object.prototype && prototype !== null)
    throw invalid(
      `an object of class ${v.constructor?.name ?? "unknown"} cannot be kept in state: keep plain data`,
    );
  return ["object", ...Object.entries(v).map(([k, x]) => [k, inner(x)])];
};

const unplain = (v: Value): unknown => {
  if (!Array.isArray(v)) return v;
  const [tag, ...rest] = v as unknown as readonly [string, ...Value[]];
  const entries = (): [unknown, unknown][] =>
    (rest as unknown as readonly (readonly [Value, Value])[]).map(([k, x]) => [unplain(k), unplain(x)]);
  switch (tag) {
    case "date":
      return new Date(rest[0] as number);
    case "array":
      return rest.map(unplain);
    case "map":
      return new Map(entries());
    case "set":
      return new Set(rest.map(unplain));
    default:
      // fromEntries defines properties, so that a key "__proto__" is an ordinary one.
      return Object.fromEntries(entries() as [string, unknown][]);
  }
};

const PLAIN: StateCodec = { encode: (v) => checked(plain(v, 0)), decode: unplain };

export const stateCodec = (type: DataType | undefined): StateCodec =>
  type === undefined
    ? PLAIN
    : { encode: (v) => checked(fromUserValue(v, type)), decode: (v) => toUserValue(v, type) };

export const stateTypeText = (type: DataType | undefined): string =>
  type === undefined ? "any" : typeName(type);
