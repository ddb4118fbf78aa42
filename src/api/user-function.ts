/** `session.udf`: scalar functions of the program as columns and, by name, in SQL. */
import { AnalysisError } from "../core/errors.ts";
import type { UserFunction } from "../expr/ast.ts";
import type { SessionCatalog } from "../plan/catalog.ts";
import { expressionOf } from "./expression-builder.ts";
import type { Expr, Operand } from "./expression.ts";
import { lift } from "./literal.ts";
import type { DeclaredType, TypeDef } from "./schema.ts";
import type { Js, JsIn } from "./tags.ts";

/** The SQL types of a function. */
export interface UdfTypes<P extends readonly TypeDef<unknown>[], R> {
  readonly parameters: P;
  readonly returns: TypeDef<R>;
}
export type UdfArgs<P extends readonly TypeDef<unknown>[]> = { [I in keyof P]: Js<DeclaredType<P[I]>> };
/** A user function on columns. */
export type Udf<P extends readonly TypeDef<unknown>[], R> = (
  ...args: { [I in keyof P]: Operand<DeclaredType<P[I]>> }
) => Expr<R>;

/** Whether all of them are types of `t`. */
export const areTypes = (parameters: unknown, ...others: readonly unknown[]): boolean =>
  Array.isArray(parameters) &&
  [...(parameters as unknown[]), ...others].every((x) => x instanceof Object && "type" in x);

/** Registers the function and gives its column form. Throws AnalysisError for a bad name or arguments of another number. */
export const userFunction = <const P extends readonly TypeDef<unknown>[], R>(
  catalog: SessionCatalog,
  name: string,
  types: UdfTypes<P, R>,
  apply: (...args: UdfArgs<P>) => JsIn<R>,
): Udf<P, R> => {
  const { parameters, returns } = types ?? {};
  if (
    typeof name !== "string" ||
    name === "" ||
    typeof apply !== "function" ||
    !areTypes(parameters, returns)
  )
    throw new AnalysisError("udf takes a name, its types and a function", {
      hint: 'udf("twice", { parameters: [t.long], returns: t.long }, x => 2 * x)',
    });
  const udf: UserFunction = Object.freeze({
    name,
    parameters: parameters.map((p) => p.type),
    returns: returns.type,
    apply: apply as (...args: never[]) => unknown,
  });
  catalog.defineFunction(udf);
  return (...args) => {
    if (args.length !== parameters.length)
      throw new AnalysisError(
        `[WRONG_NUM_ARGS.WITHOUT_SUGGESTION] The \`${name}\` requires ${parameters.length} parameters but the actual number is ${args.length}.`,
        {
          errorClass: "WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
        },
      );
    return expressionOf(Object.freeze({ kind: "call", fn: name, args: args.map((a) => lift(a)), udf }));
  };
};
