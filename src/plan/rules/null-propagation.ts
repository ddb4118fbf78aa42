/**
 * A strict function of a null is null; `isnull`/`isnotnull` of a column that is never null is decided. The other arguments of a strict function are
 * evaluated no more, as in Spark.
 */
import { BOOLEAN } from "../../core/data-type.ts";
import type { TypedExpr } from "../../expr/ast.ts";
import { lookupFunction } from "../../expr/registry.ts";
import { transformUp } from "../nodes.ts";
import { literal, nullOf, rewrite } from "../typed.ts";
import { mapNodeExprs, type Rule } from "./rule.ts";

const isNullLiteral = (e: TypedExpr): boolean => e.kind === "literal" && e.value === null;
const neverNull = (e: TypedExpr): boolean => !e.nullable && (e.kind === "attribute" || e.kind === "literal");

const propagated = (e: TypedExpr): TypedExpr => {
  if (e.kind === "cast" && isNullLiteral(e.child)) return nullOf(e.type);
  if (e.kind === "field" && isNullLiteral(e.child)) return nullOf(e.type);
  if (e.kind !== "call" || e.udf !== undefined) return e;
  const first = e.args[0];
  if (e.args.length === 1 && (e.fn === "isnull" || e.fn === "isnotnull")) {
    if (isNullLiteral(first!)) return literal(e.fn === "isnull", BOOLEAN);
    return neverNull(first!) ? literal(e.fn === "isnotnull", BOOLEAN) : e;
  }
  return lookupFunction(e.fn)?.nulls === "strict" && e.args.some(isNullLiteral) ? nullOf(e.type) : e;
};

export const nullPropagation: Rule = {
  name: "nullPropagation",
  apply: (plan) => transformUp(plan, (p) => mapNodeExprs(p, (e) => rewrite(e, propagated))),
};
