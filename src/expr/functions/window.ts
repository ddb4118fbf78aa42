/**
 * `window(ts, size[, slide[, start]])`: the window of an event time as a struct. As a row function it gives the LAST window that holds the time
 * (the only one of a tumbling window); the analyser expands sliding windows and sessions into operators.
 * W1: sizes are whole microseconds, months are refused, 0 < slide <= size, |start| < slide.
 */
import {
  type DataType,
  field,
  LONG,
  struct as structOf,
  TIMESTAMP,
  TIMESTAMP_NTZ,
} from "../../core/data-type.ts";
import type { Value } from "../../core/value.ts";
import type { TypedExpr } from "../ast.ts";
import { castTo } from "../coercion.ts";
import type { CallSite, FunctionDefinition, TypeRule } from "../function.ts";
import { parseCalendarInterval } from "../time/interval-text.ts";
import { MICROS_PER_DAY } from "../temporal.ts";
import { microsOf } from "../time/calendar.ts";
import { analysisError, mismatch, unexpectedInput, wrongNumberOfArguments } from "../type-errors.ts";

const literal = (value: number): TypedExpr => ({ kind: "literal", value, type: LONG, nullable: false });

/** The microseconds of a duration argument: text ('10 minutes') or an interval literal. */
const duration = (args: readonly TypedExpr[], index: number, site: CallSite): number => {
  const e = site.fold?.(args[index]!) ?? args[index]!;
  if (e.kind !== "literal" || e.value === null)
    throw mismatch(
      "NON_FOLDABLE_INPUT",
      site,
      args,
      "a window's durations must be foldable (constant) expressions.",
    );
  if (e.type.kind === "dayTimeInterval" || e.type.kind === "long") return e.value as number;
  const parts =
    e.type.kind === "string"
      ? parseCalendarInterval(e.value as string)
      : e.type.kind === "calendarInterval"
        ? (e.value as unknown as readonly [number, number, number])
        : undefined;
  if (parts === undefined) {
    if (e.type.kind !== "string") throw unexpectedInput(site, args, index, `"STRING"`);
    throw analysisError(
      "CANNOT_PARSE_INTERVAL",
      `Unable to parse ${String(e.value)}. Please ensure that the value provided is in a valid format for defining an interval.`,
      site.position,
    );
  }
  if (parts[0] !== 0)
    throw analysisError(
      "INVALID_PARAMETER_VALUE.INTERVAL",
      `Intervals greater than a month are not supported in window durations (${String(e.value)}).`,
      site.position,
    );
  return parts[1] * MICROS_PER_DAY + parts[2];
};

const checkDurations = (
  size: number,
  slide: number,
  start: number,
  args: readonly TypedExpr[],
  site: CallSite,
): void => {
  const wrong = (reason: string, kind = "VALUE_OUT_OF_RANGE"): Error => mismatch(kind, site, args, reason);
  if (size <= 0) throw wrong("The window duration must be greater than 0.");
  if (slide <= 0) throw wrong("The slide duration must be greater than 0.");
  if (slide > size)
    throw wrong("The slide duration must be at most the window duration.", "PARAMETER_CONSTRAINT_VIOLATION");
  if (Math.abs(start) >= slide)
    throw wrong(
      "The absolute value of the start time must be less than the slide duration.",
      "PARAMETER_CONSTRAINT_VIOLATION",
    );
};

/** The time a window column stands for: its end minus one microsecond. */
const windowTime = (e: TypedExpr, index: number, type: DataType): TypedExpr => ({
  kind: "call",
  fn: "-",
  args: [
    { kind: "field", child: e, index, type, nullable: e.nullable },
    {
      kind: "literal",
      value: 1,
      type: { kind: "dayTimeInterval", from: "second", to: "second" },
      nullable: false,
    },
  ],
  type,
  nullable: e.nullable,
});

const timeArgument = (args: readonly TypedExpr[], site: CallSite): TypedExpr => {
  const e = args[0]!;
  if (e.type.kind === "timestamp" || e.type.kind === "timestamp_ntz") return e;
  if (e.type.kind === "struct" && e.type.fields.length === 2 && e.type.fields[1]!.name === "end")
    return windowTime(e, 1, e.type.fields[1]!.type);
  if (e.type.kind === "date" || e.type.kind === "string" || e.type.kind === "null")
    return castTo(e, TIMESTAMP);
  throw unexpectedInput(
    site,
    args,
    0,
    `("TIMESTAMP" or "TIMESTAMP_NTZ" or "STRUCT<start: TIMESTAMP, end: TIMESTAMP>")`,
  );
};

/** The struct type of windows over a timestamp type. */
export const windowType = (time: DataType): DataType => {
  const t = time.kind === "timestamp_ntz" ? TIMESTAMP_NTZ : TIMESTAMP;
  return structOf([field("start", t), field("end", t)]);
};

/** Coerced arguments are [time, size, slide, start], the last three bigint literals in microseconds. */
const rule: TypeRule = (args, site) => {
  if (args.length < 2 || args.length > 4) throw wrongNumberOfArguments(site, "[2, 3, 4]", args.length);
  const time = timeArgument(args, site);
  const size = duration(args, 1, site);
  const slide = args.length > 2 ? duration(args, 2, site) : size;
  const start = args.length > 3 ? duration(args, 3, site) : 0;
  checkDurations(size, slide, start, args, site);
  return {
    args: [time, literal(size), literal(slide), literal(start)],
    type: windowType(time.type),
    nullable: time.nullable,
  };
};

/** Start (ms) of the last window that holds the time. */
export const windowStart = (ms: number, slideMicros: number, startMicros: number): number => {
  if (slideMicros % 1000 === 0 && startMicros % 1000 === 0) {
    const slide = slideMicros / 1000;
    const start = startMicros / 1000;
    return Math.floor((ms - start) / slide) * slide + start;
  }
  return (Math.floor((microsOf(ms) - startMicros) / slideMicros) * slideMicros + startMicros) / 1000;
};

/** The windows of rows in turn: neighbours that lie in the same one share its struct, so that who reads them sees by `===` that nothing changed. */
const windowMaker = (): ((ms: number, size: number, slide: number, start: number) => Value) => {
  let last: Value = null;
  let [from, until] = [Infinity, -Infinity];
  // Size, slide and start are literals: the same in every call of one place.
  return (ms, size, slide, start) => {
    if (ms >= from && ms < until) return last;
    const begin = windowStart(ms, slide, start);
    const whole = slide % 1000 === 0 && start % 1000 === 0;
    [from, until] = whole ? [begin, begin + slide / 1000] : [Infinity, -Infinity];
    last = [begin, begin + size / 1000];
    return last;
  };
};

export const WINDOW_FUNCTIONS: readonly FunctionDefinition[] = [
  {
    name: "window",
    category: "time",
    usage: "window(time, size[, slide[, start]])",
    summary: "The event-time window of a timestamp, a struct of start and end.",
    resolve: rule,
    nulls: "strict",
    evaluate: ([ms, size, slide, start]) => {
      const from = windowStart(ms as number, slide as number, start as number);
      return [from, from + (size as number) / 1000];
    },
    emit: (values, _call, bind) => `${bind(windowMaker())}(${values.join(", ")})`,
  },
];
