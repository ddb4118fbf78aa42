/**
 * Aggregates of the program (`session.udaf`): a fold in JavaScript over states of a declared type. U1: the state is brought into its declared type after every
 * row, so that a live state and one restored from disk go on alike (law 2); states with arrays or maps, where that would cost their length
 * per row, only when they are saved. U2: what the functions throw names the aggregate.
 */
import type { DataType } from "../../core/data-type.ts";
import { ExecutionError } from "../../core/errors.ts";
import type { Value } from "../../core/value.ts";
import type { AggregateCall, UserFunction } from "../ast.ts";
import type { Accumulator } from "../contract.ts";
import { callUser } from "../user-call.ts";
import { fromUserValue, toUserValue } from "../user-values.ts";
import { type Fold, foldAccumulator } from "./definition.ts";

const isFlat = (type: DataType): boolean =>
  type.kind === "struct"
    ? type.fields.every((f) => isFlat(f.type))
    : type.kind !== "array" && type.kind !== "map" && type.kind !== "variant";

const foldOf = (udf: UserFunction, types: readonly DataType[]): Fold<unknown> => {
  const { zero, update, merge, finish, state: type } = udf.aggregate!;
  const flat = isFlat(type);
  const user = <R>(f: () => R): R => callUser(udf.name, f);
  const checked = (x: unknown, as: DataType, what: string): Value => {
    try {
      return fromUserValue(x, as);
    } catch (e) {
      if (!(e instanceof ExecutionError)) throw e;
      throw new ExecutionError(`the ${what} of the user aggregate ${udf.name}: ${e.message}`, {
        errorClass: e.errorClass ?? "UDF_RESULT_TYPE",
        cause: e,
      });
    }
  };
  const kept = (state: unknown): unknown => (flat ? toUserValue(checked(state, type, "state"), type) : state);
  return {
    empty: () => user(zero),
    add: (state, row) => {
      const args = row.map((v, i) => toUserValue(v, types[i]!));
      return kept(user(() => update(state as never, ...(args as never[]))));
    },
    merge: (state, other) => kept(user(() => merge(state as never, other as never))),
    result: (state) =>
      checked(
        user(() => finish(state as never)),
        udf.returns,
        "result",
      ),
    save: (state) => checked(state, type, "state"),
    load: (saved) => toUserValue(saved, type),
  };
};

/** The states of a call of a user's aggregate. */
export const userAccumulator = (call: AggregateCall): Accumulator => {
  const udf = call.udf!;
  return foldAccumulator(foldOf(udf, udf.parameters));
};
