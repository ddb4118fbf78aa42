/** Parsed SQL as short text, so that a test shows a whole tree in a line: `(+ a (* b 1:int))`, `select[k](filter[(> v 1:int)](t))`. */
import { typeName } from "../../src/core/data-type.ts";
import type { Expr, FrameBound, SortOrder } from "../../src/expr/ast.ts";
import type { Grouping, Relation } from "../../src/plan/relation.ts";

const value = (v: unknown): string =>
  v instanceof Uint8Array ? Buffer.from(v).toString("hex") : typeof v === "string" ? `'${v}'` : String(v);

const list = (exprs: readonly Expr[], separator = ", "): string => exprs.map(outlineExpr).join(separator);

const order = (o: SortOrder<Expr>): string =>
  `${outlineExpr(o.expr)}${o.descending ? " desc" : ""} ${o.nullsFirst ? "nf" : "nl"}`;

const bound = (b: FrameBound<Expr>): string =>
  "offset" in b ? `${outlineExpr(b.offset)} ${b.kind}` : b.kind;

const callOutline = (e: Extract<Expr, { kind: "call" }>): string => {
  const named = Object.entries(e.named ?? {}).map(([k, v]) => `${k}=>${outlineExpr(v)}`);
  const parts = [e.fn, ...(e.distinct === true ? ["distinct"] : []), ...e.args.map(outlineExpr), ...named];
  if (e.filter !== undefined) parts.push(`filter=${outlineExpr(e.filter)}`);
  if (e.orderBy !== undefined) parts.push(`order=${e.orderBy.map(order).join(",")}`);
  if (e.ignoreNulls === true) parts.push("ignoreNulls");
  return `(${parts.join(" ")})`;
};

const overOutline = (e: Extract<Expr, { kind: "over" }>): string => {
  const parts = [outlineExpr(e.call)];
  if (e.windowName !== undefined) parts.push(`window=${e.windowName}`);
  if (e.partitionBy.length > 0) parts.push(`by ${list(e.partitionBy)}`);
  if (e.orderBy.length > 0) parts.push(`order ${e.orderBy.map(order).join(", ")}`);
  if (e.frame !== undefined) parts.push(`${e.frame.unit} ${bound(e.frame.start)}..${bound(e.frame.end)}`);
  return `over{${parts.join("; ")}}`;
};

export const outlineExpr = (e: Expr): string => {
  switch (e.kind) {
    case "literal":
      return `${value(e.value)}:${typeName(e.type)}`;
    case "column":
      return e.parts.join(".");
    case "star":
      return `${[...e.qualifier, "*"].join(".")}${e.except === undefined ? "" : `-{${e.except.join(",")}}`}`;
    case "alias":
      return `${outlineExpr(e.child)} as ${e.names.join(",")}`;
    case "call":
      return callOutline(e);
    case "cast":
      return `(${e.tryCast ? "try_cast" : "cast"} ${outlineExpr(e.child)} ${typeName(e.to)})`;
    case "case": {
      const branches = e.branches.map(([c, v]) => `${outlineExpr(c)}?${outlineExpr(v)}`);
      return `(case ${[...branches, e.otherwise === undefined ? "-" : outlineExpr(e.otherwise)].join(" ")})`;
    }
    case "field":
      return `${outlineExpr(e.child)}!${e.name}`;
    case "item":
      return `${outlineExpr(e.child)}[${outlineExpr(e.key)}]`;
    case "lambda":
      return `{${e.parameters.join(",")} -> ${outlineExpr(e.body)}}`;
    case "over":
      return overOutline(e);
    case "subquery":
      return `${e.negated ? "not-" : ""}${e.mode}<${e.values.map((v) => `${outlineExpr(v)};`).join("")}${outline(e.relation as Relation)}>`;
    case "parameter":
      return `:${e.name}`;
  }
};

const grouping = (g: Grouping): string => {
  if (g.kind === "all") return "all";
  if (g.kind === "keys") return list(g.exprs);
  return `sets(${list(g.exprs)}: ${g.sets.map((s) => `{${list(s, ",")}}`).join(" ")})`;
};

const selectOutline = (r: Extract<Relation, { kind: "select" }>): string => {
  const parts = [`${r.distinct === true ? "distinct " : ""}${list(r.exprs)}`];
  if (r.groupBy !== undefined) parts.push(`by ${grouping(r.groupBy)}`);
  if (r.having !== undefined) parts.push(`having ${outlineExpr(r.having)}`);
  for (const [name, w] of Object.entries(r.windows ?? {})) parts.push(`window ${name}=${outlineExpr(w)}`);
  return `select[${parts.join("; ")}](${outline(r.child)})`;
};

const joinOutline = (r: Extract<Relation, { kind: "join" }>): string => {
  const how = `${r.natural === true ? "natural " : ""}${r.how}${r.lateral === true ? " lateral" : ""}`;
  const on = r.condition === undefined ? "" : ` on ${outlineExpr(r.condition)}`;
  const using = r.using === undefined ? "" : ` using ${r.using.join(",")}`;
  return `join[${how}${on}${using}](${outline(r.left)}, ${outline(r.right)})`;
};

const names = (given: readonly string[] | undefined): string =>
  given === undefined ? "" : `(${given.join(",")})`;

export const outline = (r: Relation): string => {
  switch (r.kind) {
    case "table":
      return r.name.join(".");
    case "oneRow":
      return "one";
    case "values":
      return `values[${r.rows.map((row) => `(${list(row)})`).join(" ")}]`;
    case "range":
      return `range[${list(r.args)}]`;
    case "select":
      return selectOutline(r);
    case "filter":
      return `filter[${outlineExpr(r.condition)}](${outline(r.child)})`;
    case "withColumns":
      return `with[${r.columns.map(([n, e]) => `${n}=${outlineExpr(e)}`).join(", ")}](${outline(r.child)})`;
    case "drop":
      return `drop[${r.names.join(",")}](${outline(r.child)})`;
    case "watermark":
      return `watermark[${Array.isArray(r.column) ? r.column.join(".") : outlineExpr(r.column as Expr)} ${r.delayMs}${r.name === undefined ? "" : ` as ${r.name}`}](${outline(r.child)})`;
    case "join":
      return joinOutline(r);
    case "setOperation":
      return `${r.op}${r.all ? "All" : ""}(${outline(r.left)}, ${outline(r.right)})`;
    case "sort":
      return `sort[${r.all === true ? "all " : ""}${r.orders.map(order).join(", ")}](${outline(r.child)})`;
    case "limit": {
      const bounds = [r.limit, r.offset].map((e) => (e === undefined ? "-" : outlineExpr(e)));
      return `limit[${bounds.join(" ")}](${outline(r.child)})`;
    }
    case "sample":
      return `sample[${r.fraction} ${r.seed}](${outline(r.child)})`;
    case "alias":
      return `as[${r.name}${names(r.columns)}](${outline(r.child)})`;
    case "with": {
      const definitions = r.definitions.map(([n, q, columns]) => `${n}${names(columns)}=${outline(q)}`);
      return `with${r.recursive ? " recursive" : ""}[${definitions.join("; ")}](${outline(r.child)})`;
    }
    case "generate":
      return `generate[${r.outer ? "outer " : ""}${outlineExpr(r.call)} ${r.tableAlias ?? "-"}${names(r.columns)}](${outline(r.child)})`;
    case "pivot":
      return `pivot[${list(r.aggregates)} for ${list(r.columns)} in ${list(r.values)}](${outline(r.child)})`;
    case "unpivot": {
      const groups = r.groups.map(
        (g) => `${list(g.columns, "+")}${g.alias === undefined ? "" : ` as ${g.alias}`}`,
      );
      return `unpivot[${r.includeNulls ? "nulls " : ""}${r.valueColumns.join("+")} for ${r.nameColumn} in ${groups.join(", ")}](${outline(r.child)})`;
    }
    default:
      throw new Error(`the parser does not make ${r.kind}`);
  }
};
