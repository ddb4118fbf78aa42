/** Rows as user functions see them: plain objects by column name, and back; what a function throws becomes an ExecutionError that names it. */
import { struct } from "../core/data-type.ts";
import { ExecutionError } from "../core/errors.ts";
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

/** Every row of a group for which a call failed is a row that could not be computed; without rows (a timer, a timeout) the key stands for it. */
export const failedRows = (
  onRowError: (error: unknown, row: () => unknown) => void,
  error: unknown,
  group: { readonly rows?: readonly Row[]; readonly keyValues: Row },
): void => {
  const { rows = [], keyValues } = group;
  for (const row of rows.length === 0 ? [keyValues] : rows) onRowError(error, () => row);
};
