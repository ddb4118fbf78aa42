/** Aggregates that keep values: collect_list, collect_set, listagg, first, last, any_value, bool_and, bit_and, mode. */
import { array, BOOLEAN, type DataType, STRING } from "../../core/data-type.ts";
import { canonicalLong, type Value } from "../../core/value.ts";
import type { AggregateCall, SortOrder, TypedExpr } from "../ast.ts";
import { castTo, isOrderable } from "../coercion.ts";
import { constantOf, failure } from "../functions/definition.ts";
import { any, integral, signature, type SignatureOptions, stringOrBinary } from "../rules.ts";
import { analysisError, differentTypes, mismatch, sqlType } from "../type-errors.ts";
import { compareNullable, compareValues, valueKey } from "../value-order.ts";
import { type AggregateDefinition, type Fold, foldAccumulator } from "./definition.ts";

type List = Value[];
const plainList = { save: (s: List): Value => [...s], load: (v: Value): List => [...(v as List)] };

const listFold: Fold<List> = {
  ...plainList,
  empty: () => [],
  add: (s, [v]) => {
    if (v !== null) s.push(v!);
    return s;
  },
  merge: (s, o) => [...s, ...o],
  result: (s) => [...s],
};

/** Distinct values in the order they came. */
const setFold = (type: DataType): Fold<Map<Value, Value>> => {
  const key = valueKey(type);
  const put = (s: Map<Value, Value>, v: Value): void => {
    const k = key(v);
    if (!s.has(k)) s.set(k, v);
  };
  return {
    empty: () => new Map(),
    add: (s, [v]) => {
      if (v !== null) put(s, v!);
      return s;
    },
    merge: (s, o) => {
      for (const v of o.values()) put(s, v);
      return s;
    },
    result: (s) => [...s.values()],
    save: (s) => [...s.values()],
    load: (saved) => new Map((saved as List).map((v) => [key(v), v])),
  };
};

/** The comparison of rows by WITHIN GROUP orders whose values begin at `first`. */
export const rowOrder = (orders: readonly SortOrder<TypedExpr>[], first: number) => {
  const compares = orders.map((o) => {
    const compare = compareNullable(o.expr.type);
    return (a: Value, b: Value): number => {
      if (a === null || b === null) return a === b ? 0 : (a === null) === o.nullsFirst ? -1 : 1;
      return o.descending ? compare(b, a) : compare(a, b);
    };
  });
  return (a: readonly Value[], b: readonly Value[]): number => {
    for (let i = 0; i < compares.length; i++) {
      const c = compares[i]!(a[first + i]!, b[first + i]!);
      if (c !== 0) return c;
    }
    return 0;
  };
};

/** Rows of [value, …, order keys]; sorted when asked for. */
const orderedFold = (call: AggregateCall, finish: (values: List) => Value): Fold<Value[][]> => {
  const order = rowOrder(call.orderBy, call.args.length);
  return {
    empty: () => [],
    add: (s, row) => {
      if (row[0] !== null) s.push([...row]);
      return s;
    },
    merge: (s, o) => [...s, ...o],
    result: (s) => finish((call.orderBy.length === 0 ? s : s.toSorted(order)).map((r) => r[0]!)),
    save: (s) => [...s],
    load: (saved) => [...(saved as Value[][])],
  };
};

const listagg = (call: AggregateCall): ReturnType<typeof foldAccumulator> => {
  const delimiter = constantOf(call.args[1]) ?? "";
  return foldAccumulator(
    orderedFold(call, (values) => {
      if (values.length === 0) return null;
      if (call.type.kind !== "binary") return values.join(String(delimiter));
      const between = delimiter instanceof Uint8Array ? [delimiter] : [];
      return new Uint8Array(
        Buffer.concat((values as Uint8Array[]).flatMap((v, i) => (i === 0 ? [v] : [...between, v]))),
      );
    }),
  );
};

/** [value] once there is one: a null may be the first value. */
const edgeFold = (last: boolean, ignoreNulls: boolean): Fold<readonly [Value] | null> => ({
  empty: () => null,
  add: (s, [v]) => ((s !== null && !last) || (ignoreNulls && v === null) ? s : [v!]),
  merge: (s, o) => (o === null || (s !== null && !last) ? s : o),
  result: (s) => (s === null ? null : s[0]),
  save: (s) => s,
  load: (s) => s as readonly [Value] | null,
});

const edge = (
  name: string,
  summary: string,
  last: boolean,
  aliases: readonly string[],
): AggregateDefinition => ({
  name,
  aliases,
  usage: `${name}(x[, ignoreNulls])`,
  summary,
  resolve: signature([any, BOOLEAN], (args) => args[0]!.type, { optional: 1, nullable: true }),
  create: (call) => foldAccumulator(edgeFold(last, call.ignoreNulls || constantOf(call.args[1]) === true)),
  ordered: true,
});

/** A fold of non-null values; null without any. */
const reduceFold = (f: (a: Value, b: Value) => Value): Fold<Value> => {
  const merge = (a: Value, b: Value): Value => (a === null ? b : b === null ? a : f(a, b));
  return {
    empty: () => null,
    add: (s, [v]) => merge(s, v!),
    merge,
    result: (s) => s,
    save: (s) => s,
    load: (s) => s,
  };
};

const reducer = (
  name: string,
  summary: string,
  of: Parameters<typeof signature>[0][number],
  f: (a: Value, b: Value) => Value,
  aliases: readonly string[] = [],
): AggregateDefinition => ({
  name,
  aliases,
  usage: `${name}(x)`,
  summary,
  resolve: signature([of], (args) => args[0]!.type, { nullable: true }),
  create: () => foldAccumulator(reduceFold(f)),
  ignoresDuplicates: name !== "bit_xor",
});

const bits =
  (f: (a: bigint, b: bigint) => bigint) =>
  (a: Value, b: Value): Value =>
    canonicalLong(f(BigInt(a as number | bigint), BigInt(b as number | bigint)));

export type Counts = Map<Value, { readonly value: Value; count: number }>;

const negativeWeight = (weight: number): Error =>
  failure(
    "NEGATIVE_VALUES_IN_FREQUENCY_EXPRESSION",
    `Found the negative value in the frequencies: ${weight}L, but expected a positive integral value.`,
  );

/** How often each value came: the state of mode and of the exact percentiles. */
export const countsFold = (
  type: DataType,
  valueAt: number,
  result: (counts: Counts) => Value,
  weightAt = -1,
): Fold<Counts> => {
  const key = valueKey(type);
  const put = (s: Counts, value: Value, count: number): void => {
    const k = key(value);
    const entry = s.get(k);
    if (entry === undefined) s.set(k, { value, count });
    else entry.count += count;
  };
  return {
    empty: () => new Map(),
    add: (s, row) => {
      const weight = weightAt < 0 ? 1 : row[weightAt];
      if (row[valueAt] === null || weight === null) return s;
      if (Number(weight) < 0) throw negativeWeight(Number(weight));
      if (Number(weight) > 0) put(s, row[valueAt]!, Number(weight));
      return s;
    },
    merge: (s, o) => {
      for (const e of o.values()) put(s, e.value, e.count);
      return s;
    },
    result,
    save: (s) => [...s.values()].map((e) => [e.value, e.count]),
    load: (saved) => {
      const s: Counts = new Map();
      for (const [value, count] of saved as [Value, number][]) put(s, value, count);
      return s;
    },
  };
};

/** The most frequent value; of several the least (or greatest), so that the result depends on nothing but the rows. */
const mostFrequent = (type: DataType, greatest: boolean) => {
  // Of maps the first: they have no order.
  const order = isOrderable(type) ? compareValues(type) : (): number => 0;
  const compare = (a: Value, b: Value): number => (greatest ? order(b, a) : order(a, b));
  return (counts: Counts): Value => {
    let best: { value: Value; count: number } | undefined;
    for (const e of counts.values())
      if (
        best === undefined ||
        e.count > best.count ||
        (e.count === best.count && compare(e.value, best.value) < 0)
      )
        best = e;
    return best?.value ?? null;
  };
};

const mode = (call: AggregateCall): ReturnType<typeof foldAccumulator> => {
  const within = call.args.length === 0 && call.orderBy.length > 0;
  const type = within ? call.orderBy[0]!.expr.type : call.args[0]!.type;
  return foldAccumulator(countsFold(type, 0, mostFrequent(type, within && call.orderBy[0]!.descending)));
};

/** The second argument of mode, "deterministic": a constant boolean. */
const checkMode: SignatureOptions["check"] = (args, site) => {
  const flag = args[1];
  if (flag === undefined) return;
  if (flag.type.kind === "null" || constantOf(site.fold?.(flag) ?? flag) === null)
    throw mismatch("UNEXPECTED_NULL", site, args, "The `deterministic` must not be null.");
  if (flag.type.kind !== "boolean")
    throw analysisError(
      "UNEXPECTED_INPUT_TYPE",
      `Parameter 2 of function \`mode\` requires the "BOOLEAN" type, however it has the type "${sqlType(flag.type)}".`,
      site.position,
    );
  if (constantOf(site.fold?.(flag) ?? flag) === undefined)
    throw analysisError(
      "NON_FOLDABLE_ARGUMENT",
      'The function `mode` requires the parameter `deterministic` to be a foldable expression of the type "BOOLEAN", but the actual argument is a non-foldable.',
      site.position,
    );
};

/** The delimiter of listagg: a constant of the values' own kind. */
const checkDelimiter: SignatureOptions["check"] = (args, site) => {
  const given = args[1];
  if (given === undefined || given.type.kind === "null") return;
  const delimiter = given.type.kind === "binary" ? given : castTo(given, STRING);
  if (delimiter.type.kind !== args[0]!.type.kind) throw differentTypes(site, args);
  if (constantOf(site.fold?.(delimiter) ?? delimiter) === undefined)
    throw mismatch(
      "NON_FOLDABLE_INPUT",
      site,
      args,
      "the input `delimiter` should be a foldable expression.",
    );
  return [args[0]!, delimiter];
};

/** Maps have no equality. */
const checkSet: SignatureOptions["check"] = (args, site) => {
  if (args[0]!.type.kind === "map")
    throw mismatch("UNSUPPORTED_INPUT_TYPE", site, args, "The input of `collect_set` cannot be a map.");
};

export const COLLECTION_AGGREGATES: readonly AggregateDefinition[] = [
  {
    name: "collect_list",
    aliases: ["array_agg"],
    usage: "collect_list(x)",
    summary: "The values that are not null, in the order they came.",
    resolve: signature([any], (args) => array(args[0]!.type, false), { nullable: false }),
    create: (call) =>
      foldAccumulator(
        call.orderBy.length === 0
          ? (listFold as Fold<unknown>)
          : (orderedFold(call, (v) => v) as Fold<unknown>),
      ),
    ordered: true,
  },
  {
    name: "collect_set",
    usage: "collect_set(x)",
    summary: "The distinct values that are not null, in the order they first came.",
    resolve: signature([any], (args) => array(args[0]!.type, false), { nullable: false, check: checkSet }),
    create: (call) => foldAccumulator(setFold(call.args[0]!.type)),
    ordered: true,
    ignoresDuplicates: true,
  },
  {
    name: "listagg",
    aliases: ["string_agg"],
    usage: "listagg(x[, delimiter]) [WITHIN GROUP (ORDER BY …)]",
    summary: "The values that are not null, joined by a delimiter.",
    resolve: signature([stringOrBinary, any], (args) => args[0]!.type, {
      optional: 1,
      nullable: true,
      check: checkDelimiter,
    }),
    create: listagg,
    withinGroup: "list",
    ordered: true,
  },
  edge("first", "The first value; with ignoreNulls the first that is not null.", false, ["first_value"]),
  edge("last", "The last value; with ignoreNulls the last that is not null.", true, ["last_value"]),
  edge("any_value", "Some value; with ignoreNulls one that is not null.", false, []),
  reducer("bool_and", "Whether all values are true.", BOOLEAN, (a, b) => (a as boolean) && (b as boolean), [
    "every",
  ]),
  reducer("bool_or", "Whether any value is true.", BOOLEAN, (a, b) => (a as boolean) || (b as boolean), [
    "some",
    "any",
  ]),
  reducer(
    "bit_and",
    "The bits set in all values.",
    integral,
    bits((a, b) => a & b),
  ),
  reducer(
    "bit_or",
    "The bits set in any value.",
    integral,
    bits((a, b) => a | b),
  ),
  reducer(
    "bit_xor",
    "The bits set in an odd number of values.",
    integral,
    bits((a, b) => a ^ b),
  ),
  {
    name: "mode",
    usage: "mode(x) | mode() WITHIN GROUP (ORDER BY x)",
    summary: "The most frequent value; the least of several.",
    resolve: (args, site, orderBy) =>
      args.length === 0 && orderBy !== undefined && orderBy.length > 0
        ? { args, type: orderBy[0]!.expr.type, nullable: true }
        : signature([any, any], (a) => a[0]!.type, { optional: 1, nullable: true, check: checkMode })(
            args,
            site,
          ),
    create: mode,
    withinGroup: "inverse",
  },
];
