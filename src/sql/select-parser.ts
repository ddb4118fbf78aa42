/** One SELECT: list, FROM, LATERAL VIEW, WHERE, GROUP BY, HAVING, WINDOW. */
import type { Expr } from "../expr/ast.ts";
import type { Relation } from "../plan/relation.ts";
import { windowSpec } from "./call-parser.ts";
import { fromClause, lateralViews } from "./from-parser.ts";
import { grouping } from "./grouping-parser.ts";
import { endsName } from "./lookahead.ts";
import { nameClauses } from "./name-parser.ts";
import type { Parser } from "./token-stream.ts";

export type Windows = Readonly<Record<string, Expr>>;

/** DISTINCT or ALL in front of a list, unless it is a column of that name. */
export const quantifier = (p: Parser): string | undefined => {
  if (endsName(p, 1) || p.atOp(".", 1) || p.peek(1).upper === "FROM") return undefined;
  return p.acceptAny(["DISTINCT", "ALL"]);
};

/** `WINDOW w AS (…), …`, when it is next; names as keys of an object without a prototype. */
export const windowClause = (p: Parser): Windows | undefined => {
  const named = p.peek(1).kind === "word" || p.peek(1).kind === "quoted";
  if (!p.at("WINDOW") || !named || p.peek(2).upper !== "AS") return undefined;
  p.next();
  const windows = Object.create(null) as Record<string, Expr>;
  p.list(() => {
    const token = p.peek();
    const name = p.identifier("a window's name");
    if (Object.keys(windows).some((w) => w.toLowerCase() === name.toLowerCase()))
      throw p.error(
        "INVALID_SQL_SYNTAX.REPETITIVE_WINDOW_DEFINITION",
        `The definition of window \`${name}\` is repetitive.`,
        token,
      );
    p.expect("AS");
    windows[name] = windowSpec(p);
  });
  return windows;
};

/** SELECT and all that follows; `from` is given when FROM came first (`FROM t SELECT …`). */
export const selectQuery = (p: Parser, from?: Relation): Relation => {
  const start = p.peek();
  p.expect("SELECT");
  const distinct = quantifier(p) === "DISTINCT";
  const exprs = nameClauses(p);
  let child: Relation =
    from ?? (p.accept("FROM") ? fromClause(p) : { kind: "oneRow", position: p.position(start) });
  child = lateralViews(p, child);
  const where = p.peek();
  if (p.accept("WHERE"))
    child = { kind: "filter", child, condition: p.grammar.expression(p), position: p.position(where) };
  const groupBy = p.acceptBy("GROUP") ? grouping(p) : undefined;
  const having = p.accept("HAVING") ? p.grammar.expression(p) : undefined;
  const before = windowClause(p);
  const qualify = p.accept("QUALIFY") ? p.grammar.expression(p) : undefined;
  const windows = before ?? windowClause(p);
  return {
    kind: "select",
    child,
    exprs,
    ...(distinct ? { distinct } : {}),
    ...(groupBy === undefined ? {} : { groupBy }),
    ...(having === undefined ? {} : { having }),
    ...(qualify === undefined ? {} : { qualify }),
    ...(windows === undefined ? {} : { windows }),
    position: p.position(start),
  };
};
