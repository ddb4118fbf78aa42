/** Functions of columns that are no plain calls: `col lit expr when window session_window`, sort keys. */
import type { Expr as Node } from "../expr/ast.ts";
import { AnalysisError } from "../core/errors.ts";
import { STRING } from "../core/data-type.ts";
import { parseExpression } from "../sql/parser.ts";
import { call, column, expressionOf } from "./expression-builder.ts";
import type { Expr, HasName, SortKey, Typed, TypeOf, Value, When } from "./expression.ts";
import { lift, literal } from "./literal.ts";
import { isExpression, nodeOf } from "./node.ts";
import { textArgument } from "./arguments.ts";
import type { BooleanIn, Duration, LiteralType, TimeIn, WindowStruct } from "./tags.ts";

/** A column by name, checked when the frame is analysed; `df.c.name` and callbacks are checked by TypeScript. Dots reach qualifiers and fields. */
export const col = <const N extends string>(name: N): Expr<"untyped"> & HasName<N> =>
  expressionOf(column(...textArgument("col", "the name of a column", name).split(".")));

/** A literal: whole numbers are int (long beyond 32 bits), other numbers double. */
export const lit = <const V extends string | number | bigint | boolean | Date | Uint8Array | null>(
  value: V,
): Expr<LiteralType<V>> => expressionOf(lift(value));

/** An expression as SQL text. Throws ParseError. */
export const expr = (text: string): Expr<"untyped"> =>
  expressionOf(parseExpression(textArgument("expr", "SQL text", text)));

/** CASE WHEN: `when(c.a.gt(1), "big").otherwise("small")`; null where no condition is true. */
export const when = <const X extends Value>(condition: Typed<BooleanIn>, value: X): When<TypeOf<X>> =>
  whenOf([[nodeOf(condition, "in when"), lift(value)]]);

const whenOf = (branches: readonly (readonly [Node, Node])[]): never => {
  const plain: object = expressionOf({ kind: "case", branches, otherwise: undefined });
  const more = {
    when: (condition: unknown, value: unknown) =>
      whenOf([...branches, [nodeOf(condition, "in when"), lift(value)]]),
    otherwise: (value: unknown) => expressionOf({ kind: "case", branches, otherwise: lift(value) }),
  };
  return new Proxy(plain, {
    get: (target, property) =>
      property === "when" || property === "otherwise"
        ? more[property]
        : (Reflect.get(target, property) as unknown),
  }) as never;
};

type Time = Typed<TimeIn | WindowStruct | { readonly nullable: WindowStruct }>;

/** Time windows of `size`, each `slide` (default: `size`), from the epoch plus `offset`: a struct `window` with `start` and `end`, a key of groupBy. */
export const window = (
  time: Time,
  size: Duration,
  slide?: Duration,
  offset?: Duration,
): Expr<WindowStruct> & HasName<"window"> => {
  const durations = [size, slide ?? (offset === undefined ? undefined : size), offset].filter(
    (d) => d !== undefined,
  );
  return expressionOf(call("window", [nodeOf(time, "in window"), ...durations.map(durationText)]));
};

/** Sessions: rows nearer than `gap`; a gap may be an expression of the row. */
export const session_window = (
  time: Time,
  gap: Duration | Typed<"string" | "interval" | "untyped">,
): Expr<WindowStruct> & HasName<"session_window"> => {
  const duration = isExpression(gap) ? nodeOf(gap) : durationText(gap);
  return expressionOf(call("session_window", [nodeOf(time, "in session_window"), duration]));
};

/** The event time of a window: its last millisecond, for windows of windows. */
export const window_time = (
  window: Typed<WindowStruct | { readonly nullable: WindowStruct } | "untyped">,
): Expr<"timestamp"> => expressionOf(call("window_time", [nodeOf(window, "in window_time")]));

const durationText = (x: unknown): Node => {
  if (typeof x !== "string")
    throw new AnalysisError(
      `a duration is due, such as "10 seconds", not ${typeof x === "number" ? x : typeof x}`,
    );
  return literal(x, STRING);
};

const sortBy =
  (method: "asc" | "desc") =>
  (column: Typed<unknown>): SortKey =>
    (column as unknown as Expr<"untyped">)[method]();
export const asc = sortBy("asc");
export const desc = sortBy("desc");
