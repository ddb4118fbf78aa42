/** What stands after FROM: tables, subqueries, VALUES, table functions, joins, samples, LATERAL VIEW, and the pivots in pivot-parser. */
import { SQL_CHAIN_MAX } from "../core/limits.ts";
import type { Expr } from "../expr/ast.ts";
import type { JoinHow, Relation } from "../plan/relation.ts";
import { functionCall } from "./call-parser.ts";
import { intervalLiteral, intervalMs } from "./interval-literal.ts";
import { atAlias, atQuery, misplaced } from "./lookahead.ts";
import { atIdentifierClause, oneName, tableName } from "./name-parser.ts";
import { pivotClause, unpivotClause } from "./pivot-parser.ts";
import type { Parser } from "./token-stream.ts";
import type { Token } from "./token.ts";

/** `FROM a, b JOIN c … [LATERAL VIEW …]`; FROM has been taken. Relations with commas between are joined without a condition. */
export const fromClause = (p: Parser): Relation => {
  const start = p.peek();
  let left = relation(p);
  for (let links = 0; p.acceptOp(","); links++) {
    if (links === SQL_CHAIN_MAX) throw p.tooComplex(`more than ${SQL_CHAIN_MAX} relations`);
    const lateral = p.at("LATERAL") && !p.at("LATERAL", "VIEW");
    if (lateral) checkLateral(p, 1);
    const right = relation(p);
    left = {
      kind: "join",
      left,
      right,
      how: "inner",
      ...(lateral ? { lateral } : {}),
      position: p.position(start),
    };
  }
  left = lateralViews(p, left);
  if (p.at("PIVOT")) left = pivotClause(p, left);
  return p.at("UNPIVOT") ? unpivotClause(p, left) : left;
};

/** LATERAL stands in front of a subquery or a table function only. */
const checkLateral = (p: Parser, ahead: number): void => {
  if (p.atOp("(", ahead) ? atQuery(p, ahead + 1) : p.atOp("(", ahead + 1) && p.peek(ahead).upper !== "VALUES")
    return;
  const { kind, upper } = p.peek(ahead);
  if (!p.atOp("(", ahead) && kind !== "word" && kind !== "quoted") return;
  if (upper === "VIEW" || p.atOp(".", ahead + 1)) return;
  throw p.error(
    "INVALID_SQL_SYNTAX.LATERAL_WITHOUT_SUBQUERY_OR_TABLE_VALUED_FUNC",
    "LATERAL can only be used with subquery and table-valued functions.",
  );
};

/** One relation with the joins and pivots after it. */
const relation = (p: Parser): Relation => {
  p.accept("LATERAL");
  let left = p.nested(() => relationPrimary(p));
  for (let links = 0; ; links++) {
    if (links === SQL_CHAIN_MAX) throw p.tooComplex(`more than ${SQL_CHAIN_MAX} joins`);
    const next = joinOrPivot(p, left);
    if (next === undefined) return left;
    left = next;
  }
};

const joinOrPivot = (p: Parser, left: Relation): Relation | undefined => {
  if (p.at("PIVOT") && p.atOp("(", 1)) return pivotClause(p, left);
  if (p.at("UNPIVOT") && (p.atOp("(", 1) || ["INCLUDE", "EXCLUDE"].includes(p.peek(1).upper)))
    return unpivotClause(p, left);
  return joinClause(p, left);
};

const JOIN_TYPES: readonly (readonly [readonly string[], JoinHow])[] = [
  [["JOIN"], "inner"],
  [["INNER", "JOIN"], "inner"],
  [["CROSS", "JOIN"], "cross"],
  [["LEFT", "JOIN"], "left"],
  [["LEFT", "OUTER", "JOIN"], "left"],
  [["LEFT", "SEMI", "JOIN"], "semi"],
  [["SEMI", "JOIN"], "semi"],
  [["LEFT", "ANTI", "JOIN"], "anti"],
  [["ANTI", "JOIN"], "anti"],
  [["RIGHT", "JOIN"], "right"],
  [["RIGHT", "OUTER", "JOIN"], "right"],
  [["FULL", "JOIN"], "full"],
  [["FULL", "OUTER", "JOIN"], "full"],
];
const JOIN_STARTS: ReadonlySet<string> = new Set(["NATURAL", ...JOIN_TYPES.map(([words]) => words[0]!)]);

/** A join with `left` when one is next. */
export const joinClause = (p: Parser, left: Relation): Relation | undefined => {
  if (!JOIN_STARTS.has(p.peek().upper)) return undefined;
  const start = p.peek();
  const natural = p.accept("NATURAL");
  const type = JOIN_TYPES.find(([words]) => p.accept(...words));
  if (type === undefined) {
    p.next();
    throw p.unexpected("JOIN");
  }
  const how = type[1];
  if (natural && how === "cross")
    throw p.error("INCOMPATIBLE_JOIN_TYPES", "The join types NATURAL and CROSS are incompatible.", start);
  if (p.at("LATERAL")) checkLateral(p, 1);
  const lateral = p.accept("LATERAL");
  const right = p.nested(() => relationPrimary(p));
  const on = !natural && p.accept("ON") ? p.grammar.expression(p) : undefined;
  const using =
    !natural && on === undefined && p.accept("USING")
      ? p.parenthesized(() => p.identifier("a column"))
      : undefined;
  return {
    kind: "join",
    left,
    right,
    how,
    ...(on === undefined ? {} : { condition: on }),
    ...(using === undefined ? {} : { using }),
    ...(natural ? { natural } : {}),
    ...(lateral ? { lateral } : {}),
    position: p.position(start),
  };
};

const relationPrimary = (p: Parser): Relation => {
  const start = p.peek();
  if (p.atOp("(")) return parenthesized(p, start);
  if (p.at("VALUES") && !p.atOp(".", 1) && !atAliasAfterValues(p)) return valuesClause(p);
  if (
    p.at("STREAM") &&
    (p.atOp("(", 1) || ["word", "quoted"].includes(p.peek(1).kind)) &&
    p.peek(1).upper !== "AS"
  )
    return streamTable(p, start);
  if (misplaced(p)) throw p.unexpected("a table's name");
  const isFunction = p.peek().kind !== "op" && p.atOp("(", 1) && !atIdentifierClause(p);
  const name = isFunction ? [p.identifier()] : tableName(p);
  if (p.atOp("(")) return tableFunction(p, name, start);
  return tableSuffixes(p, { kind: "table", name, position: p.position(start) });
};

/** VALUES as a table's name: nothing that could be a row follows. */
const atAliasAfterValues = (p: Parser): boolean =>
  p.peek(1).kind === "end" || (p.peek(1).kind === "op" && [")", ",", ";"].includes(p.peek(1).text));

/** `STREAM t`, `STREAM(t)`: a stream is known by its source here, so the word says nothing new. */
const streamTable = (p: Parser, start: Token): Relation => {
  p.next();
  const name = p.acceptOp("(") ? tableName(p) : undefined;
  if (name !== undefined) p.expectOp(")");
  return tableSuffixes(p, { kind: "table", name: name ?? tableName(p), position: p.position(start) });
};

const parenthesized = (p: Parser, start: Token): Relation => {
  const query = atQuery(p, 1);
  p.next();
  const inner = query ? p.grammar.query(p) : fromRelation(p);
  p.expectOp(")");
  const result = tableSuffixes(p, inner, start);
  return query && result.kind !== "alias" ? { kind: "alias", child: result, name: UNNAMED } : result;
};

/** A query in FROM without an alias: what its tables are called is not to be seen outside. */
const UNNAMED = "__auto_generated_subquery_name";

const fromRelation = (p: Parser): Relation => {
  if (p.atOp(")")) throw p.unexpected("a table or a query");
  return relation(p);
};

const tableSuffixes = (p: Parser, child: Relation, start: Token = p.before()!): Relation =>
  tableAlias(p, sample(p, watermark(p, child)), start);

/** `[AS] name [(columns)]` */
export const tableAlias = (p: Parser, child: Relation, start: Token): Relation => {
  const name = p.at("AS") && p.atOp("(", 1) ? (p.next(), UNNAMED) : aliasName(p);
  if (name === undefined) return child;
  const columns = p.atOp("(") ? p.parenthesized(() => p.identifier("a column")) : undefined;
  return {
    kind: "alias",
    child,
    name,
    ...(columns === undefined ? {} : { columns }),
    position: p.position(start),
  };
};

const aliasName = (p: Parser): string | undefined => {
  if (p.accept("AS")) return oneName(p, "an alias");
  return atAlias(p, true) ? p.identifier() : undefined;
};

/** `VALUES (1, 'a'), (2, 'b') [AS t(i, s)]`: a row is a row constructor, a struct or a single value. */
export const valuesClause = (p: Parser): Relation => {
  const start = p.next();
  const rows = p.list(() => {
    const row = p.grammar.expression(p);
    if (row.kind !== "call" || row.fn !== "struct") return [row];
    return row.args.map((x) => (x.kind === "alias" ? x.child : x));
  });
  const odd = rows.find((r) => r.length !== rows[0]!.length);
  if (odd !== undefined) {
    const message = `Invalid inline table: expected ${rows[0]!.length} columns but found ${odd.length} in a row.`;
    throw p.error("INVALID_INLINE_TABLE.NUM_COLUMNS_MISMATCH", message, start);
  }
  return tableAlias(p, { kind: "values", rows, position: p.position(start) }, start);
};

/** `range(…)`, or a generator in FROM; the parenthesis is next. */
const tableFunction = (p: Parser, name: readonly string[], start: Token): Relation => {
  const call = functionCall(p, name, start);
  const position = p.position(start);
  if (call.kind === "call" && call.fn === "range")
    return tableSuffixes(p, { kind: "range", args: call.args, position }, start);
  const tableAliasName = p.at("AS") && p.atOp("(", 1) ? (p.next(), UNNAMED) : aliasName(p);
  const columns =
    tableAliasName !== undefined && p.atOp("(") ? p.parenthesized(() => p.identifier("a column")) : undefined;
  return generate({ kind: "oneRow", position }, call, false, tableAliasName, columns, position);
};

const generate = (
  child: Relation,
  call: Expr,
  outer: boolean,
  tableAliasName: string | undefined,
  columns: readonly string[] | undefined,
  position: Relation["position"],
): Relation => ({
  kind: "generate",
  child,
  call,
  outer,
  ...(tableAliasName === undefined ? {} : { tableAlias: tableAliasName }),
  ...(columns === undefined ? {} : { columns }),
  position,
});

/** Any number of `LATERAL VIEW [OUTER] f(…) t [AS a, b]`. */
export const lateralViews = (p: Parser, child: Relation): Relation => {
  let left = child;
  for (let links = 0; p.at("LATERAL", "VIEW"); links++) {
    if (links === SQL_CHAIN_MAX) throw p.tooComplex(`more than ${SQL_CHAIN_MAX} lateral views`);
    const start = p.next();
    p.next();
    const outer = p.accept("OUTER");
    const at = p.peek();
    const name = p.multipart("a function");
    if (!p.atOp("(")) throw p.unexpected("'('");
    const call = functionCall(p, name, at);
    const alias = p.identifier("a name for the view's table");
    const named = p.accept("AS") || (p.peek().kind !== "op" && atAlias(p, true));
    const columns = named ? p.list(() => p.identifier("a column")) : undefined;
    left = generate(left, call, outer, alias, columns, p.position(start));
  }
  return left;
};

/** `WATERMARK ts DELAY OF INTERVAL 5 SECONDS` after a table. */
const watermark = (p: Parser, child: Relation): Relation => {
  if (!p.at("WATERMARK") || p.peek(1).kind === "op" || p.peek(1).kind === "end") return child;
  const start = p.next();
  const expr = p.grammar.expression(p);
  const name = p.accept("AS")
    ? p.identifier("an alias")
    : !p.at("DELAY") && atAlias(p)
      ? p.identifier()
      : undefined;
  p.expect("DELAY", "OF");
  if (!p.at("INTERVAL")) throw p.unexpected("INTERVAL");
  const delay = intervalLiteral(p);
  const delayMs = delay.kind === "literal" ? intervalMs(delay.value as number, delay.type) : 0;
  const column = expr.kind === "column" && name === undefined ? expr.parts : expr;
  const position = p.position(start);
  return { kind: "watermark", child, column, delayMs, ...(name === undefined ? {} : { name }), position };
};

/** Seed of a sample that names none: fixed, so that a replay draws the same rows. */
const SAMPLE_SEED = 0;

const plainNumber = (p: Parser): number => {
  const sign = p.acceptOp("-") ? -1 : 1;
  const token = p.peek();
  if (token.kind !== "number" || !/^[\d.]+$/.test(token.text)) throw p.unexpected("a number");
  return sign * Number(p.next().text);
};

/** `TABLESAMPLE (10 PERCENT | n ROWS | BUCKET x OUT OF y) [REPEATABLE (seed)]` */
export const sample = (p: Parser, child: Relation): Relation => {
  if (!p.at("TABLESAMPLE") || !p.atOp("(", 1)) return child;
  const start = p.next();
  p.next();
  let fraction: number | undefined;
  let rows: Expr | undefined;
  if (p.accept("BUCKET")) {
    const bucket = plainNumber(p);
    p.expect("OUT", "OF");
    fraction = bucket / plainNumber(p);
  } else if (p.peek(p.atOp("-") ? 2 : 1).upper === "PERCENT") {
    fraction = plainNumber(p) / 100;
    p.next();
  } else {
    rows = p.grammar.expression(p);
    if (p.atOp(")"))
      throw p.error(
        "UNSUPPORTED_FEATURE",
        "TABLESAMPLE by bytes is not supported.",
        start,
        "Write (n ROWS) or (n PERCENT)",
      );
    p.expect("ROWS");
  }
  p.expectOp(")");
  const seed = p.accept("REPEATABLE") ? p.parenthesized(() => plainNumber(p))[0]! : SAMPLE_SEED;
  const position = p.position(start);
  if (rows !== undefined) return { kind: "limit", child, limit: rows, offset: undefined, position };
  if (!(fraction! >= 0 && fraction! <= 1)) {
    const message = `Sampling fraction (${fraction}) must be on interval [0, 1].`;
    throw p.error("INVALID_TABLESAMPLE_FRACTION", message, start);
  }
  return { kind: "sample", child, fraction: fraction!, seed, position };
};
