/** PIVOT and UNPIVOT. */
import type { Expr } from "../expr/ast.ts";
import type { Relation } from "../plan/relation.ts";
import { atAlias } from "./lookahead.ts";
import { nameClause, nameClauses } from "./name-parser.ts";
import type { Parser } from "./token-stream.ts";

/** A name or `(a, b)`. */
const oneOrMore = <T>(p: Parser, rule: () => T): T[] => (p.atOp("(") ? p.parenthesized(rule) : [rule()]);

const columnRef = (p: Parser): Expr => {
  const start = p.peek();
  const parts = p.multipart("a column");
  return { kind: "column", parts, position: p.position(start) };
};

/** `PIVOT (sum(v) AS s FOR k IN ('a' AS a, 'b'))`; a value for several columns is a struct. */
export const pivotClause = (p: Parser, child: Relation): Relation => {
  const start = p.next();
  p.expectOp("(");
  const aggregates = nameClauses(p);
  p.expect("FOR");
  const columns = oneOrMore(p, (): Expr => {
    const token = p.peek();
    return { kind: "column", parts: [p.identifier("a column")], position: p.position(token) };
  });
  p.expect("IN");
  const values = p.parenthesized(() => nameClause(p));
  p.expectOp(")");
  const position = p.position(start);
  return aliased(p, { kind: "pivot", child, aggregates, columns, values, position });
};

/** `PIVOT (…) [AS] name` */
const aliased = (p: Parser, child: Extract<Relation, { kind: "pivot" | "unpivot" }>): Relation => {
  const place = child.position === undefined ? {} : { position: child.position };
  if (p.accept("AS")) return { kind: "alias", child, name: p.identifier("an alias"), ...place };
  return atAlias(p, true) ? { kind: "alias", child, name: p.identifier(), ...place } : child;
};

type Unpivot = Extract<Relation, { kind: "unpivot" }>;
type Group = Unpivot["groups"][number];

const unpivotAlias = (p: Parser): string | undefined => {
  if (p.accept("AS")) return p.identifier("an alias");
  return atAlias(p) ? p.identifier() : undefined;
};

/** `UNPIVOT [INCLUDE|EXCLUDE NULLS] (v FOR n IN (a, b AS 'x'))` or `((v, w) FOR n IN ((a, b), (c, d)))` */
export const unpivotClause = (p: Parser, child: Relation): Relation => {
  const start = p.next();
  const nulls = p.acceptAny(["INCLUDE", "EXCLUDE"]);
  if (nulls !== undefined) p.expect("NULLS");
  p.expectOp("(");
  const several = p.atOp("(");
  const valueColumns = oneOrMore(p, () => p.identifier("a column"));
  p.expect("FOR");
  const nameColumn = p.identifier("a column");
  p.expect("IN");
  const groups = p.parenthesized((): Group => {
    const columns = several ? p.parenthesized(() => columnRef(p)) : [columnRef(p)];
    if (columns.length !== valueColumns.length)
      throw p.error(
        "UNPIVOT_VALUE_SIZE_MISMATCH",
        `All unpivot value columns must have the same size as there are value column names (${valueColumns.length}).`,
      );
    const alias = unpivotAlias(p);
    return { columns, ...(alias === undefined ? {} : { alias }) };
  });
  p.expectOp(")");
  const includeNulls = nulls === "INCLUDE";
  const position = p.position(start);
  const unpivot: Relation = {
    kind: "unpivot",
    child,
    includeNulls,
    valueColumns,
    nameColumn,
    groups,
    position,
  };
  return aliased(p, unpivot);
};
