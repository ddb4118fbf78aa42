/**
 * Which rows a stream-stream join may forget, from its condition (Spark's StreamingJoinHelper).
 *
 *  W1 an event-time column or a window of one among the equality keys: both sides forget rows whose key is at or below In(e)
 *     (a window: whose end is);
 *  W2 else, for each side with an event-time column, every conjunct `a < b` (`<=`, `>`, `>=`) that is linear in one column of this side and
 *     the event-time column of the other: from `otherTime + c < thisTime` follows that rows at or below In(e) + c find no partner any
 *     more; `<=` gives one millisecond less. Of several conjuncts the lowest bound holds.
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
}

export interface JoinWatermarks {
  readonly left: StateWatermark | undefined;
  readonly right: StateWatermark | undefined;
  /** What is behind the join sees In(e) minus this. */
  readonly delayMs: number;
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
  const left = rangeWatermark(join.left.output, join.right.output, join.condition);
  const right = rangeWatermark(join.right.output, join.left.output, join.condition);
  const delayMs = Math.max(0, -(left?.offsetMs ?? 0), -(right?.offsetMs ?? 0));
  return { left, right, delayMs };
};

/** Whether the condition bounds this side by the other's event time, event-time column of its own or not (the rule of outer joins). */
export const hasRangeBound = (
  side: readonly Attribute[],
  other: readonly Attribute[],
  condition: TypedExpr | undefined,
): boolean => rangeOffset(side, other, condition) !== undefined;

/** W2. */
const rangeWatermark = (
  side: readonly Attribute[],
  other: readonly Attribute[],
  condition: TypedExpr | undefined,
): StateWatermark | undefined => {
  const time = side.find(isEventTime);
  const offsetMs = time === undefined ? undefined : rangeOffset(side, other, condition);
  return time === undefined || offsetMs === undefined
    ? undefined
    : { time, form: formOf(time.type), offsetMs, from: "range" };
};

const rangeOffset = (
  side: readonly Attribute[],
  other: readonly Attribute[],
  condition: TypedExpr | undefined,
): number | undefined => {
  const offsets = conjuncts(condition).flatMap((c) => {
    if (c.kind !== "call" || c.args.length !== 2) return [];
    const [a, b] = c.args as [TypedExpr, TypedExpr];
    const bound = (low: TypedExpr, high: TypedExpr, strict: boolean): readonly number[] => {
      const offset = lowerBound(low, high, side, other);
      return offset === undefined ? [] : [strict ? offset : offset - 1];
    };
    if (c.fn === "<" || c.fn === "<=") return bound(a, b, c.fn === "<");
    return c.fn === ">" || c.fn === ">=" ? bound(b, a, c.fn === ">") : [];
  });
  return offsets.length === 0 ? undefined : Math.min(...offsets);
};

const MICROS_PER_MS = 1000;
const MICROS_PER_SECOND = 1_000_000;

/** A sum of columns with signs and a constant in microseconds. */
interface Linear {
  readonly terms: readonly { readonly attribute: Attribute; readonly sign: 1 | -1 }[];
  readonly micros: number;
}

/** From `low < high`: c such that `otherTime + c < thisTime`, in ms. */
const lowerBound = (
  low: TypedExpr,
  high: TypedExpr,
  side: readonly Attribute[],
  other: readonly Attribute[],
): number | undefined => {
  const l = linear(low, 1);
  const h = linear(high, -1);
  if (l === undefined || h === undefined) return undefined;
  const terms = [...l.terms, ...h.terms];
  const mine = terms.filter((t) => side.some((a) => a.id === t.attribute.id));
  const theirs = terms.filter((t) => other.some((a) => a.id === t.attribute.id));
  if (mine.length !== 1 || theirs.length !== 1 || terms.length !== 2) return undefined;
  const theirTime = other.find((a) => a.id === theirs[0]!.attribute.id)!;
  if (mine[0]!.sign !== -1 || theirs[0]!.sign !== 1 || theirTime.eventTimeDelayMs === undefined)
    return undefined;
  return Math.floor((l.micros + h.micros) / MICROS_PER_MS);
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
