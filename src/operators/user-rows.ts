/** Rows as user functions see them: plain objects by column name, and back; what a function throws becomes an ExecutionError that names it. */
import { struct } from "../core/data-type.ts";
import { ExecutionError, MillraceError } from "../core/errors.ts";
import type { Schema } from "../core/schema.ts";
import type { Row } from "../core/value.ts";
import { fromUserValue, toUserValue } from "../expr/user-values.ts";

export const rowReader = (schema: Schema): ((row: Row) => unknown) => {
  const type = struct(schema.fields);
  return (row) => toUserValue(row, type);
};

/** Objects to rows; absent properties are null. Throws ExecutionError for anything but an object. */
export const rowWriter = (schema: Schema, name: string): ((value: unknown) => Row) => {
  const type = struct(schema.fields);
  return (value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw new ExecutionError(`${name} must return rows as objects, not ${describeKind(value)}`, {
        errorClass: "INVALID_UDF_RESULT",
      });
    return fromUserValue(value, type) as Row;
  };
};

export const describeKind = (value: unknown): string =>
  value === null ? "null" : Array.isArray(value) ? "an array" : `a value of type ${typeof value}`;

/** The error of a user function, with its name; errors that already are ours stay as they are. */
export const userFunctionError = (name: string, cause: unknown): ExecutionError => {
  if (cause instanceof ExecutionError) return cause;
  const text = cause instanceof Error ? cause.message : String(cause);
  return new ExecutionError(`the user function ${name} failed: ${text}`, {
    errorClass: "FAILED_EXECUTE_UDF",
    cause,
  });
};

/** Calls user code. */
export const callUser = <R>(name: string, f: () => R): R => {
  try {
    return f();
  } catch (e) {
    if (e instanceof MillraceError) throw e;
    throw userFunctionError(name, e);
  }
};
