/**
 * Constant folding. F1: only deterministic calls that need neither row nor clock are folded. F2: an expression whose evaluation fails is left
 * as it is: the error belongs to the row that reaches it, if one does.
 */
import type { TypedExpr } from "./ast.ts";
import { ExecutionError } from "../core/errors.ts";
import { castNeedsContext } from "./cast.ts";
import { interpret } from "./interpret.ts";
import { lookupFunction } from "./registry.ts";
import { ClockNeeded, NO_CLOCK } from "./time/iso-text.ts";

/** Needs the session's zone, unknown when plans are shared: folded only with a zone given. */
const ZONED = new Set(["timestamp"]);

const NOTHING: ReadonlySet<number> = new Set();

/** Whether an expression needs no row: its lambda variables are all bound inside it. */
const isConstant = (e: TypedExpr, zoned: boolean, bound: ReadonlySet<number>): boolean => {
  const every = (list: readonly TypedExpr[]): boolean => list.every((x) => isConstant(x, zoned, bound));
  switch (e.kind) {
    case "literal":
      return true;
    case "cast":
      return every([e.child]) && (zoned || !castNeedsContext(e.child.type, e.type));
    case "call": {
      const d = e.udf === undefined ? lookupFunction(e.fn) : undefined;
      if (d === undefined || d.deterministic === false) return false;
      if (!zoned && [e, ...e.args].some((a) => ZONED.has(a.type.kind))) return false;
      return every(e.args);
    }
    case "case":
      return every(e.branches.flat()) && every([e.otherwise]);
    case "field":
      return every([e.child]);
    case "lambda":
      return isConstant(e.body, zoned, new Set([...bound, ...e.parameters.map((p) => p.id)]));
    case "variable":
      return bound.has(e.id);
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
  if (!isConstant(e, timeZone !== undefined, NOTHING)) return e;
  try {
    const value = interpret(e, [], { clockMs: NO_CLOCK, timeZone: timeZone ?? "UTC" });
    return { kind: "literal", value, type: e.type, nullable: value === null, position: e.position };
  } catch (error) {
    if (error instanceof ExecutionError || error instanceof ClockNeeded) return e;
    throw error;
  }
};

/** Every constant part of an expression folded. Zone-dependent parts only when the session's zone is given. */
export const foldConstants = (e: TypedExpr, timeZone?: string): TypedExpr => {
  const folded = fold(e, timeZone);
  return folded.kind === "literal" ? folded : mapChildren(e, (c) => foldConstants(c, timeZone));
};
