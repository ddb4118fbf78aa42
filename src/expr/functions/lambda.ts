/** Higher-order functions. A lambda arrives as a JS function of values. L1: predicates follow three-valued logic: filter keeps what is true, exists and forall know null. */
import { array as arrayOf, BOOLEAN, type DataType, INT, map as mapOf } from "../../core/data-type.ts";
import type { Value } from "../../core/value.ts";
import type { TypedExpr } from "../ast.ts";
import { castTo, commonTypeWithoutStrings } from "../coercion.ts";
import type { CallSite, FunctionDefinition, LambdaParameter, TypeRule } from "../function.ts";
import { any, array, lambda, map, signature } from "../rules.ts";
import { mismatch, sqlType } from "../type-errors.ts";
import { valueKey } from "../value-order.ts";
import { elementOf, mayHaveNull } from "./array-rules.ts";
import { custom, family } from "./definition.ts";
import { type Entries, uniqueKeys } from "./map-entries.ts";

const fn = family("lambda");
type List = readonly Value[];
type F = (...args: Value[]) => Value;
type MapType = DataType & { kind: "map" };

const element = (args: readonly TypedExpr[], i = 0): LambdaParameter => {
  const t = args[i]!.type;
  return { type: elementOf(t), nullable: mayHaveNull(t) };
};
const index: LambdaParameter = { type: INT, nullable: false };
const mapType = (args: readonly TypedExpr[], i = 0): MapType => args[i]!.type as MapType;
const keyValue = (args: readonly TypedExpr[]): readonly LambdaParameter[] => {
  const t = mapType(args);
  return [
    { type: t.key, nullable: false },
    { type: t.value, nullable: t.valueContainsNull },
  ];
};
const withIndex = (args: readonly TypedExpr[], arity: number): readonly LambdaParameter[] =>
  arity === 1 ? [element(args)] : [element(args), index];
const nullableArray = (args: readonly TypedExpr[]): boolean => args[0]!.nullable;

const exists = (list: List, f: F): Value => {
  let unknown = false;
  for (const x of list) {
    const r = f(x);
    if (r === true) return true;
    if (r === null) unknown = true;
  }
  return unknown ? null : false;
};
const forall = (list: List, f: F): Value => {
  let unknown = false;
  for (const x of list) {
    const r = f(x);
    if (r === false) return false;
    if (r === null) unknown = true;
  }
  return unknown ? null : true;
};

const arrays: readonly FunctionDefinition[] = [
  fn(
    "transform(array, x -> …)",
    "Each element through a function; `(x, i) -> …` gets its index from 0 too.",
    signature([array, lambda(withIndex, [1, 2])], (args) => arrayOf(args[1]!.type, args[1]!.nullable), {
      nullable: nullableArray,
    }),
    custom<[List | null, F]>(([l, f]) => (l === null ? null : l.map((x, i) => f(x, i)))),
    { examples: [["transform(array(1, 2, 3), x -> x + 1)", "[2, 3, 4]"]] },
  ),
  fn(
    "filter(array, x -> …)",
    "The elements for which a predicate is true.",
    signature([array, lambda(withIndex, [1, 2], BOOLEAN, true)], (args) => args[0]!.type, {
      nullable: nullableArray,
    }),
    custom<[List | null, F]>(([l, f]) => (l === null ? null : l.filter((x, i) => f(x, i) === true))),
    { examples: [["filter(array(1, 2, 3), x -> x % 2 == 1)", "[1, 3]"]] },
  ),
  fn(
    "exists(array, x -> …)",
    "Whether a predicate is true for any element.",
    signature([array, lambda((args) => [element(args)], 1, BOOLEAN, true)], BOOLEAN, { nullable: true }),
    custom<[List | null, F]>(([l, f]) => (l === null ? null : exists(l, f))),
    {
      aliases: ["any_match"],
      examples: [["exists(array(1, 2, 3), x -> x % 2 == 0)", "true"]],
    },
  ),
  fn(
    "forall(array, x -> …)",
    "Whether a predicate is true for all elements.",
    signature([array, lambda((args) => [element(args)], 1, BOOLEAN, true)], BOOLEAN, { nullable: true }),
    custom<[List | null, F]>(([l, f]) => (l === null ? null : forall(l, f))),
    {
      aliases: ["all_match"],
      examples: [["forall(array(1, 2, 3), x -> x % 2 == 0)", "false"]],
    },
  ),
  fn(
    "aggregate(array, start, (acc, x) -> …[, acc -> …])",
    "Folds an array from a start value; a last function shapes the result.",
    signature(
      [
        array,
        any,
        lambda(
          (args) => [{ type: args[1]!.type, nullable: true }, element(args)],
          2,
          (args) => args[1]!.type,
          true,
        ),
        lambda((args) => [{ type: args[1]!.type, nullable: true }], 1),
      ],
      (args) => args[3]?.type ?? args[1]!.type,
      { optional: 1, nullable: true },
    ),
    custom<[List | null, Value, F, F | undefined]>(([l, start, merge, finish]) => {
      if (l === null) return null;
      const folded = l.reduce<Value>((acc, x) => merge(acc, x), start);
      return finish === undefined ? folded : finish(folded);
    }),
    { aliases: ["reduce"], examples: [["aggregate(array(1, 2, 3), 0, (acc, x) -> acc + x)", "6"]] },
  ),
  fn(
    "zip_with(a, b, (x, y) -> …)",
    "The elements of two arrays through a function, side by side; the shorter is filled with nulls.",
    signature(
      [
        array,
        array,
        lambda(
          (args) => [
            { ...element(args), nullable: true },
            { ...element(args, 1), nullable: true },
          ],
          2,
        ),
      ],
      (args) => arrayOf(args[2]!.type, args[2]!.nullable),
      { nullable: (args) => args[0]!.nullable || args[1]!.nullable },
    ),
    custom<[List | null, List | null, F]>(([a, b, f]) =>
      a === null || b === null
        ? null
        : Array.from({ length: Math.max(a.length, b.length) }, (_, i) => f(a[i] ?? null, b[i] ?? null)),
    ),
    { examples: [["zip_with(array(1, 2), array(3, 4), (x, y) -> x + y)", "[4, 6]"]] },
  ),
];

const mapZip = (a: Entries, b: Entries, type: DataType, f: F): Value => {
  const key = valueKey(type);
  const rows = new Map<unknown, [Value, Value, Value]>();
  for (const [k, v] of a) rows.set(key(k), [k, v, null]);
  for (const [k, v] of b) {
    const row = rows.get(key(k));
    if (row === undefined) rows.set(key(k), [k, null, v]);
    else row[2] = v;
  }
  return [...rows.values()].map(([k, x, y]) => [k, f(k, x, y)] as const);
};

/** Two maps with the keys of one type. */
const withCommonKeys = (args: readonly TypedExpr[], site: CallSite): readonly TypedExpr[] => {
  const [a, b] = [args[0]?.type, args[1]?.type];
  if (a?.kind !== "map" || b?.kind !== "map") return args;
  const key = commonTypeWithoutStrings(a.key, b.key);
  if (key === undefined)
    throw mismatch(
      "MAP_ZIP_WITH_DIFF_TYPES",
      site,
      args,
      `Input to the \`${site.fn}\` should have been two maps with compatible key types, but it's ["${sqlType(a.key)}", "${sqlType(b.key)}"].`,
    );
  return args.map((e, i) => {
    const m = i === 0 ? a : b;
    return i < 2 ? castTo(e, mapOf(key, m.value, m.valueContainsNull)) : e;
  });
};

const sameKeys = (rule: TypeRule): TypeRule =>
  Object.assign((raw: readonly TypedExpr[], site: CallSite) => rule(withCommonKeys(raw, site), site), {
    lambdaParameters: (index: number, before: readonly TypedExpr[], arity: number, site: CallSite) =>
      rule.lambdaParameters!(index, withCommonKeys(before, site), arity, site),
  });

const maps: readonly FunctionDefinition[] = [
  fn(
    "map_filter(map, (k, v) -> …)",
    "The entries for which a predicate is true.",
    signature([map, lambda(keyValue, 2, BOOLEAN, true)], (args) => args[0]!.type, {
      nullable: nullableArray,
    }),
    custom<[Entries | null, F]>(([m, f]) => (m === null ? null : m.filter(([k, v]) => f(k, v) === true))),
    {
      examples: [["map_filter(map(1, 0, 2, 2, 3, -1), (k, v) -> k > v)", "{1 -> 0, 3 -> -1}"]],
    },
  ),
  fn(
    "transform_keys(map, (k, v) -> …)",
    "The map with its keys replaced.",
    signature(
      [map, lambda(keyValue, 2)],
      (args) => mapOf(args[1]!.type, mapType(args).value, mapType(args).valueContainsNull),
      { nullable: nullableArray },
    ),
    custom<[Entries | null, F]>(([m, f], call) =>
      m === null
        ? null
        : uniqueKeys(
            m.map(([k, v]) => [f(k, v), v] as const),
            (call.type as MapType).key,
          ),
    ),
    {
      examples: [
        [
          "transform_keys(map_from_arrays(array(1, 2, 3), array(1, 2, 3)), (k, v) -> k + 1)",
          "{2 -> 1, 3 -> 2, 4 -> 3}",
        ],
      ],
    },
  ),
  fn(
    "transform_values(map, (k, v) -> …)",
    "The map with its values replaced.",
    signature(
      [map, lambda(keyValue, 2)],
      (args) => mapOf(mapType(args).key, args[1]!.type, args[1]!.nullable),
      { nullable: nullableArray },
    ),
    custom<[Entries | null, F]>(([m, f]) => (m === null ? null : m.map(([k, v]) => [k, f(k, v)] as const))),
    {
      examples: [
        [
          "transform_values(map_from_arrays(array(1, 2, 3), array(1, 2, 3)), (k, v) -> v + 1)",
          "{1 -> 2, 2 -> 3, 3 -> 4}",
        ],
      ],
    },
  ),
  fn(
    "map_zip_with(a, b, (k, x, y) -> …)",
    "The entries of two maps with the same keys through a function.",
    sameKeys(
      signature(
        [
          map,
          map,
          lambda(
            (args) => [
              { type: mapType(args).key, nullable: false },
              { type: mapType(args).value, nullable: true },
              { type: mapType(args, 1).value, nullable: true },
            ],
            3,
          ),
        ],
        (args) => mapOf(mapType(args).key, args[2]!.type, args[2]!.nullable),
        { nullable: (args) => args[0]!.nullable || args[1]!.nullable },
      ),
    ),
    custom<[Entries | null, Entries | null, F]>(([a, b, f], call) =>
      a === null || b === null ? null : mapZip(a, b, (call.type as MapType).key, f),
    ),
    {
      examples: [
        [
          "map_zip_with(map(1, 'a', 2, 'b'), map(1, 'x', 2, 'y'), (k, v1, v2) -> concat(v1, v2))",
          "{1 -> ax, 2 -> by}",
        ],
      ],
    },
  ),
];

export const LAMBDA_FUNCTIONS: readonly FunctionDefinition[] = [...arrays, ...maps];
