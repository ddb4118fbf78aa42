/**
 * Nodes of a stream that change no row of the result, taken out as Spark takes them out, since that decides what is kept in state and what moves the
 * watermark.
 *
 *  N1 an aggregate below another that reads its keys only and to which duplicates are nothing;
 *  N2 DISTINCT of rows that differ in its columns already;
 *  N3 the outer side of a left or right join that nobody reads, where its rows cannot multiply the others or where that is nothing to an aggregate above;
 *  N4 what is below a condition that no row fulfils, or below LIMIT 0;
 *  N5 with compatibility "spark" a watermark taken out stays as one that never sees a row: it holds the query's watermark where it is, as it does in
 *     Spark, and no window behind it ever closes. By default it goes with its rows (N3), and N4 leaves the rows that move a watermark.
 */
import { BOOLEAN } from "../../core/data-type.ts";
import type { TypedExpr } from "../../expr/ast.ts";
import { equiKeys } from "../join-watermarks.ts";
import type { LogicalPlan } from "../logical.ts";
import {
  childrenOf,
  filter,
  keep,
  mapPlanChildren,
  pass,
  project,
  transformUp,
  union,
  withChildren,
} from "../nodes.ts";
import { aggregateExprs, attributesOf, conjuncts, literal, nullOf } from "../typed.ts";
import { isDeterministic, type Rule } from "./rule.ts";

type Of<K extends LogicalPlan["kind"]> = Extract<LogicalPlan, { kind: K }> & LogicalPlan;
type Ids = ReadonlySet<number>;
type Compatibility = "extended" | "spark";

const FALSE = literal(false, BOOLEAN);
const AGNOSTIC: ReadonlySet<string> = new Set([
  "max",
  "min",
  "bool_and",
  "bool_or",
  "every",
  "any",
  "some",
  "bit_and",
  "bit_or",
  "collect_set",
  "first",
  "last",
]);

const idsOf = (list: readonly { readonly id: number }[]): Ids => new Set(list.map((a) => a.id));
const isNever = (e: TypedExpr): boolean => e.kind === "literal" && e.value !== true;

/** The plan with all its watermarks over no rows (N5). */
const idle = (plan: LogicalPlan): LogicalPlan => {
  if (plan.kind !== "watermark") return mapPlanChildren(plan, idle);
  const { child } = plan;
  return child.kind === "filter" && isNever(child.condition)
    ? plan
    : withChildren(plan, [filter(child, FALSE)]);
};

const watermarksOf = (plan: LogicalPlan): readonly LogicalPlan[] =>
  plan.kind === "watermark" ? [plan] : childrenOf(plan).flatMap(watermarksOf);

/** `kept` alone, beside what holds the watermarks of a plan that is no more (N5). */
const without = (kept: LogicalPlan, gone: LogicalPlan, compatibility: Compatibility): LogicalPlan => {
  if (compatibility === "extended") return kept;
  const marks = watermarksOf(gone).map((w) =>
    project(
      idle(w),
      kept.output.map((a) => ({ attribute: pass(a).attribute, expr: nullOf(a.type) })),
    ),
  );
  return marks.length === 0 ? kept : union([kept, ...marks], kept.output);
};

/** Sets of columns in which no two rows are alike. */
const distinctKeys = (plan: LogicalPlan): Ids | undefined => {
  switch (plan.kind) {
    case "aggregate":
      return plan.session === undefined ? idsOf(plan.keys) : undefined;
    case "filter":
    case "sort":
    case "limit":
      return distinctKeys(plan.child);
    case "project": {
      const below = distinctKeys(plan.child);
      const named = [...(below ?? [])].map(
        (id) => plan.exprs.find((e) => e.expr.kind === "attribute" && e.expr.id === id)?.attribute.id,
      );
      return below === undefined || named.includes(undefined) ? undefined : new Set(named as number[]);
    }
    default:
      return undefined;
  }
};

const agnostic = (p: Of<"aggregate">): boolean =>
  p.session === undefined &&
  p.aggregates.every((a) => a.call.udf === undefined && (a.call.distinct || AGNOSTIC.has(a.call.fn)));

/** N3: what stays of the join when only `wanted` is read of it. */
const remaining = (
  p: LogicalPlan,
  wanted: Ids,
  anyway: boolean,
  compatibility: Compatibility,
): LogicalPlan | undefined => {
  if (p.kind !== "join" || p.origin !== undefined || (p.how !== "left" && p.how !== "right"))
    return undefined;
  const [kept, gone] = p.how === "left" ? [p.left, p.right] : [p.right, p.left];
  if (!gone.streaming || ![...wanted].every((id) => idsOf(kept.output).has(id))) return undefined;
  const keys = equiKeys(p)[p.how === "left" ? "right" : "left"];
  const unique = p.how === "left" ? distinctKeys(gone) : undefined;
  const joined = idsOf(keys.filter((k) => k.kind === "attribute"));
  const once = unique !== undefined && [...unique].every((id) => joined.has(id));
  return anyway || once ? without(kept, gone, compatibility) : undefined;
};

const aggregated = (p: Of<"aggregate">, compatibility: Compatibility): LogicalPlan => {
  const exprs = [...p.keys, ...p.aggregates.flatMap((a) => aggregateExprs(a.call))];
  const wanted = idsOf(attributesOf(...exprs));
  const { child } = p;
  if (p.aggregates.length === 0 && p.session === undefined && p.keys.length > 0) {
    const unique = distinctKeys(child);
    if (unique !== undefined && [...unique].every((id) => wanted.has(id))) return keep(child, p.keys);
  }
  if (!agnostic(p)) return p;
  const next = belowProjections(child, wanted, compatibility);
  return next === undefined ? p : withChildren(p, [next]);
};

/** The aggregate's child without the aggregate (N1) or the join (N3) that is below its projections. */
const belowProjections = (
  p: LogicalPlan,
  wanted: Ids,
  compatibility: Compatibility,
): LogicalPlan | undefined => {
  switch (p.kind) {
    case "project": {
      const used = p.exprs.filter((e) => wanted.has(e.attribute.id)).map((e) => e.expr);
      if (!used.every(isDeterministic)) return undefined;
      const exprs = p.exprs.filter((e) => wanted.has(e.attribute.id));
      const next = belowProjections(p.child, idsOf(attributesOf(...used)), compatibility);
      return next && project(next, exprs);
    }
    case "aggregate":
      return p.session === undefined && [...wanted].every((id) => idsOf(p.keys).has(id)) && p.keys.length > 0
        ? keep(p.child, p.keys)
        : undefined;
    default:
      return remaining(p, wanted, true, compatibility);
  }
};

/** N4: a part that gives no row, with its watermarks over none. */
const empty = (p: LogicalPlan): LogicalPlan => {
  switch (p.kind) {
    case "filter":
      return conjuncts(p.condition).some(isNever) ? withChildren(p, [idle(p.child)]) : p;
    case "limit":
      return p.limit === 0 ? withChildren(p, [idle(p.child)]) : p;
    case "join": {
      // no row of the other side meets one of a static side without rows: the stream is not even read
      if (p.how !== "inner" && p.how !== "semi") return p;
      const none = (x: LogicalPlan): boolean => !x.streaming && x.kind === "rows" && x.rows.length === 0;
      return none(p.left) || none(p.right) ? mapPlanChildren(p, idle) : p;
    }
    default:
      return p;
  }
};

const simpler = (p: LogicalPlan, compatibility: Compatibility): LogicalPlan => {
  if (!p.streaming) return p;
  switch (p.kind) {
    case "aggregate":
      return aggregated(p, compatibility);
    case "project": {
      const wanted = idsOf(attributesOf(...p.exprs.map((e) => e.expr)));
      const next = remaining(p.child, wanted, false, compatibility);
      return next === undefined ? p : withChildren(p, [next]);
    }
    default:
      return compatibility === "spark" ? empty(p) : p;
  }
};

export const needlessNodes = (compatibility: Compatibility): Rule => ({
  name: "needlessNodes",
  apply: (plan) => transformUp(plan, (p) => simpler(p, compatibility)),
});
