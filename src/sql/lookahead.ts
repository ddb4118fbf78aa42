/**
 * Questions that need more than one token of lookahead: does a query begin here, is this word a keyword or a name? No word is reserved, so
 * the second is decided by what follows: a clause's keyword is never followed by a comma, a closing parenthesis or the end.
 */
import type { Parser } from "./token-stream.ts";

/** What may follow a parenthesised query that is itself part of a query. */
const AFTER_QUERY: ReadonlySet<string> = new Set(
  "UNION INTERSECT EXCEPT MINUS ORDER SORT CLUSTER DISTRIBUTE LIMIT OFFSET WINDOW".split(" "),
);

const isName = (p: Parser, ahead: number): boolean => {
  const { kind } = p.peek(ahead);
  return kind === "word" || kind === "quoted";
};

/** Whether the keyword of a query stands `ahead`. */
const startsQuery = (p: Parser, ahead: number): boolean => {
  switch (p.peek(ahead).upper) {
    case "SELECT":
      return !endsName(p, ahead + 1);
    case "WITH":
    case "TABLE":
      return isName(p, ahead + 1);
    case "FROM":
      return isName(p, ahead + 1) || p.atOp("(", ahead + 1);
    case "VALUES":
      return !endsName(p, ahead + 1);
    default:
      return false;
  }
};

/** Whether a query begins `ahead`, in parentheses or not; a parenthesised one must not go on as an expression or a table. */
export const atQuery = (p: Parser, ahead: number): boolean => {
  let inner = ahead;
  while (p.atOp("(", inner)) inner++;
  if (!startsQuery(p, inner)) return false;
  if (inner === ahead) return true;
  const close = p.closing(ahead);
  if (close === -1) return true;
  const after = p.peek(close + 1);
  return (
    after.kind === "end" ||
    AFTER_QUERY.has(after.upper) ||
    (after.kind === "op" && [")", ";", "|>"].includes(after.text))
  );
};

/** Whether the token `ahead` cannot follow a keyword: the word before it is a name. */
export const endsName = (p: Parser, ahead: number): boolean => {
  const token = p.peek(ahead);
  return token.kind === "end" || (token.kind === "op" && [",", ")", ";", "]", "|>"].includes(token.text));
};

/** Keywords that follow an expression, so that without AS they are no alias. */
const NOT_ALIASES: ReadonlySet<string> = new Set(
  (
    "FROM WHERE GROUP HAVING ORDER SORT CLUSTER DISTRIBUTE LIMIT OFFSET UNION INTERSECT EXCEPT MINUS WINDOW LATERAL PIVOT UNPIVOT " +
    "AND OR NOT IN IS BETWEEN LIKE ILIKE RLIKE REGEXP DIV AS FOR ON USING JOIN INNER CROSS LEFT RIGHT FULL NATURAL SEMI ANTI " +
    "TABLESAMPLE WHEN THEN ELSE END ASC DESC NULLS COLLATE ESCAPE SELECT INSERT WATERMARK QUALIFY"
  ).split(" "),
);

/** Words that join relations: never an alias of a table without backquotes, as in Spark. */
const NOT_TABLE_ALIASES: ReadonlySet<string> = new Set(
  "ANTI CROSS EXCEPT FULL INNER INTERSECT JOIN LATERAL LEFT NATURAL ON RIGHT SEMI MINUS UNION USING".split(
    " ",
  ),
);

/** Whether an alias without AS is next: after an expression, or (`table`) after a relation. */
export const atAlias = (p: Parser, table = false): boolean => {
  const token = p.peek();
  if (token.kind === "quoted") return true;
  if (token.kind !== "word" || (p.scripts > 0 && token.upper === "DO")) return false;
  if (table && NOT_TABLE_ALIASES.has(token.upper)) return false;
  if (!NOT_ALIASES.has(token.upper)) return true;
  if (NOT_COLUMNS.has(token.upper) && token.upper !== "END") return p.atOp(",", 1);
  return endsName(p, 1) || (!table && p.peek(1).upper === "FROM");
};

/** Keywords that begin a clause or continue an expression: where an expression must begin they are an error, not a column. */
const NOT_COLUMNS: ReadonlySet<string> = new Set(
  (
    "FROM WHERE GROUP HAVING ORDER LIMIT UNION INTERSECT EXCEPT JOIN ON USING AND OR IN IS BETWEEN LIKE ILIKE RLIKE REGEXP AS WHEN THEN " +
    "ELSE END SELECT BY"
  ).split(" "),
);

/** Whether the word that is next cannot be a column although an expression is asked for. */
export const misplaced = (p: Parser): boolean => {
  const { upper } = p.peek();
  if (!NOT_COLUMNS.has(upper)) return false;
  const after = p.peek(1);
  if (after.kind === "op") return ["(", "*", "-"].includes(after.text);
  return (
    after.kind !== "end" &&
    !(upper !== "FROM" && after.upper === "FROM") &&
    !["AS", "AND", "OR", "IS", "ASC", "DESC"].includes(after.upper)
  );
};
