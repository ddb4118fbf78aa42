/** Frames of OVER: for every row of an ordered partition the rows [start, end) that its functions look at. */
import type { DataType } from "../core/data-type.ts";
import type { Row, Value } from "../core/value.ts";
import type { FrameBound, SortOrder, TypedExpr, WindowFrame } from "../expr/ast.ts";
import type { EvaluationContext } from "../expr/contract.ts";
import { interpret } from "../expr/interpret.ts";
import { intervalParts, shiftInstant } from "../expr/temporal.ts";
import { addMonthsToDays } from "../expr/time/calendar.ts";
import { compareNullable } from "../expr/value-order.ts";

export type Frame = readonly [start: number, end: number];

export interface OrderedPartition {
  readonly length: number;
  /** Values of the ORDER BY of each row. */
  readonly keys: readonly Row[];
  /** Number of the group of rows with equal keys that a row is in. */
  readonly peers: readonly number[];
}

const offsetOf = (b: FrameBound<TypedExpr>, context: EvaluationContext): Value =>
  "offset" in b ? interpret(b.offset, [], context) : null;

const rowsFrames = (frame: WindowFrame<TypedExpr>, n: number, context: EvaluationContext): Frame[] => {
  const at = (b: FrameBound<TypedExpr>, i: number, isEnd: boolean): number => {
    const offset = Number(offsetOf(b, context) ?? 0);
    const shift = isEnd ? 1 : 0;
    switch (b.kind) {
      case "unboundedPreceding":
        return 0;
      case "unboundedFollowing":
        return n;
      case "currentRow":
        return i + shift;
      case "preceding":
        return i - offset + shift;
      case "following":
        return i + offset + shift;
    }
  };
  return Array.from({ length: n }, (_, i) => {
    const start = Math.min(n, Math.max(0, at(frame.start, i, false)));
    return [start, Math.max(start, Math.min(n, at(frame.end, i, true)))];
  });
};

const MICROS_PER_DAY = 86_400_000_000;

/** The key moved by a bound's offset: numbers by numbers of their type, times by intervals. */
type Move = (key: Value, offset: Value, sign: 1 | -1) => Value;

const exact: Move = (key, offset, sign) =>
  typeof key === "number" && typeof offset === "number"
    ? key + sign * offset
    : BigInt(key as number | bigint) + BigInt(sign) * BigInt(offset as number | bigint);

const moveOf = (key: DataType, offset: DataType, zone: string): Move => {
  if (key.kind === "timestamp" || key.kind === "timestamp_ntz") {
    const local = key.kind === "timestamp" ? zone : "UTC";
    return (k, by, sign) => shiftInstant(k as number, intervalParts(by, offset), sign, local);
  }
  if (key.kind !== "date" || offset.kind === "int") return exact;
  if (offset.kind === "yearMonthInterval")
    return (k, by, sign) => addMonthsToDays(k as number, sign * Number(by));
  return (k, by, sign) => (k as number) + (sign * Number(by)) / MICROS_PER_DAY;
};

/** First index in [0, n) for which `holds` is true, n when there is none; `holds` goes from false to true once. */
const firstWhere = (n: number, holds: (i: number) => boolean): number => {
  let low = 0;
  let high = n;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
};

const rangeFrames = (
  frame: WindowFrame<TypedExpr>,
  p: OrderedPartition,
  orders: readonly SortOrder<TypedExpr>[],
  context: EvaluationContext,
): Frame[] => {
  const n = p.length;
  const order = orders[0];
  const type = order?.expr.type;
  const compare = type === undefined ? () => 0 : compareNullable(type);
  /** Whether row j comes at or after (isEnd: after) the place of the key value `target`. */
  const reaches = (j: number, target: Value, isEnd: boolean): boolean => {
    const key = p.keys[j]![0]!;
    if (key === null) return !order!.nullsFirst;
    const c = compare(key, target) * (order!.descending ? -1 : 1);
    return isEnd ? c > 0 : c >= 0;
  };
  const bound = (b: FrameBound<TypedExpr>, i: number, isEnd: boolean): number => {
    if (b.kind === "unboundedPreceding") return 0;
    if (b.kind === "unboundedFollowing") return n;
    const key = p.keys[i]![0] ?? null;
    if (!("offset" in b) || key === null)
      return firstWhere(n, (j) => (isEnd ? p.peers[j]! > p.peers[i]! : p.peers[j]! >= p.peers[i]!));
    const forward = (b.kind === "following") !== order!.descending;
    const move = moveOf(type!, b.offset.type, context.timeZone);
    const target = move(key, offsetOf(b, context), forward ? 1 : -1);
    return firstWhere(n, (j) => reaches(j, target, isEnd));
  };
  return Array.from({ length: n }, (_, i) => {
    const start = bound(frame.start, i, false);
    return [start, Math.max(start, bound(frame.end, i, true))];
  });
};

export const framesOf = (
  frame: WindowFrame<TypedExpr>,
  p: OrderedPartition,
  orders: readonly SortOrder<TypedExpr>[],
  context: EvaluationContext,
): Frame[] =>
  frame.unit === "rows" ? rowsFrames(frame, p.length, context) : rangeFrames(frame, p, orders, context);
