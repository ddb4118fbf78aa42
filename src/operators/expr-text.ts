/** Typed expressions as one line of text, for describe() and state fingerprints: deterministic, columns by name, types where they decide. */
import { typeName } from "../core/data-type.ts";
import type { Value } from "../core/value.ts";
import type { AggregateCall, SortOrder, TypedExpr } from "../expr/ast.ts";

const formatValue = (v: Value): string =>
  typeof v === "string"
    ? `'${v.replaceAll("'", "''")}'`
    : typeof v === "bigint"
      ? v.toString()
      : JSON.stringify(v, (_, x: unknown) => (typeof x === "bigint" ? x.toString() : x));

const INFIX = /^[^a-z_]+$|^(and|or|like|rlike|is not distinct from)$/;

export const formatExpr = (e: TypedExpr): string => {
  switch (e.kind) {
    case "literal":
      return formatValue(e.value);
    case "attribute":
    case "slot":
    case "variable":
      return e.name;
    case "call": {
      const args = e.args.map(formatExpr);
      return args.length === 2 && INFIX.test(e.fn) && e.udf === undefined
        ? `(${args[0]} ${e.fn} ${args[1]})`
        : `${e.fn}(${args.join(", ")})`;
    }
    case "cast":
      return `${e.tryCast ? "try_cast" : "cast"}(${formatExpr(e.child)} as ${typeName(e.type)})`;
    case "case": {
      const branches = e.branches.map(([c, v]) => `when ${formatExpr(c)} then ${formatExpr(v)}`);
      return `case ${branches.join(" ")} else ${formatExpr(e.otherwise)} end`;
    }
    case "field": {
      const t = e.child.type;
      return `${formatExpr(e.child)}.${t.kind === "struct" ? (t.fields[e.index]?.name ?? e.index) : e.index}`;
    }
    case "lambda":
      return `(${e.parameters.map((p) => p.name).join(", ")}) -> ${formatExpr(e.body)}`;
  }
};

export const formatOrder = (o: SortOrder<TypedExpr>): string =>
  `${formatExpr(o.expr)} ${o.descending ? "DESC" : "ASC"} NULLS ${o.nullsFirst ? "FIRST" : "LAST"}`;

export const formatAggregate = (a: AggregateCall): string => {
  const order = a.orderBy.length === 0 ? "" : ` ORDER BY ${a.orderBy.map(formatOrder).join(", ")}`;
  const filter = a.filter === undefined ? "" : ` FILTER (WHERE ${formatExpr(a.filter)})`;
  const nulls = a.ignoreNulls ? " IGNORE NULLS" : "";
  return `${a.fn}(${a.distinct ? "DISTINCT " : ""}${a.args.map(formatExpr).join(", ") || (a.fn === "count" ? "*" : "")}${order})${nulls}${filter}`;
};

/** What of a key decides the format of state: its type. */
export const keyTypesText = (keys: readonly TypedExpr[]): string =>
  keys.map((k) => `${formatExpr(k)} ${typeName(k.type)}`).join(", ");

/** What keys are called where someone asks for one. */
export const keyNames = (keys: readonly TypedExpr[]): readonly string[] =>
  keys.map((k) => (k.kind === "slot" ? k.name : formatExpr(k)));
