/**
 * What a rule of the optimiser is: a function from plans to plans that changes no row, no order and no column id of the root's output. A rule that
 * finds nothing to do gives the same object back.
 */
import type { TypedExpr } from "../../expr/ast.ts";
import { lookupFunction } from "../../expr/registry.ts";
import type { LogicalPlan } from "../logical.ts";
import { mapAggregate, mapOrders, some } from "../typed.ts";

export interface Rule {
  readonly name: string;
  readonly apply: (plan: LogicalPlan) => LogicalPlan;
}

/** Same inputs, same value: may be moved, copied and dropped. User functions count as such, as in Spark. */
export const isDeterministic = (e: TypedExpr): boolean =>
  !some(e, (x) => x.kind === "call" && x.udf === undefined && lookupFunction(x.fn)?.deterministic === false);

/** Costs next to nothing to compute twice. */
export const isCheap = (e: TypedExpr): boolean => {
  switch (e.kind) {
    case "attribute":
    case "literal":
    case "slot":
      return true;
    case "field":
      return isCheap(e.child);
    default:
      return false;
  }
};

/** The node with `f` applied to each of its own expressions; keys stay. */
export const mapNodeExprs = (p: LogicalPlan, f: (e: TypedExpr) => TypedExpr): LogicalPlan => {
  switch (p.kind) {
    case "project": {
      const exprs = p.exprs.map((e) => {
        const expr = f(e.expr);
        return expr === e.expr ? e : { ...e, expr };
      });
      return exprs.every((e, i) => e === p.exprs[i]) ? p : Object.freeze({ ...p, exprs });
    }
    case "filter": {
      const condition = f(p.condition);
      return condition === p.condition ? p : Object.freeze({ ...p, condition });
    }
    case "join":
    case "apply": {
      const condition = p.condition === undefined ? undefined : f(p.condition);
      return condition === p.condition ? p : Object.freeze({ ...p, condition });
    }
    case "aggregate":
      return Object.freeze({
        ...p,
        aggregates: p.aggregates.map((a) => ({ ...a, call: mapAggregate(a.call, f) })),
      });
    case "expand":
      return Object.freeze({ ...p, projections: p.projections.map((row) => row.map(f)) });
    case "sort":
      return Object.freeze({ ...p, orders: mapOrders(p.orders, f) });
    case "window":
      return Object.freeze({
        ...p,
        partitionBy: p.partitionBy.map(f),
        orderBy: mapOrders(p.orderBy, f),
        functions: p.functions.map((x) => ({ ...x, call: mapAggregate(x.call, f) })),
      });
    case "generate":
      return Object.freeze({ ...p, args: p.args.map(f) });
    default:
      return p;
  }
};
