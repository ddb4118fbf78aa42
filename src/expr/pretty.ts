/**
 * Names of unaliased columns, as Spark writes them: `count(1)`, `(a + 1)`, `CAST(a AS INT)`. They work on the untyped expression; what only the analyser
 * knows (which parts of a name are a table) comes through `attribute`.
 */
import {
  CALENDAR_INTERVAL,
  DATE,
  DAY_TIME_INTERVAL,
  type DataType,
  TIMESTAMP,
  YEAR_MONTH_INTERVAL,
} from "../core/data-type.ts";
import type { Value } from "../core/value.ts";
import type { Expr, FrameBound, SortOrder, WindowFrame } from "./ast.ts";
import { defaultArguments, displayName, rewrittenCall } from "./pretty-calls.ts";
import { javaDecimalString } from "./decimal.ts";
import { sqlType } from "./type-errors.ts";
import { valueText } from "./value-text.ts";

export interface PrettyOptions {
  /** How a column is written inside an expression; default: its last part. */
  readonly attribute?: (parts: readonly string[]) => string;
  readonly timeZone?: string;
  /** The type of a column, where it is known: `date + 1` has a name of its own. */
  readonly columnType?: (parts: readonly string[]) => DataType | undefined;
  /** The value of an expression without columns, where it has one. */
  readonly constant?: (e: Expr) => Value | undefined;
  /** The columns of the query around that a subquery uses, by its relation: `scalarsubquery(a, b)`. */
  readonly outer?: (relation: unknown) => readonly string[];
}

type Of<K extends Expr["kind"]> = Extract<Expr, { kind: K }>;
interface Printer {
  readonly attribute: (parts: readonly string[]) => string;
  readonly zone: string;
  readonly variables: ReadonlySet<string>;
  readonly columnType: (parts: readonly string[]) => DataType | undefined;
  readonly outer: (relation: unknown) => readonly string[];
  readonly constant: (e: Expr) => Value | undefined;
}

const INFIX = new Set([
  "+",
  "-",
  "*",
  "/",
  "%",
  "div",
  "=",
  "<",
  "<=",
  ">",
  ">=",
  "<=>",
  "&",
  "|",
  "^",
  "<<",
  ">>",
  ">>>",
]);
const isComplex = (t: DataType): boolean => t.kind === "array" || t.kind === "map" || t.kind === "struct";

/** A literal as it stands in a name: strings bare, dates with their keyword. */
export const literalText = (value: Value, type: DataType, zone = "UTC"): string => {
  if (value === null) return "NULL";
  const text = valueText(type, zone)(value);
  switch (type.kind) {
    case "date":
      return `DATE '${text}'`;
    case "timestamp":
      return `TIMESTAMP '${text}'`;
    case "timestamp_ntz":
      return `TIMESTAMP_NTZ '${text}'`;
    case "binary":
      return `X'${Buffer.from(value as Uint8Array)
        .toString("hex")
        .toUpperCase()}'`;
    case "decimal":
      return javaDecimalString(value as bigint, type.scale);
    default:
      return text;
  }
};

const order = (p: Printer, o: SortOrder<Expr>): string =>
  `${print(p, o.expr)} ${o.descending ? "DESC" : "ASC"} NULLS ${o.nullsFirst ? "FIRST" : "LAST"}`;

const bound = (p: Printer, b: FrameBound<Expr>): string => {
  switch (b.kind) {
    case "currentRow":
      return "CURRENT ROW";
    case "unboundedPreceding":
      return "UNBOUNDED PRECEDING";
    case "unboundedFollowing":
      return "UNBOUNDED FOLLOWING";
    default:
      return `${print(p, b.offset)} ${b.kind.toUpperCase()}`;
  }
};

/** `lag` and `lead` look at one row: so many before or behind. */
const offsetFrame = (p: Printer, fn: string, offset: Expr | undefined): string => {
  const written = offset === undefined ? "1" : print(p, offset);
  if (fn === "lead") return `ROWS BETWEEN ${written} FOLLOWING AND ${written} FOLLOWING`;
  const text = offset === undefined ? written : String(p.constant(offset) ?? written);
  const rows = text.startsWith("-") ? text.slice(1) : text === "0" ? text : `-${text}`;
  return `ROWS BETWEEN ${rows} FOLLOWING AND ${rows} FOLLOWING`;
};

const frameText = (p: Printer, f: WindowFrame<Expr> | undefined, ordered: boolean, call: Expr): string => {
  if (f !== undefined) return `${f.unit.toUpperCase()} BETWEEN ${bound(p, f.start)} AND ${bound(p, f.end)}`;
  const fn = call.kind === "call" ? call.fn.toLowerCase() : "";
  if (call.kind === "call" && (fn === "lag" || fn === "lead")) return offsetFrame(p, fn, call.args[1]);
  const ranking = ["row_number", "rank", "dense_rank", "percent_rank", "ntile"].includes(fn);
  if (ranking) return "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW";
  return ordered
    ? "RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"
    : "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING";
};

const over = (p: Printer, e: Of<"over">): string => {
  const parts: string[] = [];
  if (e.partitionBy.length > 0)
    parts.push(`PARTITION BY ${e.partitionBy.map((x) => print(p, x)).join(", ")}`);
  if (e.orderBy.length > 0) parts.push(`ORDER BY ${e.orderBy.map((o) => order(p, o)).join(", ")}`);
  parts.push(frameText(p, e.frame, e.orderBy.length > 0, e.call));
  return `${print(p, e.call)} OVER (${parts.join(" ")})`;
};

/** Calls that Spark writes in a form of their own; undefined for the rest. */
const specialCall = (p: Printer, fn: string, args: readonly Expr[]): string | undefined => {
  const at = (i: number): string => print(p, args[i]!);
  switch (fn) {
    case "and":
    case "or":
      return `(${at(0)} ${fn.toUpperCase()} ${at(1)})`;
    case "not":
    case "!":
      return `(NOT ${at(0)})`;
    case "<>":
    case "!=":
      return `(NOT (${at(0)} = ${at(1)}))`;
    case "==":
      return `(${at(0)} = ${at(1)})`;
    case "isnull":
      return `(${at(0)} IS NULL)`;
    case "isnotnull":
      return `(${at(0)} IS NOT NULL)`;
    case "istrue":
    case "isfalse":
      return `(${at(0)} <=> ${fn === "istrue"})`;
    case "in":
      return `(${at(0)} IN (${args
        .slice(1)
        .map((a) => print(p, a))
        .join(", ")}))`;
    case "like":
      return `${at(0)} LIKE ${at(1)}${args.length > 2 ? ` ESCAPE '${at(2)}'` : ""}`;
    case "rlike":
      return `RLIKE(${at(0)}, ${at(1)})`;
    case "if":
      return `(IF(${args.map((a) => print(p, a)).join(", ")}))`;
    case "~":
      return `~${at(0)}`;
    case "positive":
      return `(+ ${at(0)})`;
    case "extract":
      return `extract(${at(0)} FROM ${at(1)})`;
    case "trim":
    case "ltrim":
    case "rtrim":
      return args.length < 2
        ? undefined
        : `TRIM(${{ trim: "BOTH", ltrim: "LEADING", rtrim: "TRAILING" }[fn]} ${at(0)} FROM ${at(1)})`;
    default:
      return infix(p, fn, args);
  }
};

/** Moving a date or a timestamp, and intervals: Spark puts them in an order of its own and drops the brackets. */
const timeArithmetic = (p: Printer, fn: string, a: Expr, b: Expr): string | undefined => {
  const [left, right] = [timeKind(p, a), timeKind(p, b)];
  if (fn === "*")
    return right === "interval" && left !== "interval" ? `(${print(p, b)} * ${print(p, a)})` : undefined;
  if (fn !== "+" && fn !== "-") return undefined;
  // A bare null counts as an interval beside a date, as a number beside an interval.
  const [nullLeft, nullRight] = [isNull(a), isNull(b)];
  if ((left === "interval" && nullRight) || (right === "interval" && nullLeft)) return undefined;
  if (left === "date" && nullRight) return fn === "+" ? `${print(p, a)} + NULL` : undefined;
  if (
    fn === "+" &&
    left !== "date" &&
    left !== "time" &&
    (right === "date" || (right === "time" && left === "interval"))
  )
    return timeArithmetic(p, fn, b, a);
  if (right === "interval" && left !== "interval") return moved(p, fn, a, b);
  if (left === "date" && right === undefined && !isText(p, b))
    return `date_${fn === "+" ? "add" : "sub"}(${print(p, a)}, ${print(p, b)})`;
  return left === "interval" && right === undefined && fn === "+"
    ? `${print(p, b)} + ${print(p, a)}`
    : undefined;
};

/** A date moved by whole days is a `date_add`; all else moved by an interval is written without brackets. */
const moved = (p: Printer, fn: string, a: Expr, b: Expr): string => {
  const type = typeOf(p, b);
  const days = type?.kind === "dayTimeInterval" && type.to === "day";
  if (!days || timeKind(p, a) !== "date") return `${print(p, a)} ${fn} ${print(p, b)}`;
  const count = `extractansiintervaldays(${print(p, b)})`;
  return `date_add(${print(p, a)}, ${fn === "+" ? count : `(- ${count})`})`;
};

const infix = (p: Printer, fn: string, args: readonly Expr[]): string | undefined => {
  if (args.length === 1 && (fn === "-" || fn === "+")) return `(${fn} ${print(p, args[0]!)})`;
  if (args.length !== 2 || !INFIX.has(fn)) return undefined;
  const [a, b] = args as readonly [Expr, Expr];
  return timeArithmetic(p, fn, a, b) ?? `(${print(p, a)} ${fn} ${print(p, b)})`;
};

const DATES = new Set(
  "to_date date current_date curdate make_date date_add date_sub add_months last_day next_day".split(" "),
);
const TIMES = new Set(
  "to_timestamp timestamp current_timestamp now make_timestamp to_timestamp_ntz to_timestamp_ltz date_trunc timestamp_seconds".split(
    " ",
  ),
);

/** The type of an expression where that shows without analysis. */
const typeOf = (p: Printer, e: Expr): DataType | undefined => {
  if (e.kind === "literal") return e.type;
  if (e.kind === "cast") return e.to;
  if (e.kind === "column") return p.columnType(e.parts);
  if (e.kind !== "call") return undefined;
  const fn = e.fn.toLowerCase();
  if (fn === "make_dt_interval") return DAY_TIME_INTERVAL;
  if (fn === "make_ym_interval") return YEAR_MONTH_INTERVAL;
  if (fn === "make_interval") return CALENDAR_INTERVAL;
  if (fn === "negative" || fn === "-" || fn === "+" || fn === "positive")
    return e.args.length === 1 ? typeOf(p, e.args[0]!) : sumType(p, fn, e.args);
  return DATES.has(fn) ? DATE : TIMES.has(fn) ? TIMESTAMP : undefined;
};

/** The type of a sum or difference that holds a date or a timestamp. */
const sumType = (p: Printer, fn: string, args: readonly Expr[]): DataType | undefined => {
  const types = args.map((x) => typeOf(p, x));
  const [a, b] = types.map(kindOf);
  const moment = a === "date" || a === "time" ? 0 : b === "date" || b === "time" ? 1 : undefined;
  if (moment === undefined) return a === "interval" && b === "interval" ? types[0] : undefined;
  if (a !== undefined && b !== undefined && a !== "interval" && b !== "interval") return DAY_TIME_INTERVAL;
  return types[moment];
};

const timeKind = (p: Printer, e: Expr): ReturnType<typeof kindOf> => kindOf(typeOf(p, e));

const kindOf = (type: DataType | undefined): "date" | "time" | "interval" | undefined => {
  const kind = type?.kind;
  if (kind === "date") return "date";
  if (kind === "timestamp" || kind === "timestamp_ntz") return "time";
  return kind === "dayTimeInterval" || kind === "yearMonthInterval" || kind === "calendarInterval"
    ? "interval"
    : undefined;
};

const isNull = (e: Expr): boolean => e.kind === "literal" && e.value === null;

const isText = (p: Printer, e: Expr): boolean => typeOf(p, e)?.kind === "string";

const argumentText = (e: Of<"call">, texts: readonly string[]): string => {
  const args = e.args.map((a, i) => (a.kind === "star" && e.fn.toLowerCase() === "count" ? "1" : texts[i]!));
  const all = [...args, ...defaultArguments(e.fn.toLowerCase(), args.length)];
  return `${e.distinct ? "DISTINCT " : ""}${all.join(", ")}`;
};

/** Percentiles show their order in short, and `mode` shows the opposite of it, as in Spark. */
const withinGroup = (p: Printer, fn: string, orderBy: readonly SortOrder<Expr>[]): string => {
  const short = fn === "mode" || fn === "percentile_cont" || fn === "percentile_disc";
  const texts = orderBy.map((o) =>
    short ? print(p, o.expr) + (o.descending !== (fn === "mode") ? " DESC" : "") : order(p, o),
  );
  return ` WITHIN GROUP (ORDER BY ${texts.join(", ")})`;
};

const callText = (p: Printer, e: Of<"call">): string => {
  if (e.shown !== undefined) return print(p, e.shown);
  const fn = e.fn.toLowerCase();
  const special = e.udf === undefined ? specialCall(p, fn, e.args) : undefined;
  if (special !== undefined) return special;
  // once for all: nested calls would be printed twice on each level
  const texts = e.args.map((a) => print(p, a));
  const rewritten =
    e.udf === undefined && !e.distinct ? rewrittenCall(fn, texts, e.args, (x) => typeOf(p, x)) : undefined;
  const ordered = e.orderBy !== undefined && e.orderBy.length > 0;
  const name = ordered && fn === "string_agg" ? "listagg" : displayName(fn);
  let text = rewritten ?? `${e.udf === undefined ? name : e.fn}(${argumentText(e, texts)})`;
  if (ordered) text += withinGroup(p, fn, e.orderBy!);
  if (e.filter !== undefined) text += ` FILTER (WHERE ${print(p, e.filter)})`;
  return text;
};

const caseText = (p: Printer, e: Of<"case">): string => {
  const branches = e.branches.map(([c, v]) => `WHEN ${print(p, c)} THEN ${print(p, v)}`);
  const otherwise = e.otherwise === undefined ? "" : ` ELSE ${print(p, e.otherwise)}`;
  return `CASE ${branches.join(" ")}${otherwise} END`;
};

const lambdaText = (p: Printer, e: Of<"lambda">): string => {
  const inner = { ...p, variables: new Set([...p.variables, ...e.parameters.map((x) => x.toLowerCase())]) };
  return `lambdafunction(${[print(inner, e.body), ...e.parameters.map(() => "namedlambdavariable()")].join(", ")})`;
};

const columnText = (p: Printer, e: Of<"column">): string => {
  if (!p.variables.has(e.parts[0]!.toLowerCase())) return p.attribute(e.parts);
  return ["namedlambdavariable()", ...e.parts.slice(1)].join(".");
};

/** Several values before IN are a struct. */
const memberText = (p: Printer, values: readonly Expr[]): string => {
  if (values.length === 1) return print(p, values[0]!);
  const fields = values.map((v) => {
    const name = v.kind === "column" ? v.parts.at(-1)! : print(p, v);
    return `'${name}', ${print(p, v)}`;
  });
  return `named_struct(${fields.join(", ")})`;
};

const subqueryText = (p: Printer, e: Of<"subquery">): string => {
  const outer = p.outer(e.relation).join(", ");
  if (e.mode === "scalar") return `scalarsubquery(${outer})`;
  const text =
    e.mode === "exists" ? `exists(${outer})` : `(${memberText(p, e.values)} IN (listquery(${outer})))`;
  return e.negated ? `(NOT ${text})` : text;
};

const print = (p: Printer, e: Expr): string => {
  switch (e.kind) {
    case "literal":
      return literalText(e.value, e.type, e.zone ?? p.zone);
    case "column":
      return columnText(p, e);
    case "star":
      return [...e.qualifier, "*"].join(".");
    case "alias":
      return `${print(p, e.child)} AS ${e.names.join(", ")}`;
    case "call":
      return callText(p, e);
    case "cast":
      // Spark leaves casts to nested types out of names.
      if (isComplex(e.to)) return print(p, e.child);
      return `${e.tryCast ? "TRY_CAST" : "CAST"}(${print(p, e.child)} AS ${sqlType(e.to)})`;
    case "case":
      return caseText(p, e);
    case "field":
      return `${print(p, e.child)}.${e.name}`;
    case "item":
      return `${print(p, e.child)}[${print(p, e.key)}]`;
    case "lambda":
      return lambdaText(p, e);
    case "over":
      return over(p, e);
    case "subquery":
      return subqueryText(p, e);
    case "parameter":
      return `:${e.name}`;
  }
};

/** An expression as Spark prints it inside a column name. */
export const prettyExpr = (e: Expr, options: PrettyOptions = {}): string =>
  print(
    {
      attribute: options.attribute ?? ((parts) => parts.at(-1)!),
      zone: options.timeZone ?? "UTC",
      variables: new Set(),
      columnType: options.columnType ?? ((): undefined => undefined),
      outer: options.outer ?? ((): readonly string[] => []),
      constant: options.constant ?? ((): undefined => undefined),
    },
    e,
  );

/** The name of a select item: its alias, a column's or field's own name, else the expression as Spark prints it. */
export const columnName = (e: Expr, options: PrettyOptions = {}): string => {
  if (e.kind === "alias") return e.names[0]!;
  if (e.kind === "column") return e.parts.at(-1)!;
  // A cast of a column keeps the column's name.
  if (e.kind === "cast" && (e.child.kind === "column" || e.child.kind === "alias"))
    return columnName(e.child, options);
  return prettyExpr(e, options);
};
