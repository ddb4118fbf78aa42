/**
 * What an aggregate function is, and the building block of all but the hottest: a fold over plain JS states. A1: `save` is exact, so that live and
 * restored states go on to the same result (law 2). A2: a state never keeps a reference to what it saved or loaded.
 */
import type { Value } from "../../core/value.ts";
import { valueAt, type Vector } from "../../core/vector.ts";
import type { AggregateCall, SortOrder, TypedExpr } from "../ast.ts";
import type { Accumulator } from "../contract.ts";
import type { CallSite, Resolution } from "../function.ts";

export interface AggregateDefinition {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly usage: string;
  readonly summary: string;
  /** `orderBy`: the WITHIN GROUP order, for functions that take their values from it. */
  readonly resolve: (
    args: readonly TypedExpr[],
    site: CallSite,
    orderBy?: readonly SortOrder<TypedExpr>[],
  ) => Resolution;
  /** The WITHIN GROUP order as the function takes it. Throws AnalysisError. */
  readonly order?: (e: TypedExpr, site: CallSite) => TypedExpr;
  readonly create: (call: AggregateCall) => Accumulator;
  /** The result depends on the order of rows (first, collect_list). */
  readonly ordered?: boolean;
  /** Takes WITHIN GROUP: "inverse", one ordering instead of a value (percentile_cont, mode); "list", any orderings (listagg). */
  readonly withinGroup?: "inverse" | "list";
  /** Over a window it takes the whole partition only. */
  readonly wholePartition?: boolean;
  /** DISTINCT changes nothing (max, bool_and): the wrapper that keeps all values is left out. */
  readonly ignoresDuplicates?: boolean;
}

/** The state of one group and what can be done with it. `S` may be changed in place; `add` and `merge` return the state to keep. */
export interface Fold<S> {
  readonly empty: () => S;
  /** `row`: the values of all inputs (arguments, then WITHIN GROUP orders); the array is reused between calls. */
  readonly add: (state: S, row: readonly Value[]) => S;
  readonly merge: (state: S, other: S) => S;
  readonly result: (state: S) => Value;
  readonly save: (state: S) => Value;
  readonly load: (saved: Value) => S;
}

export const foldAccumulator = <S>(fold: Fold<S>): Accumulator => {
  const states: (S | undefined)[] = [];
  const at = (g: number): S => states[g] ?? (states[g] = fold.empty());
  return {
    ensure: (groups) => {
      while (states.length < groups) states.push(undefined);
    },
    update: (groups, n, args, mask) => {
      const row: Value[] = new Array(args.length).fill(null);
      for (let k = 0; k < n; k++) {
        if (mask !== undefined && mask[k] !== 1) continue;
        for (let a = 0; a < args.length; a++) row[a] = valueAt(args[a]!, k);
        const g = groups[k]!;
        states[g] = fold.add(at(g), row);
      }
    },
    save: (g) => fold.save(at(g)),
    load: (g, saved) => {
      states[g] = fold.load(saved);
    },
    merge: (g, saved) => {
      states[g] = fold.merge(at(g), fold.load(saved));
    },
    result: (g) => fold.result(at(g)),
    clear: (g) => {
      states[g] = undefined;
    },
  };
};

/** Arrays of more elements than this grow by a quarter: half of a large table would be room for what never comes. */
const DOUBLED_UP_TO = 1 << 20;

/** Length that arrays of `length` grow to. */
export const lengthBeyond = (length: number): number =>
  length <= DOUBLED_UP_TO ? length * 2 : Math.ceil(length * 1.25);

/** A typed array grown by `lengthBeyond`. */
export const grown = <A extends Float64Array | Uint8Array>(data: A, size: number): A => {
  if (data.length >= size) return data;
  const bigger = new (data.constructor as new (n: number) => A)(
    Math.max(size, lengthBeyond(data.length), 16),
  );
  bigger.set(data);
  return bigger;
};

export const isTaken = (v: Vector, k: number, mask: Uint8Array | undefined): boolean =>
  (mask === undefined || mask[k] === 1) && (v.nulls === undefined || v.nulls[k] !== 1);
