/**
 * Filters, projections and limits over rows that are in the plan are computed while it is made, as in Spark: a static table beside a stream. What is
 * inferred from conditions (known.ts) is not inferred from those that are gone by then.
 *
 *  L1 only deterministic expressions without user code, and only in plans of streams: a batch computes its rows once anyway;
 *  L2 what fails, or depends on the clock, is left to the query.
 */
import { ExecutionError } from "../../core/errors.ts";
import { LOCAL_ROWS_MAX } from "../../core/limits.ts";
import type { Row, Value } from "../../core/value.ts";
import type { TypedExpr } from "../../expr/ast.ts";
import { interpret } from "../../expr/interpret.ts";
import { ClockNeeded, NO_CLOCK } from "../../expr/time/iso-text.ts";
import type { LogicalPlan } from "../logical.ts";
import { transformUp } from "../nodes.ts";
import { replace, some } from "../typed.ts";
import { isDeterministic, type Rule } from "./rule.ts";

type Rows = Extract<LogicalPlan, { kind: "rows" }> & LogicalPlan;

const evaluator = (child: Rows, timeZone: string): ((e: TypedExpr) => (row: Row) => Value) => {
  const index = new Map(child.output.map((a, i) => [a.id, i]));
  const context = { clockMs: NO_CLOCK, timeZone };
  return (e) => {
    const bound = replace(e, (x) =>
      x.kind === "attribute"
        ? { kind: "slot", index: index.get(x.id)!, name: x.name, type: x.type, nullable: x.nullable }
        : undefined,
    );
    return (row) => interpret(bound, row, context);
  };
};

const mayCompute = (e: TypedExpr): boolean =>
  isDeterministic(e) && !some(e, (x) => x.kind === "call" && x.udf !== undefined);

const computed = (p: LogicalPlan, child: Rows, timeZone: string): LogicalPlan => {
  const of = evaluator(child, timeZone);
  const rows = (list: readonly Row[]): LogicalPlan =>
    Object.freeze({ kind: "rows", rows: list, output: p.output, streaming: false });
  switch (p.kind) {
    case "filter": {
      if (!mayCompute(p.condition)) return p;
      const passes = of(p.condition);
      return rows(child.rows.filter((r) => passes(r) === true));
    }
    case "project": {
      if (!p.exprs.every((e) => mayCompute(e.expr))) return p;
      const columns = p.exprs.map((e) => of(e.expr));
      return rows(child.rows.map((r) => columns.map((c) => c(r))));
    }
    case "limit":
      return rows(child.rows.slice(p.offset, p.limit === undefined ? undefined : p.offset + p.limit));
    default:
      return p;
  }
};

const local = (p: LogicalPlan, timeZone: string): LogicalPlan => {
  if (p.kind !== "filter" && p.kind !== "project" && p.kind !== "limit") return p;
  const { child } = p;
  if (child.kind !== "rows" || child.streaming || child.rows.length > LOCAL_ROWS_MAX) return p;
  try {
    return computed(p, child, timeZone);
  } catch (e) {
    if (e instanceof ExecutionError || e instanceof ClockNeeded) return p;
    throw e;
  }
};

export const localRows = (timeZone: string): Rule => ({
  name: "localRows",
  apply: (plan) => (plan.streaming ? transformUp(plan, (p) => local(p, timeZone)) : plan),
});
