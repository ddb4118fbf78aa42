/** Pipe syntax: what stands after `|>`. Each operator makes a relation over the one before it. */
import type { Expr } from "../expr/ast.ts";
import type { Grouping, Relation } from "../plan/relation.ts";
import { joinClause, sample } from "./from-parser.ts";
import { grouping } from "./grouping-parser.ts";
import { nameClauses } from "./name-parser.ts";
import { pivotClause, unpivotClause } from "./pivot-parser.ts";
import { quantifier, windowClause } from "./select-parser.ts";
import type { Parser } from "./token-stream.ts";
import type { Token } from "./token.ts";

/** Rules of the query parser that pipes need. */
interface PipedRules {
  readonly organized: (p: Parser, child: Relation) => Relation;
  readonly queryPrimary: (p: Parser) => Relation;
}

const OPERATORS =
  "SELECT, EXTEND, SET, DROP, AS, WHERE, AGGREGATE, JOIN, ORDER BY, LIMIT, UNION, INTERSECT, EXCEPT, PIVOT, UNPIVOT or TABLESAMPLE";
const SET_OPERATIONS: Readonly<Record<string, "union" | "intersect" | "except">> = {
  UNION: "union",
  INTERSECT: "intersect",
  EXCEPT: "except",
  MINUS: "except",
};

/** One operator over `child`; `|>` has been taken. */
export const pipeOperator = (p: Parser, child: Relation, rules: PipedRules): Relation => {
  const start = p.peek();
  switch (start.upper) {
    case "SELECT":
      return select(p, child, start);
    case "EXTEND": {
      p.next();
      return extend(p, child, start);
    }
    case "SET":
      return set(p, child);
    case "DROP": {
      p.next();
      const names = p.list(() => p.multipart("a column").at(-1)!);
      return { kind: "drop", child, names, existing: true, position: p.position(start) };
    }
    case "AS": {
      p.next();
      return { kind: "alias", child, name: p.identifier("an alias"), position: p.position(start) };
    }
    case "WHERE": {
      p.next();
      return { kind: "filter", child, condition: p.grammar.expression(p), position: p.position(start) };
    }
    case "AGGREGATE":
      return aggregate(p, child, start);
    case "PIVOT":
      return pivotClause(p, child);
    case "UNPIVOT":
      return unpivotClause(p, child);
    case "TABLESAMPLE":
      return sample(p, child);
    default:
      return setOperation(p, child, start, rules) ?? joinClause(p, child) ?? organized(p, child, rules);
  }
};

const extend = (p: Parser, child: Relation, start: Token): Relation => {
  const added = nameClauses(p);
  if (added.some((e) => e.kind === "star"))
    throw p.error("INVALID_USAGE_OF_STAR_OR_REGEX", "Invalid usage of '*' in |> EXTEND.", start);
  const exprs: Expr[] = [{ kind: "star", qualifier: [] }, ...added];
  return { kind: "select", child, exprs, pipe: "EXTEND", position: p.position(start) };
};

const select = (p: Parser, child: Relation, start: Token): Relation => {
  p.next();
  const distinct = quantifier(p) === "DISTINCT";
  const exprs = nameClauses(p);
  const windows = windowClause(p);
  return {
    kind: "select",
    child,
    exprs,
    ...(distinct ? { distinct } : {}),
    ...(windows === undefined ? {} : { windows }),
    pipe: "SELECT",
    position: p.position(start),
  };
};

/** `SET a = e, b = f`: one after the other, so that f sees the new a. */
const set = (p: Parser, child: Relation): Relation => {
  p.next();
  let left = child;
  p.list(() => {
    const start = p.peek();
    const name = p.identifier("a column");
    p.expectOp("=");
    const value = p.grammar.expression(p);
    left = {
      kind: "withColumns",
      child: left,
      columns: [[name, value]],
      existing: true,
      position: p.position(start),
    };
  });
  return left;
};

const unaliased = (e: Expr): Expr => (e.kind === "alias" ? e.child : e);

/** The same keys without their aliases. */
const plainGrouping = (g: Grouping): Grouping => {
  if (g.kind === "all") return g;
  const exprs = g.exprs.map(unaliased);
  return g.kind === "keys"
    ? { kind: "keys", exprs }
    : { kind: "sets", exprs, sets: g.sets.map((s) => s.map(unaliased)) };
};

/** `AGGREGATE sum(v) AS s GROUP BY k`: the keys, then the aggregates. */
const aggregate = (p: Parser, child: Relation, start: Token): Relation => {
  p.next();
  const aggregates = p.at("GROUP", "BY") ? [] : nameClauses(p);
  const keys = p.acceptBy("GROUP") ? grouping(p, true) : undefined;
  if (keys?.kind === "all")
    throw p.error(
      "UNSUPPORTED_FEATURE.PIPE_OPERATOR_AGGREGATE_UNSUPPORTED_CASE",
      "AGGREGATE … GROUP BY ALL is not supported.",
      start,
    );
  const exprs = [...(keys?.exprs ?? []), ...aggregates];
  const groupBy: Grouping = keys === undefined ? { kind: "keys", exprs: [] } : plainGrouping(keys);
  return { kind: "select", child, exprs, groupBy, pipe: "AGGREGATE", position: p.position(start) };
};

const setOperation = (p: Parser, left: Relation, start: Token, rules: PipedRules): Relation | undefined => {
  const op = SET_OPERATIONS[start.upper];
  if (op === undefined) return undefined;
  p.next();
  const all = p.acceptAny(["ALL", "DISTINCT"]) === "ALL";
  const right = rules.queryPrimary(p);
  return { kind: "setOperation", op, all, byName: false, left, right, position: p.position(start) };
};

const organized = (p: Parser, child: Relation, rules: PipedRules): Relation => {
  const result = rules.organized(p, child);
  if (result === child) throw p.unexpected(OPERATORS);
  if (result.kind === "limit" && result.child !== child)
    throw p.error(
      "MULTIPLE_QUERY_RESULT_CLAUSES_WITH_PIPE_OPERATORS",
      "ORDER BY and LIMIT cannot coexist in the same SQL pipe operator using '|>'. Please separate the multiple result clauses into separate pipe operators.",
      p.before(),
    );
  return result;
};
