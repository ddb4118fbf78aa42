/** Calls of user code: what it throws becomes an ExecutionError that names the function. */
import { ExecutionError, MillraceError } from "../core/errors.ts";
import type { DataType } from "../core/data-type.ts";
import type { Value } from "../core/value.ts";
import type { UserFunction } from "./ast.ts";
import { fromUserValue, toUserValue } from "./user-values.ts";

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

/** A scalar user function over values: arguments as JavaScript sees them, the result checked against its type. */
export const callScalar = (udf: UserFunction, args: readonly Value[], types: readonly DataType[]): Value => {
  const given = args.map((a, i) => toUserValue(a, types[i]!));
  const apply = udf.apply as (...xs: unknown[]) => unknown;
  return fromUserValue(
    callUser(udf.name, () => apply(...given)),
    udf.returns,
  );
};
