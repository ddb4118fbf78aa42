/**
 * Constant folding. F1: only deterministic calls that need neither row nor clock are folded. F2: an expression whose evaluation fails is left
 * as it is: the error belongs to the row that reaches it, if one does.
 */
import type { TypedExpr } from "./ast.ts";
import { ExecutionError } from "../core/errors.ts";
import { castNeedsContext } from "./cast.ts";
import { interpret } from "./interpret.ts";
import { lookupFunction } from "./registry.ts";

/** Needs the session's zone, unknown when plans are shared: folded only with a zone given. */
const ZONED = new Set(["timestamp"]);

const isConstant = (e: TypedExpr, zoned: boolean): boolean => {
  switch (e.kind) {
    case "literal":
      return true;
    case "cast":
      return isConstant(e.child, zoned) && (zoned || !castNeedsContext(e.child.type, e.type));
    case "call": {
      const d = e.udf === undefined ? lookupFunction(e.fn) : undefined;
      if (d === undefined || d.deterministic === false) return false;
      if (!zoned && e.args.some((a) => ZONED.has(a.type.kind))) return false;
      return e.args.every((a) => isConstant(a, zoned));
    }
    case "case":
      return (
        e.branches.every(([c, v]) => isConstant(c, zoned) && isConstant(v, zoned)) &&
        isConstant(e.otherwise, zoned)
      );
    case "field":
      return isConstant(e.child, zoned);
    case "lambda":
      return isConstant(e.body, zoned);
    case "variable":
      return true;
    case "slot":
    case "attribute":
      return false;
  }
};

const mapChildren = (e: TypedExpr, f: (child: TypedExpr) => TypedExpr): TypedExpr => {
  switch (e.kind) {
    case "cast":
    case "field":
      return { ...e, child: f(e.child) };
    case "call":
      return { ...e, args: e.args.map(f) };
    case "case":
      return { ...e, branches: e.branches.map(([c, v]) => [f(c), f(v)] as const), otherwise: f(e.otherwise) };
    case "lambda":
      return { ...e, body: f(e.body) };
    default:
      return e;
  }
};

/** A constant expression as a literal (F1, F2); any other as it is. */
export const fold = (e: TypedExpr, timeZone?: string): TypedExpr => {
  if (e.kind === "literal" || e.kind === "lambda" || e.kind === "variable") return e;
  if (!isConstant(e, timeZone !== undefined)) return e;
  try {
    const value = interpret(e, [], { clockMs: 0, timeZone: timeZone ?? "UTC" });
    return { kind: "literal", value, type: e.type, nullable: value === null, position: e.position };
  } catch (error) {
    if (error instanceof ExecutionError) return e;
    throw error;
  }
};

/** Every constant part of an expression folded. Zone-dependent parts only when the session's zone is given. */
export const foldConstants = (e: TypedExpr, timeZone?: string): TypedExpr => {
  const folded = fold(e, timeZone);
  return folded.kind === "literal" ? folded : mapChildren(e, (c) => foldConstants(c, timeZone));
};
