/**
 * DISTINCT for any aggregate: the state is the set of its distinct inputs, and the result is the aggregate over them in the order they came. D1: rows with a null
 * argument are kept too: the aggregate itself knows whether they count.
 */
import type { Value } from "../../core/value.ts";
import { vectorOf } from "../../core/vector.ts";
import type { DataType } from "../../core/data-type.ts";
import type { AggregateCall } from "../ast.ts";
import type { Accumulator } from "../contract.ts";
import { valueKey } from "../value-order.ts";
import { type Fold, foldAccumulator } from "./definition.ts";

type Rows = Map<Value, readonly Value[]>;

const rowKey = (
  types: readonly DataType[],
): ((row: readonly Value[]) => string | number | bigint | boolean) => {
  const keys = types.map(valueKey);
  if (keys.length === 1) return (row) => (row[0] === null ? "\u0000null" : keys[0]!(row[0]!));
  return (row) => {
    let out = "";
    for (let i = 0; i < keys.length; i++) {
      const v = row[i]!;
      const k = v === null ? "" : String(keys[i]!(v));
      out += v === null ? "n" : `${k.length}:${k}`;
    }
    return out;
  };
};

/** `inner` makes the accumulator of the same call without DISTINCT. */
export const distinctAccumulator = (
  call: AggregateCall,
  inner: (call: AggregateCall) => Accumulator,
): Accumulator => {
  const types = [...call.args, ...call.orderBy.map((o) => o.expr)].map((e) => e.type);
  const key = rowKey(types.slice(0, call.args.length));
  const counts = call.fn === "count";
  const fold: Fold<Rows> = {
    empty: () => new Map(),
    add: (s, row) => {
      if (counts && row.includes(null)) return s;
      const k = key(row);
      if (!s.has(k)) s.set(k, [...row]);
      return s;
    },
    merge: (s, o) => {
      for (const [k, row] of o) if (!s.has(k)) s.set(k, row);
      return s;
    },
    result: (s) => {
      if (counts) return s.size;
      const rows = [...s.values()];
      const target = inner({ ...call, distinct: false });
      target.ensure(1);
      const vectors = types.map((t, i) =>
        vectorOf(
          t,
          rows.map((r) => r[i]!),
        ),
      );
      target.update(new Int32Array(rows.length), rows.length, vectors, undefined);
      return target.result(0);
    },
    save: (s) => [...s.values()],
    load: (saved) => new Map((saved as (readonly Value[])[]).map((row) => [key(row), row])),
  };
  return foldAccumulator(fold);
};
