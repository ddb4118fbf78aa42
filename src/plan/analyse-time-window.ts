/**
 * `window(…)` and `session_window(…)` wherever they stand in an operator's expressions. The call becomes a column made below the
 * operator; rows whose time is null are left out, as in Spark.
 *
 *  - tumbling: a filter and a struct expression;
 *  - sliding: an `expandWindow` node;
 *  - session: a key that the aggregate itself makes (`SessionKey`).
 *
 * One operator may use one window only (the same call any number of times). A window over a window column is one over its
 * `window_time`, and carries its event time on.
 */
import {
  CALENDAR_INTERVAL,
  type DataType,
  field,
  LONG,
  struct,
  TIMESTAMP,
  WINDOW,
} from "../core/data-type.ts";
import type { Attribute, Expr, SourcePosition, TypedExpr } from "../expr/ast.ts";
import { castTo } from "../expr/coercion.ts";
import { fold } from "../expr/fold.ts";
import { parseCalendarInterval } from "../expr/time/interval-text.ts";
import { sqlType } from "../expr/type-errors.ts";
import { type Analysis, eventTimeDelayOf, fail } from "./analyse-context.ts";
import type { LogicalPlan, SessionKey } from "./logical.ts";
import { extend, filter } from "./nodes.ts";
import { caseOf, callOf, exprKey, isNotNull, literal, longLiteral, windowTime } from "./typed.ts";

type Call = Extract<Expr, { kind: "call" }>;
type TypeOf = (e: Expr) => TypedExpr;

interface TimeWindow {
  readonly key: string;
  readonly attribute: Attribute;
  readonly time: TypedExpr;
  readonly sizeMs: number;
  readonly slideMs: number;
  readonly offsetMs: number;
}

const MICROS_PER_MS = 1000;
const DAY_MS = 86_400_000;

const micros = (ms: number): TypedExpr => longLiteral(Math.round(ms * MICROS_PER_MS));
const isWindowType = (t: TypedExpr["type"]): boolean =>
  t.kind === "struct" &&
  t.fields.length === 2 &&
  t.fields[0]!.name === "start" &&
  t.fields[1]!.name === "end";

const badParameter = (message: string, position: SourcePosition | undefined): never =>
  fail("DATATYPE_MISMATCH.PARAMETER_CONSTRAINT_VIOLATION", message, position);

/** A constant duration in ms: interval text, interval literal, or a number of microseconds. */
export const durationMs = (raw: TypedExpr, position: SourcePosition | undefined): number => {
  const e = fold(raw);
  if (e.kind !== "literal")
    return fail(
      "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT",
      "the duration of a window must be a constant",
      position,
    );
  const { value, type } = e;
  if (typeof value === "string") return textMs(value, position);
  if (type.kind === "dayTimeInterval" || type.kind === "long" || type.kind === "int")
    return Number(value) / MICROS_PER_MS;
  if (type.kind === "calendarInterval" && Array.isArray(value)) {
    const [months, days, micros] = value as [number, number, number];
    return calendarMs(months, days, micros, position);
  }
  return fail(
    "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
    "the duration of a window must be text or an interval",
    position,
  );
};

const calendarMs = (
  months: number,
  days: number,
  micros: number,
  position: SourcePosition | undefined,
): number =>
  months === 0
    ? days * DAY_MS + micros / MICROS_PER_MS
    : fail(
        "_LEGACY_ERROR_TEMP_1089",
        "Intervals greater than a month is not supported: months and years have no fixed length.",
        position,
        "give the duration in days",
      );

export const textMs = (text: string, position?: SourcePosition): number => {
  const parsed = parseCalendarInterval(text);
  if (parsed === undefined)
    return fail(
      "CANNOT_PARSE_INTERVAL",
      `Unable to parse '${text}'. Please ensure that the value provided is in a valid format for defining an interval.`,
      position,
      `write a number and a unit, such as '10 seconds'`,
    );
  return calendarMs(...parsed, position);
};

/** Collects the time window of one operator. */
export class TimeWindows {
  readonly #analysis: Analysis;
  #window: TimeWindow | undefined;
  #session: { readonly key: string; readonly value: SessionKey } | undefined;

  constructor(analysis: Analysis) {
    this.#analysis = analysis;
  }

  get session(): SessionKey | undefined {
    return this.#session?.value;
  }

  /** The window column, for names: `window.start` after GROUP BY window(…). */
  get attribute(): Attribute | undefined {
    return this.#window?.attribute ?? this.#session?.value.key;
  }

  /** The column for a call of `window` or `session_window`; undefined for any other expression. */
  resolve(e: Expr, type: TypeOf): TypedExpr | undefined {
    if (e.kind !== "call") return undefined;
    if (e.fn === "window") return this.#tumblingOrSliding(e, type);
    return e.fn === "session_window" ? this.#sessionWindow(e, type) : undefined;
  }

  /** The plan with the window column. */
  apply(plan: LogicalPlan): LogicalPlan {
    const w = this.#window;
    if (w === undefined) return plan;
    const present = filter(plan, isNotNull(w.time));
    if (w.sizeMs === w.slideMs) {
      const expr = callOf(
        "window",
        [w.time, micros(w.sizeMs), micros(w.slideMs), micros(w.offsetMs)],
        w.attribute.type,
        false,
      );
      return extend(present, [{ attribute: w.attribute, expr }]);
    }
    return Object.freeze({
      kind: "expandWindow",
      child: present,
      time: w.time,
      sizeMs: w.sizeMs,
      slideMs: w.slideMs,
      offsetMs: w.offsetMs,
      attribute: w.attribute,
      output: [...present.output, w.attribute],
      streaming: plan.streaming,
    });
  }

  #time(e: Call, type: TypeOf): { time: TypedExpr; eventTimeDelayMs: number | undefined } {
    const raw = type(e.args[0]!);
    const eventTimeDelayMs = eventTimeDelayOf(raw);
    if (isWindowType(raw.type)) return { time: windowTime(raw), eventTimeDelayMs };
    if (raw.type.kind === "timestamp" || raw.type.kind === "timestamp_ntz")
      return { time: raw, eventTimeDelayMs };
    if (raw.type.kind === "date" || raw.type.kind === "string")
      return { time: castToTimestamp(raw), eventTimeDelayMs: undefined };
    return fail(
      "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
      `Cannot resolve "${e.fn}" due to data type mismatch: The first parameter requires the ("TIMESTAMP" or "TIMESTAMP_NTZ" or "STRUCT<start: TIMESTAMP, end: TIMESTAMP>") type.`,
      e.position,
    );
  }

  #tumblingOrSliding(e: Call, type: TypeOf): TypedExpr {
    if (e.args.length < 2 || e.args.length > 4)
      return fail(
        "WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
        `The \`window\` requires [2, 3, 4] parameters but the actual number is ${e.args.length}.`,
        e.position,
      );
    const { time, eventTimeDelayMs } = this.#time(e, type);
    const durations = e.args.slice(1).map(type);
    if (this.#analysis.options.compatibility === "spark")
      durations.forEach((d) => refuseInterval(d, e.position));
    const [sizeMs, slide, offset] = durations.map((d) => durationMs(d, e.position));
    const slideMs = slide ?? sizeMs!;
    const offsetMs = offset ?? 0;
    checkDurations(sizeMs!, slideMs, offsetMs, e.position);
    const key = `${exprKey(time)}|${sizeMs}|${slideMs}|${offsetMs}`;
    if (this.#window?.key === key) return this.#window.attribute;
    this.#single(e.position);
    const attribute = this.#analysis.attribute("window", windowType(time), false, eventTimeDelayMs);
    this.#window = { key, attribute, time, sizeMs: sizeMs!, slideMs, offsetMs };
    return attribute;
  }

  #sessionWindow(e: Call, type: TypeOf): TypedExpr {
    if (e.args.length !== 2)
      return fail(
        "WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
        `The \`session_window\` requires 2 parameters but the actual number is ${e.args.length}.`,
        e.position,
      );
    const { time, eventTimeDelayMs } = this.#time(e, type);
    const written = type(e.args[1]!);
    if (this.#analysis.options.compatibility === "spark" && !SPARK_GAPS.has(written.type.kind))
      fail(
        "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
        `Gap duration expression used in session window must be CalendarIntervalType, but got "${sqlType(written.type)}".`,
        e.position,
        "write the gap as text: '10 seconds'",
      );
    const gap = gapMs(written, time, e.position);
    const key = `${exprKey(time)}|${exprKey(gap)}`;
    if (this.#session?.key === key) return this.#session.value.key;
    this.#single(e.position);
    const attribute = this.#analysis.attribute("session_window", windowType(time), false, eventTimeDelayMs);
    this.#session = { key, value: Object.freeze({ key: attribute, gap, time }) };
    return attribute;
  }

  #single(position: SourcePosition | undefined): void {
    if (this.#window !== undefined || this.#session !== undefined)
      fail(
        "_LEGACY_ERROR_TEMP_1039",
        "Multiple time/session window expressions would result in a cartesian product of rows, therefore they are currently not supported.",
        position,
        "compute one of the windows in a subquery",
      );
  }
}

/** The struct of a window over times of this type. */
const windowType = (time: TypedExpr): TypedExpr["type"] =>
  time.type.kind === "timestamp_ntz" ? struct([field("start", time.type), field("end", time.type)]) : WINDOW;

const castToTimestamp = (e: TypedExpr): TypedExpr =>
  Object.freeze({
    kind: "cast",
    child: e,
    type: TIMESTAMP,
    tryCast: false,
    nullable: e.nullable,
  });

/** Spark takes no interval literals here; we do. */
const refuseInterval = (duration: TypedExpr, position: SourcePosition | undefined): void => {
  const { kind } = duration.type;
  if (kind === "dayTimeInterval" || kind === "calendarInterval")
    fail(
      "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
      "The duration and time inputs to window must be an integer, long or string literal.",
      position,
      "write the duration as text: '10 seconds'",
    );
};

const outOfRange = (name: string, ms: number, position: SourcePosition | undefined): never =>
  fail(
    "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE",
    `The \`${name}\` must be between (0, 9223372036854775807] (current value = ${ms * MICROS_PER_MS}L).`,
    position,
  );

const checkDurations = (
  sizeMs: number,
  slideMs: number,
  offsetMs: number,
  position: SourcePosition | undefined,
): void => {
  if (!(sizeMs > 0)) outOfRange("window_duration", sizeMs, position);
  if (!(slideMs > 0)) outOfRange("slide_duration", slideMs, position);
  if (slideMs > sizeMs)
    badParameter(
      `The slide duration (${slideMs} ms) must be less than or equal to the window duration (${sizeMs} ms).`,
      position,
    );
  if (Math.abs(offsetMs) >= slideMs)
    badParameter(
      `The absolute value of the start time (${offsetMs} ms) must be less than the slide duration (${slideMs} ms).`,
      position,
    );
};

/** Types of a session's gap in Spark: text, an interval of several units, NULL. */
const SPARK_GAPS: ReadonlySet<DataType["kind"]> = new Set(["string", "calendarInterval", "null"]);

/** A session's gap in ms as an expression: text and interval literals at its ends are turned into numbers. */
const gapMs = (raw: TypedExpr, time: TypedExpr, position: SourcePosition | undefined): TypedExpr => {
  const e = fold(raw);
  if (e.kind === "literal") {
    if (e.value === null) return literal(null, LONG);
    return hasMonths(e) ? addedMs(e, time) : longLiteral(durationMs(e, position));
  }
  if (e.kind === "case")
    return caseOf(
      e.branches.map(([c, v]) => [c, gapMs(v, time, position)] as const),
      gapMs(e.otherwise, time, position),
    );
  if (e.kind === "call" && e.fn === "if" && e.args.length === 3)
    return caseOf([[e.args[0]!, gapMs(e.args[1]!, time, position)]], gapMs(e.args[2]!, time, position));
  if (e.kind === "call" && e.fn === "coalesce") {
    const args = e.args.map((a) => gapMs(a, time, position));
    return callOf(
      "coalesce",
      args,
      LONG,
      args.every((a) => a.nullable),
    );
  }
  if (e.type.kind === "long") return callOf("div", [e, longLiteral(MICROS_PER_MS)], LONG);
  return addedMs(e, time);
};

/** Such a gap depends on the time it follows. */
const hasMonths = (e: Extract<TypedExpr, { kind: "literal" }>): boolean => {
  const interval =
    typeof e.value === "string" && e.type.kind === "string" ? parseCalendarInterval(e.value) : e.value;
  return Array.isArray(interval) && interval[0] !== 0;
};

/** The milliseconds from `time` to `time` plus an interval that the row gives, as text or as interval. */
const addedMs = (gap: TypedExpr, time: TypedExpr): TypedExpr => {
  const interval = gap.type.kind === "string" ? castTo(gap, CALENDAR_INTERVAL, true) : gap;
  const ms = (t: TypedExpr): TypedExpr => callOf("unix_millis", [t], LONG);
  return callOf("-", [ms(callOf("+", [time, interval], time.type)), ms(time)], LONG, true);
};
