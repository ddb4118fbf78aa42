/**
 * The row interpreter: the meaning of a bound typed expression, one row at a time. The compiler must agree with it.
 * E1: arguments are evaluated left to right; a strict call stops at its first null. E2: `and`, `or`, `coalesce`, `in` and CASE evaluate what they need only.
 */
import { ExecutionError } from "../core/errors.ts";
import type { Row, Value } from "../core/value.ts";
import type { LambdaVariable, TypedCall, TypedExpr } from "./ast.ts";
import { type Cast, castFunction } from "./cast.ts";
import type { EvaluationContext } from "./contract.ts";
import type { BoundCall, EvaluatedArg, FunctionDefinition } from "./function.ts";
import { lookupFunction } from "./registry.ts";
import { callScalar } from "./user-call.ts";
import { equalValues } from "./value-order.ts";

interface Frame {
  readonly row: Row;
  readonly context: EvaluationContext;
  readonly variables: ReadonlyMap<number, Value> | undefined;
}

const definitions = new WeakMap<TypedExpr, FunctionDefinition>();
const bound = new WeakMap<TypedExpr, BoundCall>();
const casts = new WeakMap<TypedExpr, { readonly context: EvaluationContext; readonly cast: Cast }>();

const definitionOf = (e: TypedCall): FunctionDefinition => {
  let d = definitions.get(e);
  if (d === undefined) {
    d = lookupFunction(e.fn);
    if (d === undefined) throw new Error(`the function ${e.fn} is not registered`);
    definitions.set(e, d);
  }
  return d;
};

/** What `evaluate` is told about a call; one object per call and context. */
const boundCall = (e: TypedCall, context: EvaluationContext): BoundCall => {
  let b = bound.get(e);
  if (b === undefined || b.context !== context) {
    b = { argTypes: e.args.map((a) => a.type), type: e.type, context, owner: e };
    bound.set(e, b);
  }
  return b;
};

const castOf = (e: Extract<TypedExpr, { kind: "cast" }>, context: EvaluationContext): Cast => {
  let c = casts.get(e);
  if (c === undefined || c.context !== context) {
    c = { context, cast: castFunction(e.child.type, e.type, { ...context, tryCast: e.tryCast }) };
    casts.set(e, c);
  }
  return c.cast;
};

const logical = (e: TypedCall, frame: Frame): Value => {
  const decisive = e.fn === "or";
  const a = evaluate(e.args[0]!, frame);
  if (a === decisive) return decisive;
  const b = evaluate(e.args[1]!, frame);
  if (b === decisive) return decisive;
  return a === null || b === null ? null : !decisive;
};

const member = (e: TypedCall, frame: Frame): Value => {
  const value = evaluate(e.args[0]!, frame);
  if (value === null) return null;
  const equal = equalValues(e.args[0]!.type);
  let unknown = false;
  for (let i = 1; i < e.args.length; i++) {
    const item = evaluate(e.args[i]!, frame);
    if (item === null) unknown = true;
    else if (equal(value, item)) return true;
  }
  return unknown ? null : false;
};

const firstNotNull = (e: TypedCall, frame: Frame): Value => {
  for (const a of e.args) {
    const v = evaluate(a, frame);
    if (v !== null) return v;
  }
  return null;
};

const closure = (
  e: Extract<TypedExpr, { kind: "lambda" }>,
  frame: Frame,
): ((...values: Value[]) => Value) => {
  return (...values) => {
    const variables = new Map(frame.variables ?? []);
    e.parameters.forEach((p, i) => variables.set(p.id, values[i] ?? null));
    return evaluate(e.body, { ...frame, variables });
  };
};

const userCall = (e: TypedCall, frame: Frame): Value => {
  const args = e.args.map((a) => evaluate(a, frame));
  return callScalar(
    e.udf!,
    args,
    e.args.map((a) => a.type),
  );
};

const callFunction = (e: TypedCall, frame: Frame): Value => {
  if (e.udf !== undefined) return userCall(e, frame);
  if (e.fn === "and" || e.fn === "or") return logical(e, frame);
  if (e.fn === "coalesce") return firstNotNull(e, frame);
  if (e.fn === "in") return member(e, frame);
  const d = definitionOf(e);
  const args: EvaluatedArg[] = new Array(e.args.length);
  for (let i = 0; i < args.length; i++) {
    const a = e.args[i]!;
    const v = a.kind === "lambda" ? closure(a, frame) : evaluate(a, frame);
    if (v === null && d.nulls === "strict") return null;
    args[i] = v;
  }
  try {
    return d.evaluate(args, boundCall(e, frame.context));
  } catch (error) {
    throw placed(error, e);
  }
};

/** An ExecutionError with the place in the text of the innermost expression that failed. */
const placed = (error: unknown, e: TypedExpr): unknown => {
  if (!(error instanceof ExecutionError) || error.position !== undefined || e.position === undefined)
    return error;
  const { errorClass, cause, hint } = error;
  return new ExecutionError(error.message, {
    position: e.position,
    cause,
    ...(errorClass === undefined ? {} : { errorClass }),
    ...(hint === undefined ? {} : { hint }),
  });
};

const castValue = (e: Extract<TypedExpr, { kind: "cast" }>, v: Value, frame: Frame): Value => {
  try {
    return castOf(e, frame.context)(v);
  } catch (error) {
    throw placed(error, e);
  }
};

const variable = (e: LambdaVariable, frame: Frame): Value => {
  const v = frame.variables?.get(e.id);
  if (v === undefined) throw new Error(`the lambda variable ${e.name} is not bound`);
  return v;
};

const evaluate = (e: TypedExpr, frame: Frame): Value => {
  switch (e.kind) {
    case "literal":
      return e.value;
    case "slot":
      return frame.row[e.index]!;
    case "call":
      return callFunction(e, frame);
    case "cast": {
      const v = evaluate(e.child, frame);
      return v === null ? null : castValue(e, v, frame);
    }
    case "case":
      for (const [condition, value] of e.branches)
        if (evaluate(condition, frame) === true) return evaluate(value, frame);
      return evaluate(e.otherwise, frame);
    case "field": {
      const s = evaluate(e.child, frame) as readonly Value[] | null;
      return s === null ? null : s[e.index]!;
    }
    case "variable":
      return variable(e, frame);
    case "attribute":
      throw new Error(`the column ${e.name} is not bound to a batch`);
    case "lambda":
      throw new Error("a lambda stands outside a function call");
  }
};

/** The value of a bound expression for one row. Throws ExecutionError. */
export const interpret = (expr: TypedExpr, row: Row, context: EvaluationContext): Value =>
  evaluate(expr, { row, context, variables: undefined });
