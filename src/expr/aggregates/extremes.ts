/** `min`, `max` over any orderable type, `min_by`, `max_by`. E1: NaN is the greatest double, as in every order of Spark. */
import { array, type DataType, INT } from "../../core/data-type.ts";
import type { Value } from "../../core/value.ts";
import { layoutOf, valueAt, type Vector } from "../../core/vector.ts";
import type { TypedExpr } from "../ast.ts";
import type { Accumulator } from "../contract.ts";
import type { CallSite } from "../function.ts";
import { constantOf } from "../functions/definition.ts";
import { any, coerceArgument, orderable, signature } from "../rules.ts";
import { mismatch, wrongNumberOfArguments } from "../type-errors.ts";
import { compareValues } from "../value-order.ts";
import { type AggregateDefinition, type Fold, foldAccumulator, grown, isTaken } from "./definition.ts";

/** Numbers in a Float64Array; a column of large longs (layout i64) goes through `large`. */
const numericExtreme = (sign: 1 | -1, type: DataType): Accumulator => {
  let data = new Float64Array(16);
  let seen = new Uint8Array(16);
  const large = new Map<number, bigint>();
  const compare = compareValues(type);
  const current = (g: number): Value => (seen[g] === 0 ? null : (large.get(g) ?? data[g]!));
  const offer = (g: number, x: Value): void => {
    const old = current(g);
    if (old !== null && compare(x, old) * sign <= 0) return;
    seen[g] = 1;
    if (typeof x === "bigint") large.set(g, x);
    else {
      large.delete(g);
      data[g] = x as number;
    }
  };
  const fast = (groups: Int32Array, n: number, v: Vector, mask: Uint8Array | undefined): void => {
    const values = v.data as Float64Array | Int32Array;
    for (let k = 0; k < n; k++) {
      if (!isTaken(v, k, mask)) continue;
      const g = groups[k]!;
      const x = values[k]!;
      const old = data[g]!;
      // The last test is E1: a NaN on either side fails both comparisons.
      if (seen[g] === 0) {
        seen[g] = 1;
        data[g] = x;
      } else if (sign > 0 ? x > old : x < old) data[g] = x;
      else if (x !== x ? sign > 0 : old !== old && sign < 0) data[g] = x;
    }
  };
  return {
    ensure: (groups) => {
      data = grown(data, groups);
      seen = grown(seen, groups);
    },
    update: (groups, n, args, mask) => {
      const v = args[0]!;
      if (v.layout !== "i64" && large.size === 0) return fast(groups, n, v, mask);
      for (let k = 0; k < n; k++) if (isTaken(v, k, mask)) offer(groups[k]!, valueAt(v, k));
    },
    save: current,
    load: (g, saved) => {
      large.delete(g);
      seen[g] = 0;
      if (saved !== null) offer(g, saved);
    },
    merge: (g, saved) => {
      if (saved !== null) offer(g, saved);
    },
    result: current,
    clear: (g) => {
      large.delete(g);
      seen[g] = 0;
    },
  };
};

const valueExtreme = (sign: 1 | -1, type: DataType): Accumulator => {
  const compare = compareValues(type);
  const better = (a: Value, b: Value): Value =>
    b === null || (a !== null && compare(b, a) * sign <= 0) ? a : b;
  return foldAccumulator<Value>({
    empty: () => null,
    add: (s, [v]) => better(s, v!),
    merge: better,
    result: (s) => s,
    save: (s) => s,
    load: (s) => s,
  });
};

const extreme = (name: "min" | "max", sign: 1 | -1): AggregateDefinition => ({
  name,
  usage: `${name}(x)`,
  summary: `The ${name === "min" ? "least" : "greatest"} value; null without values.`,
  resolve: signature([orderable], (args) => args[0]!.type, { nullable: true }),
  create: (call) => {
    const layout = layoutOf(call.type);
    return layout === "f64" || layout === "i32"
      ? numericExtreme(sign, call.type)
      : valueExtreme(sign, call.type);
  },
  ignoresDuplicates: true,
});

/** [value, ordering]; undefined before the first row with an ordering. Of equal orderings the later row wins, as in Spark. */
type Best = readonly [Value, Value] | null;
const byFold = (sign: 1 | -1, type: DataType): Fold<Best> => {
  const compare = compareValues(type);
  const better = (s: Best, o: Best): Best =>
    o === null || (s !== null && compare(s[1], o[1]) * sign > 0) ? s : o;
  return {
    empty: () => null,
    add: (s, [value, by]) => (by === null ? s : better(s, [value!, by!])),
    merge: better,
    result: (s) => (s === null ? null : s[0]),
    save: (s) => s,
    load: (s) => s as Best,
  };
};

/** The k best of [value, ordering], best first; of equal orderings the earlier row. */
type Top = readonly (readonly [Value, Value])[];
const topFold = (sign: 1 | -1, type: DataType, k: number): Fold<Top> => {
  const compare = compareValues(type);
  const put = (s: Top, entry: readonly [Value, Value]): Top => {
    let at = s.length;
    while (at > 0 && compare(entry[1], s[at - 1]![1]) * sign > 0) at--;
    return at >= k ? s : [...s.slice(0, at), entry, ...s.slice(at, k - 1)];
  };
  return {
    empty: () => [],
    add: (s, [value, by]) => (by === null ? s : put(s, [value!, by!])),
    merge: (s, o) => o.reduce(put, s),
    result: (s) => (s.length === 0 ? null : s.map(([value]) => value)),
    save: (s) => s.map(([value, by]) => [value, by]),
    load: (s) => s as unknown as Top,
  };
};

const TOP_MAX = 100_000;

/** The number of values wanted. @throws AnalysisError DATATYPE_MISMATCH.NON_FOLDABLE_INPUT, DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE */
const topArgument = (args: readonly TypedExpr[], site: CallSite): TypedExpr => {
  const given = coerceArgument(INT, args, 2, site);
  const k = constantOf(site.fold?.(given) ?? given);
  if (k === undefined)
    throw mismatch("NON_FOLDABLE_INPUT", site, args, 'the input `k` should be a foldable "INT" expression.');
  if (k === null || Number(k) < 1 || Number(k) > TOP_MAX)
    throw mismatch(
      "VALUE_OUT_OF_RANGE",
      site,
      args,
      `The \`k\` must be between [1, ${TOP_MAX}] (current value = ${String(k)}).`,
    );
  return { kind: "literal", value: Number(k), type: INT, nullable: false };
};

const by = (name: "min_by" | "max_by", sign: 1 | -1): AggregateDefinition => ({
  name,
  usage: `${name}(x, y[, k])`,
  summary: `x of the row with the ${sign > 0 ? "greatest" : "least"} y; with k an array of the k ${sign > 0 ? "greatest" : "least"}.`,
  resolve: (args, site) => {
    if (args.length > 3) throw wrongNumberOfArguments(site, "[2, 3]", args.length);
    const two = signature([any, orderable], (a) => a[0]!.type, { nullable: true })(args.slice(0, 2), site);
    if (args.length < 3) return two;
    return {
      args: [...two.args, topArgument(args, site)],
      type: array(two.type, two.args[0]!.nullable),
      nullable: true,
    };
  },
  create: (call) => {
    const k = constantOf(call.args[2]);
    return typeof k === "number"
      ? foldAccumulator(topFold(sign, call.args[1]!.type, k))
      : foldAccumulator(byFold(sign, call.args[1]!.type));
  },
  ordered: true,
});

export const EXTREME_AGGREGATES: readonly AggregateDefinition[] = [
  extreme("min", -1),
  extreme("max", 1),
  by("min_by", -1),
  by("max_by", 1),
];
