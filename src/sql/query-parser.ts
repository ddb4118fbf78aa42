/**
 * Queries: WITH, set operations, ORDER BY and LIMIT, and the places where a query may be written.
 *
 *  Q1  INTERSECT binds tighter than UNION, EXCEPT and MINUS; the pipe `|>` binds loosest; all are left-associative.
 *  Q2  Hints are comments to the lexer: nothing is left of them here.
 */
import { SQL_CHAIN_MAX } from "../core/limits.ts";
import type { Expr, SortOrder } from "../expr/ast.ts";
import type { Relation } from "../plan/relation.ts";
import { sortItem, sortItems } from "./call-parser.ts";
import { fromClause, valuesClause } from "./from-parser.ts";
import { oneName, tableName } from "./name-parser.ts";
import { pipeOperator } from "./pipe-parser.ts";
import { selectQuery, windowClause, type Windows } from "./select-parser.ts";
import type { Parser } from "./token-stream.ts";

/** A whole query. */
export const parseQueryRule = (p: Parser): Relation => p.nested(() => query(p));

type Definition = readonly [string, Relation, readonly string[] | undefined];

/** The definitions of WITH, and how they are put around what follows them. */
export interface With {
  readonly around: (child: Relation) => Relation;
}

/** WITH and its definitions, when that is next. */
export const withClause = (p: Parser): With | undefined => {
  const start = p.peek();
  if (!p.accept("WITH")) return undefined;
  const recursive = p.at("RECURSIVE") && p.peek(1).upper !== "AS" && !p.atOp("(", 1) && p.accept("RECURSIVE");
  const definitions = p.list(() => commonTable(p));
  return {
    around: (child) => ({ kind: "with", definitions, recursive, child, position: p.position(start) }),
  };
};

/** A query after its WITH. */
export const queryBody = (p: Parser): Relation => organized(p, queryTerm(p, 1));

const query = (p: Parser): Relation => {
  const definitions = withClause(p);
  const body = queryBody(p);
  return definitions === undefined ? body : definitions.around(body);
};

const commonTable = (p: Parser): Definition => {
  const name = oneName(p, "a name for the common table expression");
  const columns =
    p.atOp("(") && !isQueryBody(p) ? p.parenthesized(() => p.identifier("a column")) : undefined;
  if (p.accept("MAX", "RECURSION", "LEVEL")) p.next();
  p.accept("AS");
  p.expectOp("(");
  const body = parseQueryRule(p);
  p.expectOp(")");
  return [name, body, columns];
};

/** `WITH t (SELECT …)`: the parenthesis is the body, because nothing follows that could be one. */
const isQueryBody = (p: Parser): boolean => {
  const after = p.peek(p.closing(0) + 1);
  return after.upper !== "AS" && after.upper !== "MAX" && !(after.kind === "op" && after.text === "(");
};

interface SetOperator {
  readonly op: "union" | "intersect" | "except";
  readonly level: number;
}
const SET_OPERATORS = new Map<string, SetOperator>([
  ["UNION", { op: "union", level: 2 }],
  ["EXCEPT", { op: "except", level: 2 }],
  ["MINUS", { op: "except", level: 2 }],
  ["INTERSECT", { op: "intersect", level: 3 }],
]);

/** Queries joined by set operators of `level` and tighter (Q1). */
const queryTerm = (p: Parser, level: number): Relation => {
  const start = p.peek();
  let left = queryPrimary(p);
  for (let links = 0; ; links++) {
    if (links === SQL_CHAIN_MAX) throw p.tooComplex(`more than ${SQL_CHAIN_MAX} set operations or pipes`);
    const operator = SET_OPERATORS.get(p.peek().upper);
    if (operator !== undefined && operator.level >= level) {
      p.next();
      const all = p.acceptAny(["ALL", "DISTINCT"]) === "ALL";
      const right = queryTerm(p, operator.level + 1);
      left = {
        kind: "setOperation",
        op: operator.op,
        all,
        byName: false,
        left,
        right,
        position: p.position(start),
      };
    } else if (level === 1 && p.acceptOp("|>")) {
      left = pipeOperator(p, left, PIPED);
    } else return left;
  }
};

/** A query that stands alone between set operators. */
const queryPrimary = (p: Parser): Relation => {
  const start = p.peek();
  if (p.at("SELECT")) return selectQuery(p);
  if (p.at("VALUES")) return valuesClause(p);
  if (p.accept("TABLE")) return { kind: "table", name: tableName(p), position: p.position(start) };
  if (p.at("FROM")) return fromQuery(p);
  if (!p.acceptOp("(")) throw p.unexpected("SELECT, FROM, VALUES, TABLE, WITH or '('");
  const inner = parseQueryRule(p);
  p.expectOp(")");
  return inner;
};

/** `FROM t`, `FROM t SELECT a`, `FROM t SELECT a SELECT b` (their union). */
const fromQuery = (p: Parser): Relation => {
  const start = p.next();
  const from = fromClause(p);
  if (!p.at("SELECT")) return from;
  let left = organized(p, selectQuery(p, from));
  while (p.at("SELECT")) {
    const right = organized(p, selectQuery(p, from));
    left = {
      kind: "setOperation",
      op: "union",
      all: true,
      byName: false,
      left,
      right,
      position: p.position(start),
    };
  }
  return left;
};

const withWindows = (child: Relation, windows: Windows | undefined): Relation =>
  windows === undefined || child.kind !== "select"
    ? child
    : {
        ...child,
        windows: Object.assign(Object.create(null) as Record<string, Expr>, child.windows, windows),
      };

/** ORDER BY ALL: one order, on a column named ALL, and `all` set. */
const orderByAll = (p: Parser): boolean => {
  const after = p.peek(1);
  return p.at("ALL") && (after.kind !== "op" || [")", ";", "|>"].includes(after.text));
};

/** ORDER BY, SORT BY, CLUSTER BY, DISTRIBUTE BY, WINDOW, LIMIT and OFFSET around `child`. Distribution is the engine's own affair. */
const organized = (p: Parser, child: Relation): Relation => {
  const start = p.peek();
  let orders: SortOrder<Expr>[] | undefined;
  let all = false;
  if (p.acceptBy("ORDER")) {
    all = orderByAll(p);
    orders = all ? [sortItem(p)] : sortItems(p);
  }
  const sorted = orders !== undefined;
  const clustered = p.acceptBy("CLUSTER");
  if (clustered)
    orders = p.list(() => ({ expr: p.grammar.expression(p), descending: false, nullsFirst: true }));
  const distributed = p.acceptBy("DISTRIBUTE");
  if (distributed) p.list(() => p.grammar.expression(p));
  const within = p.acceptBy("SORT");
  if (within) orders = sortItems(p);
  if ([sorted, clustered, distributed || within].filter(Boolean).length > 1)
    throw p.error(
      "UNSUPPORTED_FEATURE.COMBINATION_QUERY_RESULT_CLAUSES",
      "Combination of ORDER BY/SORT BY/DISTRIBUTE BY/CLUSTER BY.",
      start,
    );
  let result = withWindows(child, windowClause(p));
  if (orders !== undefined)
    result = { kind: "sort", child: result, orders, ...(all ? { all } : {}), position: p.position(start) };
  const at = p.peek();
  const limit = p.accept("LIMIT") ? (p.accept("ALL") ? undefined : p.grammar.expression(p)) : undefined;
  const offset = p.accept("OFFSET") ? p.grammar.expression(p) : undefined;
  if (limit === undefined && offset === undefined) return result;
  return { kind: "limit", child: result, limit, offset, position: p.position(at) };
};

/** The rules that pipe operators share with queries. */
const PIPED = { organized, queryPrimary } as const;
