/** What joins of every kind share: the columns of their output, and equality of keys. */
import { castTo, commonType } from "../expr/coercion.ts";
import type { TypedExpr } from "../expr/ast.ts";
import { binaryDifferentTypes } from "../expr/type-errors.ts";
import type { Resolved, ScopeColumn } from "./analyse-context.ts";
import type { LogicalPlan } from "./logical.ts";
import { equals } from "./typed.ts";

/** The columns of both sides with the nullability of the join's output. */
export const joined = (left: Resolved, right: Resolved, plan: LogicalPlan): Resolved => {
  const semi = plan.kind === "join" && (plan.how === "semi" || plan.how === "anti");
  const byId = new Map(plan.output.map((x) => [x.id, x]));
  const of = (columns: readonly ScopeColumn[]): readonly ScopeColumn[] =>
    columns.flatMap((c) => {
      const attribute = byId.get(c.attribute.id);
      return attribute === undefined ? [] : [{ ...c, attribute }];
    });
  return {
    plan,
    columns: of(semi ? left.columns : [...left.columns, ...right.columns]),
    hidden: of(semi ? left.hidden : [...left.hidden, ...right.hidden]),
  };
};

/** `l = r` at their common type. */
export const equalKeys = (l: TypedExpr, r: TypedExpr): TypedExpr => {
  const type = commonType([l.type, r.type]);
  if (type === undefined) throw binaryDifferentTypes({ fn: "=", timeZone: "UTC" }, [l, r]);
  return equals(castTo(l, type), castTo(r, type));
};
