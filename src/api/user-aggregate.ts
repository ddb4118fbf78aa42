/** `session.udaf`: aggregates of the program, in groupBy(…).agg(…) and, by name, in SQL. */
import { AnalysisError } from "../core/errors.ts";
import type { UserAggregate, UserFunction } from "../expr/ast.ts";
import type { SessionCatalog } from "../plan/catalog.ts";
import { aggregateCall } from "./function-types.ts";
import type { Agg, Operand } from "./expression.ts";
import { lift } from "./literal.ts";
import type { DeclaredType, TypeDef } from "./schema.ts";
import type { Js, JsIn, Opt } from "./tags.ts";
import { areTypes, type UdfArgs } from "./user-function.ts";

/** The SQL types of an aggregate: of its arguments, of what it keeps per group, of its result. */
export interface UdafTypes<P extends readonly TypeDef<unknown>[], St, R> {
  readonly parameters: P;
  readonly state: TypeDef<St>;
  readonly returns: TypeDef<R>;
  /**
   * The result is the same to the last bit in whatever order rows come and parts are merged (not so with sums of doubles): sources aggregate their
   * rows before they send them. Default false.
   */
  readonly commutative?: boolean;
}
/**
 * The functions of an aggregate (Spark: Aggregator). All must be deterministic. `update` and `merge` may change the state they are given and give it
 * back; `merge` joins the states of two parts of a group's rows. A null argument comes as null.
 */
export interface UdafFunctions<P extends readonly TypeDef<unknown>[], St, R> {
  zero(): JsIn<NoInfer<St>>;
  update(state: Js<NoInfer<St>>, ...args: UdafArgs<P>): JsIn<NoInfer<St>>;
  merge(state: Js<NoInfer<St>>, other: Js<NoInfer<St>>): JsIn<NoInfer<St>>;
  finish(state: Js<NoInfer<St>>): JsIn<NoInfer<R>> | null;
}
type UdafArgs<P extends readonly TypeDef<unknown>[]> = UdfArgs<P>;
/** A user's aggregate of columns. */
export type Udaf<P extends readonly TypeDef<unknown>[], R> = (
  ...args: { [I in keyof P]: Operand<DeclaredType<P[I]>> }
) => Agg<Opt<R>>;

const STEPS = ["zero", "update", "merge", "finish"] as const;

/** Registers the aggregate and gives its column form. Throws AnalysisError for a bad name or functions that are not there. */
export const userAggregateFunction = <const P extends readonly TypeDef<unknown>[], St, R>(
  catalog: SessionCatalog,
  name: string,
  types: UdafTypes<P, St, R>,
  functions: UdafFunctions<P, St, R>,
): Udaf<P, R> => {
  const missing = STEPS.filter(
    (s) => typeof (functions as Partial<typeof functions> | undefined)?.[s] !== "function",
  );
  const { parameters, state, returns } = (types as Partial<typeof types> | undefined) ?? {};
  if (typeof name !== "string" || name === "" || missing.length > 0 || !areTypes(parameters, state, returns))
    throw new AnalysisError(
      `udaf takes a name, its types and its functions${missing.length === 0 ? "" : `; ${missing.join(", ")} missing`}`,
      {
        hint: 'udaf("product", { parameters: [t.double], state: t.double, returns: t.double }, { zero: () => 1, update: (s, x) => s * x, merge: (a, b) => a * b, finish: s => s })',
      },
    );
  const udaf: UserFunction = Object.freeze({
    name,
    parameters: types.parameters.map((p) => p.type),
    returns: types.returns.type,
    apply: () => undefined,
    aggregate: Object.freeze({
      state: types.state.type,
      commutative: types.commutative === true,
      zero: () => functions.zero(),
      update: (state: never, ...args: never[]) => functions.update(state, ...(args as never)),
      merge: (state: never, other: never) => functions.merge(state, other),
      finish: (state: never) => functions.finish(state),
    } satisfies UserAggregate),
  });
  catalog.defineFunction(udaf);
  return (...args) => {
    if (args.length !== types.parameters.length)
      throw new AnalysisError(
        `[WRONG_NUM_ARGS.WITHOUT_SUGGESTION] The \`${name}\` requires ${types.parameters.length} parameters but the actual number is ${args.length}.`,
        { errorClass: "WRONG_NUM_ARGS.WITHOUT_SUGGESTION" },
      );
    return aggregateCall(
      Object.freeze({ kind: "call", fn: name, args: args.map((a) => lift(a)), udf: udaf }),
    );
  };
};
