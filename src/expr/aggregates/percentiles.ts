/**
 * Percentiles. All are exact: the state counts each distinct value. percentile_approx therefore ignores its accuracy: it gives the value at the rank
 * that Spark's sketch aims at, for any number of rows.
 */
import {
  array,
  DAY_TIME_INTERVAL,
  type DataType,
  DOUBLE,
  INT,
  LONG,
  YEAR_MONTH_INTERVAL,
} from "../../core/data-type.ts";
import type { Value } from "../../core/value.ts";
import type { AggregateCall, SortOrder, TypedExpr } from "../ast.ts";
import type { Accumulator } from "../contract.ts";
import { coerce, isAnsiInterval, isDatetime, isIntegral } from "../coercion.ts";
import type { CallSite, Resolution } from "../function.ts";
import { ansiInterval, numeric, oneOf, signature, type TypeClass } from "../rules.ts";
import { decimalToNumber } from "../decimal.ts";
import { constantOf, failure } from "../functions/definition.ts";
import { analysisError, mismatch, unexpectedInput } from "../type-errors.ts";
import { compareValues } from "../value-order.ts";
import { type Counts, countsFold } from "./collections.ts";
import { type AggregateDefinition, foldAccumulator } from "./definition.ts";

interface Sorted {
  readonly values: readonly Value[];
  /** Rows up to and with each value. */
  readonly upTo: readonly number[];
  readonly count: number;
}

const sorted = (counts: Counts, type: DataType, descending: boolean): Sorted => {
  const compare = compareValues(type);
  const entries = [...counts.values()].sort((a, b) =>
    descending ? compare(b.value, a.value) : compare(a.value, b.value),
  );
  let count = 0;
  const upTo = entries.map((e) => (count += e.count));
  return { values: entries.map((e) => e.value), upTo, count };
};

/** The value of rank `rank`, from 0. */
const atRank = (s: Sorted, rank: number): Value => {
  let [low, high] = [0, s.upTo.length - 1];
  while (low < high) {
    const mid = (low + high) >> 1;
    if (s.upTo[mid]! > rank) high = mid;
    else low = mid + 1;
  }
  return s.values[low]!;
};

const asNumber = (v: Value, type: DataType): number =>
  type.kind === "decimal" ? decimalToNumber(v as bigint, type.scale) : Number(v);

type Pick = (s: Sorted, p: number, type: DataType) => Value;

/** Linear interpolation between the two nearest ranks. */
const continuous: Pick = (s, p, type) => {
  const position = (s.count - 1) * p;
  const [lower, higher] = [Math.floor(position), Math.ceil(position)];
  const low = asNumber(atRank(s, lower), type);
  const high = asNumber(atRank(s, higher), type);
  const x = lower === higher || low === high ? low : (higher - position) * low + (position - lower) * high;
  return isAnsiInterval(type) ? Math.trunc(x) : x;
};
/** The first value whose cumulative distribution is at least p. */
const discrete: Pick = (s, p) => atRank(s, Math.max(Math.ceil(s.count * p) - 1, 0));
/** The same as percentile_disc gives it: numbers as doubles. */
const discreteNumber: Pick = (s, p, type) => {
  const v = discrete(s, p, type);
  return isAnsiInterval(type) ? v : asNumber(v, type);
};

const invalidPercentage = (p: number): Error =>
  failure(
    "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE",
    `The percentage(s) must be between [0.0, 1.0] (current value = ${p}).`,
  );

interface Shape {
  readonly pick: Pick;
  /** Index of the value among the accumulator's inputs. */
  readonly valueAt: number;
  readonly type: DataType;
  readonly percentage: Value;
  readonly descending: boolean;
  readonly weightAt: number;
}

const percentileAccumulator = (shape: Shape): Accumulator => {
  const { percentage } = shape;
  return foldAccumulator(
    countsFold(
      shape.type,
      shape.valueAt,
      (counts) => {
        if (counts.size === 0 || percentage === null) return null;
        const s = sorted(counts, shape.type, shape.descending);
        const one = (p: Value): Value => shape.pick(s, Number(p), shape.type);
        return Array.isArray(percentage) ? (percentage as readonly Value[]).map(one) : one(percentage);
      },
      shape.weightAt,
    ),
  );
};

const measurable: TypeClass = oneOf(numeric, ansiInterval);
const percentages: TypeClass = oneOf(DOUBLE, array(DOUBLE));

/** The percentage argument as a double or an array of doubles that is constant and within [0, 1]. */
const checkPercentage = (args: readonly TypedExpr[], index: number, site: CallSite): TypedExpr => {
  const arg = args[index]!;
  const wanted = arg.type.kind === "array" ? array(DOUBLE, false) : DOUBLE;
  const cast = coerce(arg, wanted);
  if (cast === undefined) throw unexpectedInput(site, args, index, percentages.name);
  const value = constantOf(cast);
  if (value === undefined)
    throw analysisError(
      "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT",
      `Cannot resolve "${site.fn}" due to data type mismatch: the input \`percentage\` should be a foldable "DOUBLE" expression.`,
      site.position,
    );
  if (value === null) throw mismatch("UNEXPECTED_NULL", site, args, "The percentage must not be null.");
  for (const p of Array.isArray(value) ? (value as readonly Value[]) : [value])
    if (p !== null && (Number(p) < 0 || Number(p) > 1))
      throw analysisError(
        "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE",
        invalidPercentage(Number(p)).message,
        site.position,
      );
  return { kind: "literal", value, type: wanted, nullable: value === null, position: arg.position };
};

const manyOr = (one: DataType, percentage: DataType): DataType =>
  percentage.kind === "array" ? array(one, false) : one;
const interpolated = (t: DataType): DataType => {
  if (t.kind === "dayTimeInterval") return DAY_TIME_INTERVAL;
  return t.kind === "yearMonthInterval" ? YEAR_MONTH_INTERVAL : DOUBLE;
};

const resolvePercentile = (args: readonly TypedExpr[], site: CallSite): Resolution => {
  const weight = args[2]?.type;
  if (weight !== undefined && !isIntegral(weight) && weight.kind !== "null")
    throw unexpectedInput(site, args, 2, `"INTEGRAL"`);
  const base = signature([measurable, percentages, LONG], DOUBLE, { optional: 1, nullable: true })(
    args.length > 1 ? args.with(1, checkPercentage(args, 1, site)) : args,
    site,
  );
  return { ...base, type: manyOr(interpolated(base.args[0]!.type), base.args[1]!.type) };
};

/** The accuracy says nothing here (all is exact), but it must be one. */
const checkAccuracy = (args: readonly TypedExpr[], coerced: TypedExpr, site: CallSite): void => {
  const { type } = args[2]!;
  if (!isIntegral(type) && type.kind !== "null") throw unexpectedInput(site, args, 2, `"INTEGRAL"`);
  const accuracy = constantOf(site.fold?.(coerced) ?? coerced);
  const refused = (reason: string, message: string): Error => mismatch(reason, site, args, message);
  if (accuracy === undefined)
    throw refused("NON_FOLDABLE_INPUT", 'the input `accuracy` should be a foldable "INT" expression.');
  if (accuracy === null) throw refused("UNEXPECTED_NULL", "The accuracy must not be null.");
  if (Number(accuracy) <= 0)
    throw refused(
      "VALUE_OUT_OF_RANGE",
      `The accuracy must be between (0, 2147483647] (current value = ${Number(accuracy)}L).`,
    );
};

const resolveApprox = (args: readonly TypedExpr[], site: CallSite): Resolution => {
  const base = signature(
    [
      oneOf(numeric, ansiInterval, { name: `"TIMESTAMP"`, accepts: isDatetime, whenNull: DOUBLE }),
      percentages,
      INT,
    ],
    DOUBLE,
    {
      optional: 1,
      nullable: true,
    },
  )(args.length > 1 ? args.with(1, checkPercentage(args, 1, site)) : args, site);
  if (base.args[2] !== undefined) checkAccuracy(args, base.args[2], site);
  return { ...base, type: manyOr(base.args[0]!.type, base.args[1]!.type) };
};

/** Texts are read as doubles. */
const measured = (e: TypedExpr, site: CallSite): TypedExpr => {
  if (measurable.accepts(e.type) || e.type.kind === "null") return e;
  const coerced = e.type.kind === "string" ? coerce(e, DOUBLE) : undefined;
  if (coerced === undefined) throw unexpectedInput(site, [e], 0, measurable.name);
  return coerced;
};

/** percentile_cont/disc(p) WITHIN GROUP (ORDER BY v). */
const resolveWithin = (
  args: readonly TypedExpr[],
  site: CallSite,
  orderBy: readonly SortOrder<TypedExpr>[] = [],
): Resolution => {
  const percentage = checkPercentage(args, 0, site);
  const t = orderBy[0]!.expr.type;
  return { args: [percentage], type: manyOr(interpolated(t), percentage.type), nullable: true };
};

const within =
  (pick: Pick) =>
  (call: AggregateCall): Accumulator =>
    percentileAccumulator({
      pick,
      valueAt: call.args.length,
      type: call.orderBy[0]!.expr.type,
      percentage: constantOf(call.args[0]) ?? null,
      descending: call.orderBy[0]!.descending,
      weightAt: -1,
    });

const direct =
  (pick: Pick, weighted: boolean) =>
  (call: AggregateCall): Accumulator =>
    percentileAccumulator({
      pick,
      valueAt: 0,
      type: call.args[0]!.type,
      percentage: call.args.length > 1 ? (constantOf(call.args[1]) ?? null) : 0.5,
      descending: false,
      weightAt: weighted && call.args.length > 2 ? 2 : -1,
    });

export const PERCENTILE_AGGREGATES: readonly AggregateDefinition[] = [
  {
    name: "percentile",
    usage: "percentile(x, percentage[, frequency])",
    summary: "The exact percentile, interpolated; an array of percentages gives an array.",
    resolve: resolvePercentile,
    create: direct(continuous, true),
  },
  {
    name: "median",
    usage: "median(x)",
    summary: "percentile(x, 0.5).",
    resolve: signature([measurable], (args) => interpolated(args[0]!.type), { nullable: true }),
    create: direct(continuous, false),
    wholePartition: true,
  },
  {
    name: "percentile_approx",
    aliases: ["approx_percentile"],
    usage: "percentile_approx(x, percentage[, accuracy])",
    summary: "The least value with at least the given part of the rows at or below it.",
    resolve: resolveApprox,
    create: direct(discrete, false),
  },
  {
    name: "percentile_cont",
    usage: "percentile_cont(percentage) WITHIN GROUP (ORDER BY x)",
    summary: "The percentile of an ordered column, interpolated.",
    resolve: resolveWithin,
    order: measured,
    create: within(continuous),
    withinGroup: "inverse",
    wholePartition: true,
  },
  {
    name: "percentile_disc",
    usage: "percentile_disc(percentage) WITHIN GROUP (ORDER BY x)",
    summary: "The first value of an ordered column whose cumulative distribution reaches the percentage.",
    resolve: resolveWithin,
    order: measured,
    create: within(discreteNumber),
    withinGroup: "inverse",
    wholePartition: true,
  },
];
