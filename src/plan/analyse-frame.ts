/**
 * The frame of a window function: its default, its bounds in the type of the order key, and what Spark refuses.
 *
 *  W1 a bound is a constant; ROWS takes an int, RANGE a number or an interval.
 *  W2 a RANGE bound has the type of the order key (it is cast to it); a date takes days, intervals of days and of months, a timestamp intervals.
 *  W3 the lower bound does not come behind the upper one, and both have one type.
 */
import { type DataType, INT, typeName } from "../core/data-type.ts";
import type { AggregateCall, Expr, FrameBound, SortOrder, TypedExpr, WindowFrame } from "../expr/ast.ts";
import { interpret } from "../expr/interpret.ts";
import { castTo } from "../expr/coercion.ts";
import { compareNullable } from "../expr/value-order.ts";
import { fail } from "./analyse-context.ts";
import { type Env, typeIn } from "./analyse-env.ts";
import { windowFunctionOf } from "./analyse-functions.ts";
import { callOf, some } from "./typed.ts";

type Over = Extract<Expr, { kind: "over" }>;
type Bound = FrameBound<TypedExpr>;
type Orders = readonly SortOrder<TypedExpr>[];

const refuse = (e: Over, which: string, message: string): never =>
  fail(`DATATYPE_MISMATCH.${which}`, message, e.position);

export const typedFrame = (
  e: Over,
  call: AggregateCall,
  orderBy: Orders,
  env: Env,
): WindowFrame<TypedExpr> => {
  const definition = e.call.kind === "call" ? windowFunctionOf(e.call) : undefined;
  if (definition?.ordered === true && orderBy.length === 0)
    return fail(
      "WINDOW_FUNCTION_FRAME_NOT_ORDERED",
      `Window function ${call.fn}() requires window to be ordered, please add ORDER BY clause.`,
      e.position,
    );
  const frame = e.frame === undefined ? undefined : specifiedFrame(e, e.frame, orderBy, env);
  if (definition?.framed === false) return ownFrame(e, call.fn);
  if (frame !== undefined) return frame;
  return orderBy.length === 0
    ? { unit: "rows", start: { kind: "unboundedPreceding" }, end: { kind: "unboundedFollowing" } }
    : { unit: "range", start: { kind: "unboundedPreceding" }, end: { kind: "currentRow" } };
};

const specifiedFrame = (
  e: Over,
  frame: WindowFrame<Expr>,
  orderBy: Orders,
  env: Env,
): WindowFrame<TypedExpr> => {
  const key = frame.unit === "range" && orderBy.length === 1 ? orderBy[0]!.expr.type : undefined;
  const bound = (b: FrameBound<Expr>): Bound =>
    "offset" in b ? { kind: b.kind, offset: offsetOf(e, typeIn(env, b.offset), frame.unit, key) } : b;
  const [start, end] = [bound(frame.start), bound(frame.end)];
  if (start.kind === "unboundedFollowing" || end.kind === "unboundedPreceding")
    return refuse(
      e,
      "SPECIFIED_WINDOW_FRAME_INVALID_BOUND",
      "The window frame's upper bound does not follow its lower bound.",
    );
  if ("offset" in start && "offset" in end) checkBounds(e, start, end, env);
  if (frame.unit === "range") checkRange(e, [start, end], orderBy);
  return { unit: frame.unit, start, end };
};

/** W1, and the cast of W2. */
const offsetOf = (e: Over, offset: TypedExpr, unit: string, key: DataType | undefined): TypedExpr => {
  if (some(offset, (x) => x.kind === "attribute"))
    return fail(
      "INVALID_SQL_SYNTAX.INVALID_WINDOW_FRAME_BOUND",
      "Frame bound value must be a constant integer.",
      e.position,
    );
  const interval = isInterval(offset.type);
  const timed = key?.kind === "date" || key?.kind === "timestamp" || key?.kind === "timestamp_ntz";
  const typed = key === undefined || timed || interval || isInterval(key) ? offset : castTo(offset, key);
  const fits = unit === "rows" ? typed.type.kind === INT.kind : interval || isNumeric(typed.type);
  if (fits) return typed;
  const wanted = unit === "rows" ? '"INT"' : '("NUMERIC" or "INTERVAL DAY TO SECOND" or an interval)';
  return refuse(
    e,
    "SPECIFIED_WINDOW_FRAME_UNACCEPTED_TYPE",
    `The data type of a bound is "${typeName(typed.type).toUpperCase()}", which does not match the expected data type ${wanted}.`,
  );
};

const NUMERIC = new Set(["byte", "short", "int", "long", "float", "double", "decimal"]);
const isNumeric = (t: DataType): boolean => NUMERIC.has(t.kind);
const isInterval = (t: DataType): boolean => t.kind.toLowerCase().includes("interval");

/** W3. */
const checkBounds = (
  e: Over,
  start: Extract<Bound, { readonly offset: TypedExpr }>,
  end: Extract<Bound, { readonly offset: TypedExpr }>,
  env: Env,
): void => {
  const types = [start, end].map((b) => typeName(b.offset.type));
  if (types[0] !== types[1])
    refuse(
      e,
      "SPECIFIED_WINDOW_FRAME_DIFF_TYPES",
      `Window frame bounds have not the same type: "${types[0]}" and "${types[1]}".`,
    );
  const { type } = start.offset;
  const context = { timeZone: env.analysis.options.timeZone } as Parameters<typeof interpret>[2];
  const signed = (b: typeof start): TypedExpr =>
    b.kind === "preceding" ? callOf("negative", [b.offset], type) : b.offset;
  const [low, high] = [signed(start), signed(end)].map((x) => interpret(x, [], context));
  if (compareNullable(type)(low!, high!) > 0)
    refuse(
      e,
      "SPECIFIED_WINDOW_FRAME_WRONG_COMPARISON",
      "The lower bound of a window frame must be less than or equal to the upper bound.",
    );
};

/** What RANGE asks of ORDER BY. */
const checkRange = (e: Over, bounds: readonly Bound[], orderBy: Orders): void => {
  const valued = bounds.flatMap((b) => ("offset" in b ? [b.offset.type] : []));
  const unbounded = bounds[0]!.kind === "unboundedPreceding" && bounds[1]!.kind === "unboundedFollowing";
  if (orderBy.length === 0 && !unbounded)
    refuse(
      e,
      "RANGE_FRAME_WITHOUT_ORDER",
      "A range window frame cannot be used in an unordered window specification.",
    );
  if (valued.length === 0) return;
  if (orderBy.length > 1)
    refuse(
      e,
      "RANGE_FRAME_MULTI_ORDER",
      "A range window frame with value boundaries cannot be used in a window specification with multiple order by expressions.",
    );
  const key = orderBy[0]!.expr.type;
  const wrong = valued.find((t) => !takes(key, t));
  if (wrong !== undefined)
    refuse(
      e,
      "RANGE_FRAME_INVALID_TYPE",
      `The data type "${typeName(key)}" used in the order specification does not support the data type "${typeName(wrong)}" which is used in the range frame.`,
    );
};

/** W2. */
const takes = (key: DataType, offset: DataType): boolean => {
  if (key.kind === "date")
    return (
      offset.kind === "int" || offset.kind === "yearMonthInterval" || typeName(offset) === "interval day"
    );
  if (key.kind === "timestamp" || key.kind === "timestamp_ntz") return isInterval(offset);
  return isInterval(key) ? key.kind === offset.kind : typeName(key) === typeName(offset);
};

/** Ranks and offsets read rows up to their own, whatever the frame; another one is refused. */
const ownFrame = (e: Over, fn: string): WindowFrame<TypedExpr> => {
  const f = e.frame;
  if (
    f !== undefined &&
    !(f.unit === "rows" && f.start.kind === "unboundedPreceding" && f.end.kind === "currentRow")
  )
    return fail(
      ["lag", "lead"].includes(fn) ? "_LEGACY_ERROR_TEMP_1035" : "_LEGACY_ERROR_TEMP_1036",
      `Window function ${fn}() has a frame of its own and takes no other.`,
      e.position,
      "leave the frame out",
    );
  return { unit: "rows", start: { kind: "unboundedPreceding" }, end: { kind: "currentRow" } };
};
