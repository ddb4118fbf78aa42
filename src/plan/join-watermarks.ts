/**
 * Which rows a stream-stream join may forget, from its condition (Spark's StreamingJoinHelper).
 *
 *  W1 an event-time column or a window of one among the equality keys: both sides forget rows whose key is at or below In(e)
 *     (a window: whose end is);
 *  W2 else, for each side with an event-time column, every conjunct `a < b` (`<=`, `>`, `>=`) that is linear in one column of this side and
 *     the event-time column of the other: from `otherTime + c < thisTime` follows that rows at or below In(e) + c find no partner any
 *     more; `<=` gives one millisecond less. Of several conjuncts the lowest bound holds.
 *  W4 with `constantBounds` a conjunct `constant < column` counts as well, as it does to Spark, which takes numbers for seconds: rows above the
 *     constant are then kept for ever. Only for compatibility "spark": unmatched rows of a preserved side among them never come out.
 *  W3 what is behind the join sees the lowest of In(e) and the two bounds: rows the join still gives are not late there.
 */
import type { DataType } from "../core/data-type.ts";
import type { Attribute, TypedExpr } from "../expr/ast.ts";
import type { LogicalPlan } from "./logical.ts";
import { attributesOf, conjuncts } from "./typed.ts";

type Join = Extract<LogicalPlan, { kind: "join" }>;

/** Rows of one side with `time` (a window: its end) <= In(e) + `offsetMs` can leave the state. */
export interface StateWatermark {
  /** Over the side's columns. */
  readonly time: TypedExpr;
  readonly form: "column" | "window";
  readonly offsetMs: number;
  readonly from: "key" | "range";
  /** Rows above this time never leave (W4). */
  readonly atMostMs?: number;
}

export interface JoinWatermarks {
  readonly left: StateWatermark | undefined;
  readonly right: StateWatermark | undefined;
  /** What is behind the join sees In(e) minus this, and never more than `atMostMs`. */
  readonly delayMs: number;
  readonly atMostMs?: number;
}

/** `left[i] = right[i]`, and what else the condition asks. */
export interface EquiKeys {
  readonly left: readonly TypedExpr[];
  readonly right: readonly TypedExpr[];
  /** Whether null equals null in key i (`<=>`). */
  readonly nullSafe: readonly boolean[];
  readonly rest: readonly TypedExpr[];
}

/** Splits a join's condition into equality keys of both sides and the rest. */
export const equiKeys = (join: Pick<Join, "left" | "right" | "condition">): EquiKeys => {
  const left: TypedExpr[] = [];
  const right: TypedExpr[] = [];
  const nullSafe: boolean[] = [];
  const rest: TypedExpr[] = [];
  const sideOf = sides(join);
  for (const c of conjuncts(join.condition)) {
    const pair =
      c.kind === "call" && (c.fn === "=" || c.fn === "<=>") ? (c.args as [TypedExpr, TypedExpr]) : undefined;
    const at = pair?.map(sideOf);
    if (pair === undefined || at === undefined || !(at.includes("left") && at.includes("right")))
      rest.push(c);
    else {
      left.push(at[0] === "left" ? pair[0] : pair[1]);
      right.push(at[0] === "left" ? pair[1] : pair[0]);
      nullSafe.push((c as { fn: string }).fn === "<=>");
    }
  }
  return { left, right, nullSafe, rest };
};

type Side = "left" | "right";

/** The side whose columns an expression uses, when it is one only. */
const sides = (join: Pick<Join, "left" | "right">): ((e: TypedExpr) => Side | undefined) => {
  const l = new Set(join.left.output.map((a) => a.id));
  const r = new Set(join.right.output.map((a) => a.id));
  return (e) => {
    const used = attributesOf(e);
    if (used.length === 0) return undefined;
    if (used.every((a) => l.has(a.id))) return "left";
    return used.every((a) => r.has(a.id)) ? "right" : undefined;
  };
};

const formOf = (type: DataType): StateWatermark["form"] => (type.kind === "struct" ? "window" : "column");
const isEventTime = (e: TypedExpr): boolean => e.kind === "attribute" && e.eventTimeDelayMs !== undefined;

/** Attributes as the sides give them: the condition's own copies may lack the event-time mark. */
const marked = (join: Pick<Join, "left" | "right">): ReadonlyMap<number, Attribute> =>
  new Map([...join.left.output, ...join.right.output].map((a) => [a.id, a]));

export const joinStateWatermarks = (join: Join): JoinWatermarks => {
  const own = marked(join);
  const remark = (e: TypedExpr): TypedExpr => (e.kind === "attribute" ? (own.get(e.id) ?? e) : e);
  const keys = equiKeys(join);
  const key = keys.left.findIndex((l, i) => isEventTime(remark(l)) || isEventTime(remark(keys.right[i]!)));
  if (key >= 0) {
    const at = (e: TypedExpr): StateWatermark => ({
      time: remark(e),
      form: formOf(e.type),
      offsetMs: 0,
      from: "key",
    });
    return { left: at(keys.left[key]!), right: at(keys.right[key]!), delayMs: 0 };
  }
  const constants = join.constantBounds === true;
  const left = rangeWatermark(join.left.output, join.right.output, join.condition, constants);
  const right = rangeWatermark(join.right.output, join.left.output, join.condition, constants);
  const delayMs = Math.max(0, -(left?.offsetMs ?? 0), -(right?.offsetMs ?? 0));
  const caps = [left?.atMostMs, right?.atMostMs].filter((x) => x !== undefined);
  return { left, right, delayMs, ...(caps.length === 0 ? {} : { atMostMs: Math.min(...caps) }) };
};

/** Whether the condition bounds this side by the other's event time, event-time column of its own or not (the rule of outer joins). */
export const hasRangeBound = (
  side: readonly Attribute[],
  other: readonly Attribute[],
  condition: TypedExpr | undefined,
  constants: boolean,
): boolean => rangeBounds(side, other, condition, constants).length > 0;

/** W2. */
const rangeWatermark = (
  side: readonly Attribute[],
  other: readonly Attribute[],
  condition: TypedExpr | undefined,
  constants: boolean,
): StateWatermark | undefined => {
  const time = side.find(isEventTime);
  if (time === undefined) return undefined;
  const bounds = rangeBounds(side, other, condition, constants);
  if (bounds.length === 0) return undefined;
  const least = (fixed: boolean): number =>
    Math.min(Infinity, ...bounds.filter((b) => b.fixed === fixed).map((b) => b.ms));
  const atMostMs = least(true);
  return {
    time,
    form: formOf(time.type),
    offsetMs: least(false),
    from: "range",
    ...(atMostMs === Infinity ? {} : { atMostMs }),
  };
};

/** From the watermark, or fixed. */
interface Bound {
  readonly ms: number;
  readonly fixed: boolean;
}

const rangeBounds = (
  side: readonly Attribute[],
  other: readonly Attribute[],
  condition: TypedExpr | undefined,
  constants: boolean,
): readonly Bound[] =>
  conjuncts(condition).flatMap((c) => {
    if (c.kind !== "call" || c.args.length !== 2) return [];
    const [a, b] = c.args as [TypedExpr, TypedExpr];
    const bound = (low: TypedExpr, high: TypedExpr, strict: boolean): readonly Bound[] => {
      const b = lowerBound(low, high, side, other);
      if (b === undefined || (b.fixed && !constants)) return [];
      return [strict ? b : { ...b, ms: b.ms - 1 }];
    };
    if (c.fn === "<" || c.fn === "<=") return bound(a, b, c.fn === "<");
    return c.fn === ">" || c.fn === ">=" ? bound(b, a, c.fn === ">") : [];
  });

const MICROS_PER_MS = 1000;
const MICROS_PER_SECOND = 1_000_000;

/** A sum of columns with signs and a constant in microseconds. */
interface Linear {
  readonly terms: readonly { readonly attribute: Attribute; readonly sign: 1 | -1 }[];
  readonly micros: number;
}

/** From `low < high`: c such that `otherTime + c < thisTime`, in ms; of `c < column` a fixed one (W4). */
const lowerBound = (
  low: TypedExpr,
  high: TypedExpr,
  side: readonly Attribute[],
  other: readonly Attribute[],
): Bound | undefined => {
  const l = linear(low, 1);
  const h = linear(high, -1);
  if (l === undefined || h === undefined) return undefined;
  const terms = [...l.terms, ...h.terms];
  const mine = terms.filter((t) => side.some((a) => a.id === t.attribute.id));
  const theirs = terms.filter((t) => other.some((a) => a.id === t.attribute.id));
  const ms = Math.floor((l.micros + h.micros) / MICROS_PER_MS);
  if (mine.length !== 1 || mine.length + theirs.length !== terms.length) return undefined;
  if (terms.length === 1)
    return mine[0]!.sign === -1 && other.some(isEventTime) ? { ms, fixed: true } : undefined;
  if (theirs.length !== 1) return undefined;
  const theirTime = other.find((a) => a.id === theirs[0]!.attribute.id)!;
  if (mine[0]!.sign !== -1 || theirs[0]!.sign !== 1 || theirTime.eventTimeDelayMs === undefined)
    return undefined;
  return { ms, fixed: false };
};

const TIMELIKE = new Set(["timestamp", "byte", "short", "int", "long", "float", "double", "decimal"]);

const linear = (e: TypedExpr, sign: 1 | -1): Linear | undefined => {
  switch (e.kind) {
    case "attribute":
      return { terms: [{ attribute: e, sign }], micros: 0 };
    case "literal": {
      const micros = literalMicros(e);
      return micros === undefined ? undefined : { terms: [], micros: sign * micros };
    }
    case "cast":
      return TIMELIKE.has(e.type.kind) || e.type.kind === "dayTimeInterval"
        ? linear(e.child, sign)
        : undefined;
    case "call":
      return linearCall(e.fn, e.args, sign);
    default:
      return undefined;
  }
};

const linearCall = (fn: string, args: readonly TypedExpr[], sign: 1 | -1): Linear | undefined => {
  const negated = sign === 1 ? -1 : 1;
  if (args.length === 1 && (fn === "-" || fn === "negative")) return linear(args[0]!, negated);
  if (args.length === 1 && (fn === "+" || fn === "positive")) return linear(args[0]!, sign);
  if (args.length !== 2 || (fn !== "+" && fn !== "-")) return undefined;
  // the difference of two times is no sum of terms to Spark: it bounds nothing
  if (args.every((a) => a.type.kind === "timestamp")) return undefined;
  const a = linear(args[0]!, sign);
  const b = linear(args[1]!, fn === "+" ? sign : negated);
  return a === undefined || b === undefined
    ? undefined
    : { terms: [...a.terms, ...b.terms], micros: a.micros + b.micros };
};

/** Intervals are microseconds, numbers are seconds, as where a timestamp is cast to a number. */
const literalMicros = (e: TypedExpr & { kind: "literal" }): number | undefined => {
  if (e.value === null) return undefined;
  switch (e.type.kind) {
    case "dayTimeInterval":
      return Number(e.value);
    case "calendarInterval": {
      const [months, days, micros] = e.value as unknown as readonly [number, number, number];
      return months === 0 ? days * 86_400 * MICROS_PER_SECOND + micros : undefined;
    }
    case "timestamp":
      return Number(e.value) * MICROS_PER_MS;
    case "decimal":
      return (Number(e.value) / 10 ** e.type.scale) * MICROS_PER_SECOND;
    case "byte":
    case "short":
    case "int":
    case "long":
    case "float":
    case "double":
      return Number(e.value) * MICROS_PER_SECOND;
    default:
      return undefined;
  }
};
