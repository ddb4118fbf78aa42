/** GROUPING SETS, CUBE, ROLLUP: the copies of each row, and `grouping(…)`, `grouping_id(…)`. */
import { BYTE, INT, LONG } from "../core/data-type.ts";
import type { Attribute, Expr, TypedExpr } from "../expr/ast.ts";
import { type Analysis, fail } from "./analyse-context.ts";
import type { Keys } from "./analyse-grouping.ts";
import type { LogicalPlan } from "./logical.ts";
import { extend } from "./nodes.ts";
import { callOf, literal, longLiteral, nullOf } from "./typed.ts";

export interface GroupingSets {
  /** Keys of the aggregate: nullable copies of the grouping expressions, the grouping id, and a position where sets repeat. */
  readonly keys: readonly Attribute[];
  /** exprKey of a grouping expression → its copy. */
  readonly byKey: ReadonlyMap<string, Attribute>;
  readonly order: readonly string[];
  readonly groupingId: Attribute;
  readonly apply: (plan: LogicalPlan) => LogicalPlan;
}

/** Bit i from the left (the first grouping expression highest) is set when the expression is left out of the set. */
const idOf = (order: readonly string[], set: ReadonlySet<string>): number =>
  order.reduce((id, key) => id * 2 + (set.has(key) ? 0 : 1), 0);

export const expandSets = (
  analysis: Analysis,
  keys: Keys,
  sets: readonly (readonly Expr[])[],
  keyOf: (e: Expr) => string,
): GroupingSets => {
  const order = [...keys.byKey.keys()];
  const originals = [...keys.byKey.values()];
  const copies = originals.map((a) => analysis.attribute(a.name, a.type, true, a.eventTimeDelayMs));
  const groupingId = analysis.attribute("spark_grouping_id", LONG, false);
  const chosen = sets.map((s) => new Set(s.map(keyOf)));
  const ids = chosen.map((s) => idOf(order, s));
  const repeated = new Set(ids).size < ids.length;
  const place = repeated ? analysis.attribute("_gen_grouping_pos", INT, false) : undefined;
  const added = [...copies, groupingId, ...(place === undefined ? [] : [place])];
  const rowOf = (set: ReadonlySet<string>, i: number): readonly TypedExpr[] => [
    ...originals.map((a, k) => (set.has(order[k]!) ? a : nullOf(a.type))),
    longLiteral(ids[i]!),
    ...(place === undefined ? [] : [literal(i, INT)]),
  ];
  const apply = (plan: LogicalPlan): LogicalPlan => {
    const input = extend(plan, []);
    return Object.freeze({
      kind: "expand",
      child: input,
      projections: chosen.map((set, i) => [...input.output, ...rowOf(set, i)]),
      output: [...input.output, ...added],
      streaming: input.streaming,
    });
  };
  const byKey = new Map(order.map((key, i) => [key, copies[i]!] as const));
  byKey.set(`#${groupingId.id}`, groupingId);
  return { keys: added, byKey, order, groupingId, apply };
};

/** `grouping(k)`: 1 when the row is grouped over all values of k. `grouping_id(…)`: the bits of all. */
export const groupingCall = (
  e: Extract<Expr, { kind: "call" }>,
  sets: GroupingSets | undefined,
  keyOf: (e: Expr) => string,
): TypedExpr | undefined => {
  const fn = e.fn.toLowerCase();
  if (fn !== "grouping" && fn !== "grouping_id") return undefined;
  if (sets === undefined)
    return fail(
      "UNSUPPORTED_GROUPING_EXPRESSION",
      "grouping()/grouping_id() can only be used with GroupingSets/Cube/Rollup.",
      e.position,
    );
  if (fn === "grouping") {
    const i = e.args.length === 1 ? sets.order.indexOf(keyOf(e.args[0]!)) : -1;
    if (i < 0) return notGrouped(e, "GROUPING_COLUMN_MISMATCH");
    return bit(sets, sets.order.length - 1 - i, true);
  }
  if (e.args.length === 0) return sets.groupingId;
  const wanted = e.args.map((a) => sets.order.indexOf(keyOf(a)));
  if (wanted.some((i) => i < 0)) return notGrouped(e, "GROUPING_ID_COLUMN_MISMATCH");
  if (wanted.length === sets.order.length && wanted.every((w, i) => w === i)) return sets.groupingId;
  return notGrouped(e, "GROUPING_ID_COLUMN_MISMATCH");
};

const bit = (sets: GroupingSets, shift: number, asByte: boolean): TypedExpr => {
  const shifted = callOf("shiftright", [sets.groupingId, literal(shift, INT)], LONG);
  const value = callOf("&", [shifted, longLiteral(1)], LONG);
  return asByte ? { kind: "cast", child: value, type: BYTE, tryCast: false, nullable: false } : value;
};

const notGrouped = (e: Expr, errorClass: string): never =>
  fail(errorClass, "The columns of grouping()/grouping_id() must be the grouping columns.", e.position);
