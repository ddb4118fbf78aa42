/** Constant subexpressions become literals. What would fail is left, for the row that reaches it (src/expr/fold.ts). */
import type { TypedExpr } from "../../expr/ast.ts";
import { fold } from "../../expr/fold.ts";
import { transformUp } from "../nodes.ts";
import { mapChildren } from "../typed.ts";
import { mapNodeExprs, type Rule } from "./rule.ts";

/** Top down, so that a constant is evaluated once as a whole. Types are kept: a folded null keeps its type. */
const folded = (e: TypedExpr, timeZone: string): TypedExpr => {
  if (e.kind === "literal" || e.kind === "lambda" || e.kind === "attribute") return e;
  const whole = fold(e, timeZone);
  return whole.kind === "literal" ? whole : mapChildren(e, (c) => folded(c, timeZone));
};

export const constantFolding = (timeZone: string): Rule => ({
  name: "constantFolding",
  apply: (plan) => transformUp(plan, (p) => mapNodeExprs(p, (e) => folded(e, timeZone))),
});
