/**
 * Names of unaliased columns, as Spark writes them: `count(1)`, `(a + 1)`, `CAST(a AS INT)`. They work on the untyped expression; what only the analyser
 * knows (which parts of a name are a table) comes through `attribute`.
 */
import type { DataType } from "../core/data-type.ts";
import type { Value } from "../core/value.ts";
import type { Expr, FrameBound, SortOrder, WindowFrame } from "./ast.ts";
import { defaultArguments, displayName } from "./pretty-calls.ts";
import { sqlType } from "./type-errors.ts";
import { valueText } from "./value-text.ts";

export interface PrettyOptions {
  /** How a column is written inside an expression; default: its last part. */
  readonly attribute?: (parts: readonly string[]) => string;
  readonly timeZone?: string;
}

type Of<K extends Expr["kind"]> = Extract<Expr, { kind: K }>;
interface Printer {
  readonly attribute: (parts: readonly string[]) => string;
  readonly zone: string;
  readonly variables: ReadonlySet<string>;
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
const isIntervalType = (t: DataType): boolean =>
  t.kind === "dayTimeInterval" || t.kind === "yearMonthInterval" || t.kind === "calendarInterval";
const isIntervalLiteral = (e: Expr): boolean =>
  (e.kind === "literal" && isIntervalType(e.type)) ||
  (e.kind === "call" && e.fn.startsWith("make_") && e.fn.endsWith("interval"));

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

const frameText = (p: Printer, f: WindowFrame<Expr> | undefined, ordered: boolean, fn: string): string => {
  if (f !== undefined) return `${f.unit.toUpperCase()} BETWEEN ${bound(p, f.start)} AND ${bound(p, f.end)}`;
  const ranking = ["row_number", "rank", "dense_rank", "percent_rank", "cume_dist", "ntile"].includes(fn);
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
  parts.push(
    frameText(p, e.frame, e.orderBy.length > 0, e.call.kind === "call" ? e.call.fn.toLowerCase() : ""),
  );
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

const infix = (p: Printer, fn: string, args: readonly Expr[]): string | undefined => {
  if (args.length === 1 && (fn === "-" || fn === "+")) return `(${fn} ${print(p, args[0]!)})`;
  if (args.length !== 2 || !INFIX.has(fn)) return undefined;
  const [a, b] = args as readonly [Expr, Expr];
  const text = `${print(p, a)} ${fn} ${print(p, b)}`;
  // A date or timestamp moved by an interval is written without brackets.
  const moved =
    (fn === "+" && isIntervalLiteral(a) !== isIntervalLiteral(b)) ||
    (fn === "-" && isIntervalLiteral(b) && !isIntervalLiteral(a));
  return moved ? text : `(${text})`;
};

const argumentText = (p: Printer, e: Of<"call">): string => {
  const args = e.args.map((a) => (a.kind === "star" && e.fn.toLowerCase() === "count" ? "1" : print(p, a)));
  const all = [...args, ...defaultArguments(e.fn.toLowerCase(), args.length)];
  return `${e.distinct ? "DISTINCT " : ""}${all.join(", ")}`;
};

const callText = (p: Printer, e: Of<"call">): string => {
  const fn = e.fn.toLowerCase();
  const special = e.udf === undefined ? specialCall(p, fn, e.args) : undefined;
  if (special !== undefined) return special;
  let text = `${e.udf === undefined ? displayName(fn) : e.fn}(${argumentText(p, e)})`;
  if (e.orderBy !== undefined && e.orderBy.length > 0)
    text += ` WITHIN GROUP (ORDER BY ${e.orderBy.map((o) => order(p, o)).join(", ")})`;
  if (e.ignoreNulls) text += " ignore nulls";
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

const subqueryText = (p: Printer, e: Of<"subquery">): string => {
  if (e.mode === "exists") return e.negated ? "(NOT exists())" : "exists()";
  if (e.mode === "scalar") return "scalarsubquery()";
  const text = `(${e.values.map((v) => print(p, v)).join(", ")} IN (listquery()))`;
  return e.negated ? `(NOT ${text})` : text;
};

const print = (p: Printer, e: Expr): string => {
  switch (e.kind) {
    case "literal":
      return literalText(e.value, e.type, p.zone);
    case "column":
      return columnText(p, e);
    case "star":
      return [...e.qualifier, "*"].join(".");
    case "alias":
      return `${print(p, e.child)} AS ${e.names.join(", ")}`;
    case "call":
      return callText(p, e);
    case "cast":
      if (e.child.kind === "literal" && e.child.value === null) return "NULL";
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
    },
    e,
  );

/** The name of a select item: its alias, a column's or field's own name, else the expression as Spark prints it. */
export const columnName = (e: Expr, options: PrettyOptions = {}): string => {
  if (e.kind === "alias") return e.names[0]!;
  if (e.kind === "column") return e.parts.at(-1)!;
  if (e.kind === "field") return e.name;
  return prettyExpr(e, options);
};
