/** `sequence`, `sort_array`, `array_sort`: arrays in order. */
import { ARRAY_ELEMENTS_MAX } from "../../core/limits.ts";
import { array as arrayOf, BOOLEAN, type DataType, DAY_TIME_INTERVAL, INT } from "../../core/data-type.ts";
import { canonicalLong, type Value } from "../../core/value.ts";
import { castTo, commonType, isDatetime, isInterval, isIntegral } from "../coercion.ts";
import type { TypedExpr } from "../ast.ts";
import type { BoundCall, CallSite, FunctionDefinition, TypeRule } from "../function.ts";
import { array, lambda, signature, typedArray } from "../rules.ts";
import { shiftInstant } from "../temporal.ts";
import { addMonthsToDays, DAY_MS } from "../time/calendar.ts";
import { mismatch, sqlType, wrongNumberOfArguments } from "../type-errors.ts";
import { compareNullable } from "../value-order.ts";
import { elementOf, mayHaveNull, orderedElements } from "./array-rules.ts";
import { custom, failure, family, strict, tooLong } from "./definition.ts";

const fn = family("array");
type List = readonly Value[];

const sequenceRule: TypeRule = (args, site) => {
  if (args.length !== 2 && args.length !== 3) throw wrongNumberOfArguments(site, "[2, 3]", args.length);
  const wrong = (): Error =>
    mismatch(
      "SEQUENCE_WRONG_INPUT_TYPES",
      site,
      args,
      `\`${site.fn}\` uses the wrong parameter type. The parameter type must conform to: 1. The start and stop expressions must resolve to the same type. 2. Integers take an integral step, dates and timestamps an interval.`,
    );
  const common = commonType([args[0]!.type, args[1]!.type]);
  if (common === undefined) throw wrong();
  const t = common;
  if (!isIntegral(t) && !isDatetime(t)) throw wrong();
  const bounds = [castTo(args[0]!, t), castTo(args[1]!, t)];
  const step = args[2];
  const type = arrayOf(t, false);
  const nullable = args.some((a) => a.nullable);
  if (step === undefined) return { args: bounds, type, nullable };
  if (isIntegral(t)) {
    const wide = commonType([t, step.type]);
    if (wide === undefined || !isIntegral(wide)) throw wrong();
    return {
      args: [...bounds.map((b) => castTo(b, wide)), castTo(step, wide)],
      type: arrayOf(wide, false),
      nullable,
    };
  }
  if (!isInterval(step.type) && step.type.kind !== "null") throw wrong();
  return {
    args: [...bounds, step.type.kind === "null" ? castTo(step, DAY_TIME_INTERVAL) : step],
    type,
    nullable,
  };
};

const illegal = (start: unknown, stop: unknown, step: unknown): Error =>
  failure(
    "ILLEGAL_SEQUENCE_BOUNDARIES",
    `Illegal sequence boundaries: ${String(start)} to ${String(stop)} by ${String(step)}`,
  );

const integers = (a: number | bigint, b: number | bigint, by: number | bigint | undefined): Value => {
  const [start, stop] = [BigInt(a), BigInt(b)];
  const step = by === undefined ? (start <= stop ? 1n : -1n) : BigInt(by);
  if ((step > 0n && start > stop) || (step < 0n && start < stop) || (step === 0n && start !== stop))
    throw illegal(a, b, by);
  if (step === 0n) return [a];
  const n = Number((stop - start) / step) + 1;
  if (n > ARRAY_ELEMENTS_MAX) throw tooLong(n, "sequence");
  return Array.from({ length: n }, (_, i) => canonicalLong(start + BigInt(i) * step));
};

type Calendar = readonly [number, number, number];
const partsOf = (v: Value, type: DataType): Calendar =>
  type.kind === "yearMonthInterval"
    ? [v as number, 0, 0]
    : type.kind === "dayTimeInterval"
      ? [0, 0, v as number]
      : (v as unknown as Calendar);

/** Each element is start plus i steps (not the one before plus a step: months of 31 and 30 days). */
const instants = (args: List, call: BoundCall): Value => {
  const type = elementOf(call.type);
  const [start, stop] = args as [number, number];
  const date = type.kind === "date";
  const parts: Calendar =
    args[2] === undefined ? [0, start <= stop ? 1 : -1, 0] : partsOf(args[2]!, call.argTypes[2]!);
  // Spark counts a month as 28 days where it guesses lengths.
  const micros = parts[0] * 2_419_200_000_000 + parts[1] * 86_400_000_000 + parts[2];
  const length = Math.abs(stop - start) * (date ? 86_400_000_000 : 1000);
  if (micros !== 0 && length / Math.abs(micros) > ARRAY_ELEMENTS_MAX)
    throw tooLong(Math.floor(length / Math.abs(micros)) + 1, "sequence");
  if (date && parts[0] === 0 && parts[1] === 0 && (parts[2] === 0 || parts[2] % 86_400_000_000 !== 0))
    throw failure("_LEGACY_ERROR_TEMP_3242", "A sequence of dates has a step of whole days or months.");
  if (micros === 0 ? start !== stop : start !== stop && micros > 0 !== start < stop)
    throw illegal(start, stop, parts.join(" "));
  if (start === stop) return [start];
  const zone = type.kind === "timestamp" ? call.context.timeZone : "UTC";
  const out: number[] = [];
  for (let i = 0; out.length < ARRAY_ELEMENTS_MAX; i++) {
    const [m, d, us] = [parts[0] * i, parts[1] * i, parts[2] * i] as const;
    const v = date
      ? addMonthsToDays(start, m) + d + Math.trunc(us / (DAY_MS * 1000))
      : shiftInstant(start, [m, d, us], 1, zone);
    if (micros > 0 ? v > stop : v < stop) return out;
    out.push(v);
  }
  throw tooLong(out.length, "sequence");
};

const comparison = signature(
  [
    typedArray,
    lambda(
      (args) => {
        const t = args[0]!.type;
        const p = { type: elementOf(t), nullable: mayHaveNull(t) };
        return [p, p];
      },
      2,
      INT,
    ),
  ],
  (args) => args[0]!.type,
  { optional: 1 },
);

/** The comparator's result is not cast: Spark wants an int. */
const comparator: TypeRule = Object.assign(
  (raw: readonly TypedExpr[], site: CallSite) => {
    const body = raw[1]?.kind === "lambda" ? raw[1].body.type : INT;
    if (body.kind !== "int")
      throw mismatch(
        "UNEXPECTED_RETURN_TYPE",
        site,
        raw,
        `The \`${site.fn}\` requires return "INT" type, but the actual is "${sqlType(body)}" type.`,
      );
    return raw.length === 1 ? orderedElements(comparison)(raw, site) : comparison(raw, site);
  },
  { lambdaParameters: comparison.lambdaParameters! },
);

type Comparator = (a: Value, b: Value) => number | null;

const sortBy = (list: List, compare: Comparator): Value =>
  list.toSorted((a, b) => {
    const c = compare(a, b);
    if (c === null)
      throw failure(
        "COMPARATOR_RETURNS_NULL",
        'The comparator has returned a NULL for a comparison. It should return a positive integer for "greater than", 0 for "equal" and a negative integer for "less than".',
      );
    return c;
  });

const nullsLast = (list: List, type: DataType): Value => {
  const compare = compareNullable(type);
  return [...list.filter((v) => v !== null).sort(compare), ...list.filter((v) => v === null)];
};

const sortArray = (list: List, ascending: boolean, type: DataType): Value => {
  const compare = compareNullable(type);
  return list.toSorted((a, b) => (ascending ? compare(a, b) : compare(b, a)));
};

export const SEQUENCE_FUNCTIONS: readonly FunctionDefinition[] = [
  fn(
    "sequence(start, stop[, step])",
    "The values from start to stop, both included.",
    sequenceRule,
    strict<Value[]>((args, call) =>
      isDatetime(elementOf(call.type))
        ? instants(args, call)
        : integers(args[0] as number, args[1] as number, args[2] as number | undefined),
    ),
    {
      examples: [
        ["sequence(1, 5)", "[1, 2, 3, 4, 5]"],
        ["sequence(5, 1)", "[5, 4, 3, 2, 1]"],
      ],
    },
  ),
  fn(
    "sort_array(array[, ascending])",
    "The array in order; nulls first when ascending, last when not.",
    orderedElements(signature([array, BOOLEAN], (args) => args[0]!.type, { optional: 1 })),
    strict<[List, boolean | undefined]>(([l, asc], call) => sortArray(l, asc ?? true, elementOf(call.type))),
    {
      examples: [["sort_array(array('b', 'd', null, 'c', 'a'), true)", "[null, a, b, c, d]"]],
    },
  ),
  fn(
    "array_sort(array[, comparator])",
    "The array in order, nulls last; or by a comparator (a, b) -> negative, 0 or positive.",
    comparator,
    custom<[List | null, Comparator | undefined]>(([l, compare], call) => {
      if (l === null) return null;
      return compare === undefined ? nullsLast(l, elementOf(call.type)) : sortBy(l, compare);
    }),
    {
      examples: [
        [
          "array_sort(array('bc', 'ab', 'dc'), (l, r) -> CASE WHEN l < r THEN -1 WHEN l > r THEN 1 ELSE 0 END)",
          "[ab, bc, dc]",
        ],
      ],
    },
  ),
];
