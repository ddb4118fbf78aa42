/** Window functions and the `Window` specification (batch): Spark's names. */
import { AnalysisError } from "../core/errors.ts";
import { INT } from "../core/data-type.ts";
import type { Expr as Node, FrameBound, SortOrder, WindowFrame } from "../expr/ast.ts";
import { call, expressionOf } from "./expression-builder.ts";
import type { Expr, SortKey, Typed, TypeOf, Value, WindowFunction, WindowSpec } from "./expression.ts";
import { lift, literal } from "./literal.ts";
import { nodeOf, orderOf } from "./node.ts";
import type { OptIf, Opt } from "./tags.ts";

interface Parts {
  readonly partitionBy: readonly Node[];
  readonly orderBy: readonly SortOrder<Node>[];
  readonly frame: WindowFrame<Node> | undefined;
}

const bound = (n: number): FrameBound<Node> => {
  if (n === -Infinity) return { kind: "unboundedPreceding" };
  if (n === Infinity) return { kind: "unboundedFollowing" };
  if (!Number.isInteger(n)) throw new AnalysisError(`a frame's bound is a whole number, not ${n}`);
  if (n === 0) return { kind: "currentRow" };
  return { kind: n < 0 ? "preceding" : "following", offset: literal(Math.abs(n), INT) };
};

class Spec implements WindowSpec {
  readonly #parts: Parts;
  constructor(parts: Parts) {
    this.#parts = parts;
  }
  partitionBy(...columns: readonly Typed<unknown>[]): WindowSpec {
    return new Spec({ ...this.#parts, partitionBy: columns.map((c) => nodeOf(c, "in partitionBy")) });
  }
  orderBy(...keys: readonly (Typed<unknown> | SortKey)[]): WindowSpec {
    return new Spec({ ...this.#parts, orderBy: keys.map((k) => orderOf(k, "in orderBy")) });
  }
  rowsBetween(start: number, end: number): WindowSpec {
    return new Spec({ ...this.#parts, frame: { unit: "rows", start: bound(start), end: bound(end) } });
  }
  rangeBetween(start: number, end: number): WindowSpec {
    return new Spec({ ...this.#parts, frame: { unit: "range", start: bound(start), end: bound(end) } });
  }
  /** The call over this window; for aggregates and window functions. */
  over(call: Node): Node {
    return Object.freeze({ kind: "over", call, ...this.#parts });
  }
}

const EMPTY = new Spec({ partitionBy: [], orderBy: [], frame: undefined });

/** The start of a window specification: `Window.partitionBy(df.c.k).orderBy(df.c.v.desc())`. */
export const Window = Object.freeze({
  partitionBy: (...columns: readonly Typed<unknown>[]): WindowSpec => EMPTY.partitionBy(...columns),
  orderBy: (...keys: readonly (Typed<unknown> | SortKey)[]): WindowSpec => EMPTY.orderBy(...keys),
  unboundedPreceding: -Infinity,
  currentRow: 0,
  unboundedFollowing: Infinity,
});

const windowFunction = (fn: string, args: readonly Value[] = []): never => {
  const node = call(fn, args.filter((a) => a !== undefined).map(lift));
  return Object.freeze({
    over: (spec: WindowSpec): Expr<unknown> => expressionOf((spec as Spec).over(node)),
  }) as never;
};

export const row_number = (): WindowFunction<"int"> => windowFunction("row_number");
export const rank = (): WindowFunction<"int"> => windowFunction("rank");
export const dense_rank = (): WindowFunction<"int"> => windowFunction("dense_rank");
export const percent_rank = (): WindowFunction<"double"> => windowFunction("percent_rank");
export const cume_dist = (): WindowFunction<"double"> => windowFunction("cume_dist");
export const ntile = (n: number): WindowFunction<"int"> => windowFunction("ntile", [n]);
/** The value `offset` rows before; `fallback` (null) where there is none. */
export const lag = <const X extends Typed<unknown>, const F extends Value = null>(
  x: X,
  offset = 1,
  fallback?: F,
): WindowFunction<F extends null ? Opt<TypeOf<X>> : OptIf<TypeOf<F>, TypeOf<X>>> =>
  windowFunction("lag", fallback === undefined ? [x, offset] : [x, offset, fallback]);
/** The value `offset` rows behind. */
export const lead = <const X extends Typed<unknown>, const F extends Value = null>(
  x: X,
  offset = 1,
  fallback?: F,
): WindowFunction<F extends null ? Opt<TypeOf<X>> : OptIf<TypeOf<F>, TypeOf<X>>> =>
  windowFunction("lead", fallback === undefined ? [x, offset] : [x, offset, fallback]);
export const first_value = <const X extends Typed<unknown>>(x: X): WindowFunction<Opt<TypeOf<X>>> =>
  windowFunction("first_value", [x]);
export const last_value = <const X extends Typed<unknown>>(x: X): WindowFunction<Opt<TypeOf<X>>> =>
  windowFunction("last_value", [x]);
export const nth_value = <const X extends Typed<unknown>>(x: X, n: number): WindowFunction<Opt<TypeOf<X>>> =>
  windowFunction("nth_value", [x, n]);
