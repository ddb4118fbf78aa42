/**
 * PIVOT, in two aggregations as Spark does it: by group and pivot columns, then each value's aggregate picked into a column of its own. A
 * combination without rows is null, for counts too.
 */
import type { DataType } from "../core/data-type.ts";
import type { Expr } from "../expr/ast.ts";
import { isOrderable } from "../expr/coercion.ts";
import type { Analysis, Names, Resolved, ScopeColumn } from "./analyse-context.ts";
import { analyseSelect } from "./analyse-select.ts";
import { nameOf, someExpr } from "./analyse-items.ts";
import { isAggregateCall } from "./analyse-functions.ts";
import { partsOfAttribute, resolveColumn, type Visible } from "./analyse-names.ts";
import { type Env, typeIn } from "./analyse-env.ts";
import { constantOf } from "./constants.ts";
import { keep } from "./nodes.ts";
import type { Relation } from "./relation.ts";
import { fail } from "./analyse-context.ts";

type Pivot = Extract<Relation, { kind: "pivot" }>;

const reference = (c: ScopeColumn): Expr => ({
  kind: "column",
  parts: partsOfAttribute(c.attribute.id, c.name),
});
const column = (name: string): Expr => ({ kind: "column", parts: [name] });
const alias = (child: Expr, name: string): Expr => ({ kind: "alias", child, names: [name] });
const call = (fn: string, args: readonly Expr[]): Expr => ({ kind: "call", fn, args });

export const analysePivot = (a: Analysis, rel: Pivot, names: Names): Resolved => {
  const child = a.relation(rel.child, names);
  checkAggregates(rel);
  const used = usedIds(child, [...rel.aggregates, ...rel.columns]);
  const groups =
    rel.groupBy?.map((e, i): readonly [string, Expr] => [
      nameOf(e),
      alias(e.kind === "alias" ? e.child : e, `g${i}`),
    ]) ??
    child.columns
      .filter((c) => !used.has(c.attribute.id))
      .map((c, i): readonly [string, Expr] => [c.name, alias(reference(c), `g${i}`)]);
  const keys = [...groups.map(([, e]) => e), ...rel.columns.map((e, i) => alias(e, `p${i}`))];
  const parts = rel.aggregates.map((e, i) => alias(e.kind === "alias" ? e.child : e, `a${i}`));
  const first = analyseSelect(
    a,
    {
      kind: "select",
      child: rel.child,
      exprs: [...keys, ...parts],
      groupBy: { kind: "keys", exprs: keys.map(childOf) },
    },
    names,
    undefined,
    child,
  );
  const groupColumns = groups.map((_, i) => column(`g${i}`));
  const types = first.columns.slice(groups.length).map((c) => c.attribute.type);
  types.slice(0, rel.columns.length).forEach((type) => {
    if (!isOrderable(type))
      fail(
        "INCOMPARABLE_PIVOT_COLUMN",
        "Invalid pivot column: pivot columns must be comparable.",
        rel.position,
      );
  });
  const cells = rel.values.flatMap((v) => valueCells(a, rel, v, { names, types, visible: child }));
  const second = analyseSelect(
    a,
    {
      kind: "select",
      child: rel.child,
      exprs: [...groupColumns.map((g, i) => alias(g, groups[i]![0])), ...cells],
      groupBy: { kind: "keys", exprs: groupColumns },
    },
    names,
    undefined,
    first,
  );
  return {
    ...second,
    plan: keep(
      second.plan,
      second.columns.map((c) => c.attribute),
    ),
  };
};

const checkAggregates = (rel: Pivot): void => {
  const plain = rel.aggregates.find((e) => !someExpr(e, isAggregateCall));
  if (plain !== undefined)
    fail(
      "_LEGACY_ERROR_TEMP_1006",
      "Aggregate expression required for pivot, but it appeared nowhere in one of its items.",
      plain.position ?? rel.position,
    );
};

const childOf = (e: Expr): Expr => (e.kind === "alias" ? e.child : e);

/** Ids of the columns that aggregates and FOR mention: all others are grouped by. */
const usedIds = (child: Resolved, exprs: readonly Expr[]): ReadonlySet<number> => {
  const ids = new Set<number>();
  for (const e of exprs)
    someExpr(e, (x) => {
      const base = x.kind === "column" ? resolveColumn(child, x.parts, x.position)?.base : undefined;
      if (base?.kind === "attribute") ids.add(base.id);
      if (base?.kind === "field" && base.child.kind === "attribute") ids.add(base.child.id);
      return false;
    });
  return ids;
};

/** The columns of one value: an aggregate each. */
const valueCells = (a: Analysis, rel: Pivot, value: Expr, given: PivotScope): readonly Expr[] => {
  const bare = childOf(value);
  const parts =
    rel.columns.length > 1 && bare.kind === "call" && (bare.fn === "struct" || bare.fn === "named_struct")
      ? bare.args.map(childOf)
      : [bare];
  if (parts.length !== rel.columns.length)
    return fail(
      "PIVOT_VALUE_DATA_TYPE_MISMATCH",
      `A PIVOT value must have ${rel.columns.length} parts, but has ${parts.length}.`,
      value.position,
    );
  const matches = parts
    .map((child, i): Expr => ({ kind: "cast", child, to: given.types[i]!, tryCast: false }))
    .map((v, i) => call("<=>", [column(`p${i}`), v]))
    .reduce((l, r) => call("and", [l, r]));
  const texts = parts.map((v) => valueText(a, v, given));
  const label =
    value.kind === "alias" ? value.names[0]! : texts.length === 1 ? texts[0]! : `{${texts.join(", ")}}`;
  return rel.aggregates.map((agg, i) => {
    const name = rel.aggregates.length === 1 ? label : `${label}_${nameOf(agg)}`;
    return alias(
      { kind: "call", fn: "first", args: [column(`a${i}`)], filter: matches, ignoreNulls: true },
      name,
    );
  });
};

/** What values are read with: the types of the columns that they are compared with. */
interface PivotScope {
  readonly names: Names;
  readonly types: readonly DataType[];
  readonly visible: Visible;
}

const valueText = (a: Analysis, e: Expr, { names, visible }: PivotScope): string => {
  const none: Visible = { columns: [], hidden: [] };
  const env: Env = { analysis: a, names, visible: none, proposed: visible, clause: "PIVOT" };
  const typed = typeIn(env, { kind: "cast", child: e, to: { kind: "string" }, tryCast: false });
  const text = constantOf(typed, a.options.timeZone);
  if (text === undefined)
    return fail("NON_LITERAL_PIVOT_VALUES", "Literal expressions required for pivot values.", e.position);
  return text.value === null ? "null" : String(text.value);
};
