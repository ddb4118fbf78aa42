/**
 * Calls of functions: arguments (positional, named, DISTINCT), WITHIN GROUP, FILTER, IGNORE NULLS and OVER.
 *
 *  C1  `count(*)` becomes `count(1)`, as in Spark, where the column is named so too.
 *  C2  The names of named arguments are keys of an object without a prototype, so that any name is only a name.
 */
import { INT, NULL, STRING } from "../core/data-type.ts";
import type { Expr, FrameBound, SortOrder, WindowFrame } from "../expr/ast.ts";
import type { Parser } from "./token-stream.ts";
import type { Token } from "./token.ts";

type Call = Extract<Expr, { kind: "call" }>;
type Over = Extract<Expr, { kind: "over" }>;

/** Catalogs and schemas of built-in functions: no part of a function's name. */
const BUILT_IN: ReadonlySet<string> = new Set(["system", "builtin", "session", "spark_catalog", "default"]);

/** The registry's name of a function: lower case, without the built-in catalog. */
const functionName = (parts: readonly string[]): string => {
  const lower = parts.map((x) => x.toLowerCase());
  while (lower.length > 1 && BUILT_IN.has(lower[0]!)) lower.shift();
  return lower.join(".");
};

interface Arguments {
  readonly args: Expr[];
  readonly named: Record<string, Expr> | undefined;
  readonly distinct: boolean;
}

/** `( [DISTINCT] a, b, key => c )`; the parenthesis is next. */
const callArguments = (p: Parser): Arguments => {
  p.expectOp("(");
  const args: Expr[] = [];
  let named: Record<string, Expr> | undefined;
  if (p.acceptOp(")")) return { args, named, distinct: false };
  const quantifier =
    p.atOp(",", 1) || p.atOp(")", 1) || p.atOp(".", 1) ? undefined : p.acceptAny(["DISTINCT", "ALL"]);
  do {
    if (p.atOp("=>", 1)) {
      const token = p.peek();
      const key = p.identifier("an argument's name");
      p.next();
      named ??= Object.create(null) as Record<string, Expr>;
      if (key in named)
        throw p.error(
          "DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT.DOUBLE_NAMED_ARGUMENT_REFERENCE",
          `The argument ${key} is given twice.`,
          token,
        );
      named[key] = p.grammar.expression(p);
    } else if (named !== undefined) {
      throw p.error("UNEXPECTED_POSITIONAL_ARGUMENT", "A positional argument follows a named one.");
    } else args.push(p.grammar.expression(p));
  } while (p.acceptOp(","));
  p.expectOp(")");
  return { args, named, distinct: quantifier === "DISTINCT" };
};

const isBareStar = (e: Expr | undefined): boolean =>
  e?.kind === "star" && e.qualifier.length === 0 && e.except === undefined;

/** Functions whose first argument is a unit when there are three arguments. */
const UNIT_FUNCTIONS: Readonly<Record<string, string>> = {
  timestampadd: "timestampadd",
  dateadd: "timestampadd",
  date_add: "timestampadd",
  timestampdiff: "timestampdiff",
  datediff: "timestampdiff",
  date_diff: "timestampdiff",
  timediff: "timestampdiff",
};
const UNITS = /^(year|quarter|month|week|day|dayofyear|hour|minute|second|millisecond|microsecond)$/i;

/** `timestampadd(MONTH, n, ts)`: the unit becomes a string literal. */
const unitCall = (p: Parser, fn: string, args: readonly Expr[]): readonly [string, readonly Expr[]] => {
  const [unit] = args;
  if (!Object.hasOwn(UNIT_FUNCTIONS, fn) || args.length !== 3) return [fn, args];
  if (unit!.kind === "column" && unit!.parts.length === 1 && UNITS.test(unit!.parts[0]!)) {
    const literal: Expr = {
      kind: "literal",
      value: unit!.parts[0]!.toUpperCase(),
      type: STRING,
      position: unit!.position,
    };
    return [UNIT_FUNCTIONS[fn]!, [literal, ...args.slice(1)]];
  }
  if (unit!.kind !== "literal" || typeof unit!.value !== "string") return [fn, args];
  const message = `The value of parameter \`unit\` in \`${fn}\` is invalid: expects one of the units without quotes YEAR, QUARTER, MONTH, WEEK, DAY, DAYOFYEAR, HOUR, MINUTE, SECOND, MILLISECOND, MICROSECOND.`;
  throw p.error("INVALID_PARAMETER_VALUE.DATETIME_UNIT", message, p.before());
};

/** A call of the function `parts`; its parenthesis is next. */
export const functionCall = (p: Parser, parts: readonly string[], start: Token): Expr => {
  const given = callArguments(p);
  const countAll =
    parts.length === 1 &&
    /^count$/i.test(parts[0]!) &&
    given.args.length === 1 &&
    !given.distinct &&
    isBareStar(given.args[0]);
  const counted: Expr[] = countAll
    ? [{ kind: "literal", value: 1, type: INT, position: given.args[0]!.position }]
    : given.args;
  const [fn, args] = unitCall(p, functionName(parts), counted);
  return callSuffixes(p, { fn, args, distinct: given.distinct, named: given.named }, start);
};

interface CallHead {
  readonly fn: string;
  readonly args: readonly Expr[];
  readonly distinct?: boolean;
  readonly named?: Record<string, Expr> | undefined;
  readonly ignoreNulls?: boolean | undefined;
}

/** WITHIN GROUP, FILTER, IGNORE NULLS and OVER after a call's parentheses. */
export const callSuffixes = (p: Parser, head: CallHead, start: Token): Expr => {
  const orderBy = p.accept("WITHIN", "GROUP") ? withinGroup(p) : undefined;
  const filter = p.at("FILTER") && p.atOp("(", 1) ? filterClause(p) : undefined;
  const nulls = p.at("IGNORE", "NULLS") || p.at("RESPECT", "NULLS") ? p.next().upper : undefined;
  if (nulls !== undefined) p.next();
  const ignoreNulls = head.ignoreNulls ?? (nulls === "IGNORE" ? true : undefined);
  const call: Call = {
    kind: "call",
    fn: head.fn,
    args: head.args,
    ...(head.distinct === true ? { distinct: true } : {}),
    ...(filter === undefined ? {} : { filter }),
    ...(orderBy === undefined ? {} : { orderBy }),
    ...(ignoreNulls === true ? { ignoreNulls } : {}),
    ...(head.named === undefined ? {} : { named: head.named }),
    position: p.position(start),
  };
  const after = p.peek(1);
  if (!p.at("OVER") || !(p.atOp("(", 1) || after.kind === "word" || after.kind === "quoted")) return call;
  p.next();
  return { ...windowSpec(p, call), position: p.position(start) };
};

const withinGroup = (p: Parser): readonly SortOrder<Expr>[] => {
  p.expectOp("(");
  p.expect("ORDER", "BY");
  const orders = sortItems(p);
  p.expectOp(")");
  return orders;
};

const filterClause = (p: Parser): Expr => {
  p.next();
  p.expectOp("(");
  p.expect("WHERE");
  const condition = p.grammar.expression(p);
  p.expectOp(")");
  return condition;
};

/** `expr [ASC|DESC] [NULLS FIRST|LAST]`: nulls come first ascending and last descending, unless it is said. */
export const sortItem = (p: Parser): SortOrder<Expr> => {
  const expr = p.grammar.expression(p);
  const descending = p.acceptAny(["ASC", "DESC"]) === "DESC";
  const nullsFirst = p.accept("NULLS") ? p.expectAny(["FIRST", "LAST"]) === "FIRST" : !descending;
  return { expr, descending, nullsFirst };
};

export const sortItems = (p: Parser): SortOrder<Expr>[] => p.list(() => sortItem(p));

/** What stands after OVER, or after AS in the WINDOW clause (there `call` is a null literal). */
export const windowSpec = (p: Parser, call: Expr = { kind: "literal", value: null, type: NULL }): Over => {
  const empty = { kind: "over", call, partitionBy: [], orderBy: [], frame: undefined } as const;
  if (!p.acceptOp("(")) return { ...empty, windowName: p.identifier("a window's name") };
  if (p.atOp(")", 1) && p.peek().kind !== "op") {
    const windowName = p.identifier("a window's name");
    p.expectOp(")");
    return { ...empty, windowName };
  }
  let partitionBy: Expr[] = [];
  let orderBy: SortOrder<Expr>[] = [];
  if (p.acceptBy("CLUSTER")) partitionBy = p.list(() => p.grammar.expression(p));
  else {
    if (p.acceptBy("PARTITION") || p.acceptBy("DISTRIBUTE"))
      partitionBy = p.list(() => p.grammar.expression(p));
    if (p.acceptBy("ORDER") || p.acceptBy("SORT")) orderBy = sortItems(p);
  }
  const frame = windowFrame(p);
  if (!p.acceptOp(")")) throw p.unexpected("PARTITION BY, ORDER BY, ROWS, RANGE or ')'");
  return { kind: "over", call, partitionBy, orderBy, frame };
};

const windowFrame = (p: Parser): WindowFrame<Expr> | undefined => {
  const word = p.acceptAny(["ROWS", "RANGE"]);
  if (word === undefined) return undefined;
  const unit = word === "ROWS" ? "rows" : "range";
  if (!p.accept("BETWEEN")) return { unit, start: frameBound(p), end: { kind: "currentRow" } };
  const start = frameBound(p);
  p.expect("AND");
  return { unit, start, end: frameBound(p) };
};

const frameBound = (p: Parser): FrameBound<Expr> => {
  if (p.accept("CURRENT", "ROW")) return { kind: "currentRow" };
  if (p.at("UNBOUNDED") && ["PRECEDING", "FOLLOWING"].includes(p.peek(1).upper)) {
    p.next();
    return { kind: p.next().upper === "PRECEDING" ? "unboundedPreceding" : "unboundedFollowing" };
  }
  const offset = p.grammar.value(p);
  const word = p.expectAny(["PRECEDING", "FOLLOWING"]);
  return { kind: word === "PRECEDING" ? "preceding" : "following", offset };
};
