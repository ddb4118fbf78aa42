/**
 * A condition with a subquery over static data is a join by now, but Spark moves it as a condition first: below the watermark when it does not read the
 * event-time column (P2 of filter-push-down.ts), so that the rows it drops do not advance the watermark. Joins that the user wrote stay where they are.
 */
import type { Attribute, TypedExpr } from "../../expr/ast.ts";
import type { LogicalPlan } from "../logical.ts";
import { filter, join, pass, transformUp } from "../nodes.ts";
import { and, attributesOf, conjuncts, substitute } from "../typed.ts";
import { isDeterministic, type Rule } from "./rule.ts";

type Join = Extract<LogicalPlan, { kind: "join" }> & LogicalPlan;

/** A join with a subquery, and the condition above it that reads the subquery's column. */
interface Test {
  readonly join: Join;
  readonly above: TypedExpr | undefined;
}

/** Columns that the join adds to its left side's. */
const added = (test: Test): readonly Attribute[] => test.join.output.slice(test.join.left.output.length);

const reads = (test: Test): readonly Attribute[] =>
  attributesOf(...conjuncts(test.join.condition), ...conjuncts(test.above));

const substituted = (test: Test, by: ReadonlyMap<number, TypedExpr>): Test => ({
  join: { ...test.join, condition: and(conjuncts(test.join.condition).map((e) => substitute(e, by))) },
  above: and(conjuncts(test.above).map((e) => substitute(e, by))),
});

/** `left` with the test on its rows below its watermark; undefined when there is none that the test may pass. */
const below = (left: LogicalPlan, test: Test): LogicalPlan | undefined => {
  switch (left.kind) {
    case "watermark": {
      if (reads(test).some((a) => a.id === left.column.id)) return undefined;
      const child = below(left.child, test) ?? placed(left.child, test);
      return Object.freeze({ ...left, child, output: [...left.output, ...added(test)] });
    }
    case "filter": {
      const child = below(left.child, test);
      return child && filter(child, left.condition);
    }
    case "aggregate": {
      const keys = new Set(left.keys.filter((k) => k.id !== left.session?.key.id).map((k) => k.id));
      const own = new Set(left.output.map((a) => a.id));
      if (added(test).length > 0 || reads(test).some((a) => own.has(a.id) && !keys.has(a.id)))
        return undefined;
      return Object.freeze({ ...left, child: below(left.child, test) ?? placed(left.child, test) });
    }
    case "project": {
      if (!left.exprs.every((e) => isDeterministic(e.expr))) return undefined;
      const child = below(
        left.child,
        substituted(test, new Map(left.exprs.map((e) => [e.attribute.id, e.expr]))),
      );
      if (child === undefined) return undefined;
      const more = added(test);
      return Object.freeze({
        ...left,
        child,
        exprs: [...left.exprs, ...more.map(pass)],
        output: [...left.output, ...more],
      });
    }
    default:
      return undefined;
  }
};

const placed = (left: LogicalPlan, { join: j, above }: Test): LogicalPlan => {
  const more = {
    ...(j.origin === undefined ? {} : { origin: j.origin }),
    ...(j.nullAware === undefined ? {} : { nullAware: j.nullAware }),
  };
  return filter(join(left, j.right, j.how, j.condition, more), above);
};

const isSubquery = (p: LogicalPlan): p is Join =>
  p.kind === "join" && p.origin === "subquery" && p.left.streaming && !p.right.streaming;

const moved = (p: LogicalPlan): LogicalPlan => {
  // EXISTS and IN, and a comparison with the one value of a subquery
  if (isSubquery(p) && ["semi", "anti", "inner"].includes(p.how))
    return below(p.left, { join: p, above: undefined }) ?? p;
  if (p.kind === "filter" && isSubquery(p.child) && p.child.how === "left") {
    const own = new Set(p.child.right.output.map((a) => a.id));
    const parts = conjuncts(p.condition);
    const asks = parts.filter((e) => isDeterministic(e) && attributesOf(e).some((a) => own.has(a.id)));
    if (asks.length === 0) return p;
    const child = below(p.child.left, { join: p.child, above: and(asks) });
    return child === undefined ? p : filter(child, and(parts.filter((e) => !asks.includes(e))));
  }
  return p;
};

export const subqueryPushDown: Rule = { name: "subqueryPushDown", apply: (plan) => transformUp(plan, moved) };
