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

const isPromise = (value: unknown): boolean =>
  typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";

/** The error of a function that gave something else than `due`. */
export const wrongResult = (name: string, due: string, value: unknown): ExecutionError =>
  new ExecutionError(`${name} must return ${due}, not ${describeKind(value)}`, {
    errorClass: "INVALID_UDF_RESULT",
    ...(isPromise(value) ? { hint: "look things up in mapAsync, which waits for promises" } : {}),
  });

/** Objects to rows; absent properties are null. Throws ExecutionError for anything but an object, and for null where the schema has no null. */
export const rowWriter = (schema: Schema, name: string): ((value: unknown) => Row) => {
  const type = struct(schema.fields);
  const needed = schema.fields.flatMap((f, i) => (f.nullable ? [] : [i]));
  return (value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value) || isPromise(value))
      throw wrongResult(name, "rows as objects", value);
    const row = fromUserValue(value, type) as Row;
    for (const i of needed)
      if (row[i] === null)
        throw new ExecutionError(
          `[NOT_NULL_CONSTRAINT_VIOLATION] ${name} gave no value for the column \`${schema.fields[i]!.name}\`, which is not nullable`,
          { errorClass: "NOT_NULL_CONSTRAINT_VIOLATION", hint: "declare it with .nullable()" },
        );
    return row;
  };
};

/** What a function gives that may give any number of rows. Throws ExecutionError for anything but a list or an iterator. */
export const iterableResult = (name: string, value: unknown): Iterable<unknown> => {
  if (typeof value === "object" && value !== null && Symbol.iterator in value)
    return value as Iterable<unknown>;
  throw wrongResult(name, "an array or iterable of rows", value);
};

export const describeKind = (value: unknown): string => {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  return isPromise(value) ? "a promise" : `a value of type ${typeof value}`;
};

/** Every row of a group for which a call failed is a row that could not be computed; without rows (a timer, a timeout) the key stands for it. */
export const failedRows = (
  onRowError: (error: unknown, row: () => unknown) => void,
  error: unknown,
  group: { readonly rows?: readonly Row[]; readonly keyValues: Row },
): void => {
  const { rows = [], keyValues } = group;
  for (const row of rows.length === 0 ? [keyValues] : rows) onRowError(error, () => row);
};
