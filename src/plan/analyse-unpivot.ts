/** UNPIVOT: one copy of each row a group of columns (`expand`), rows of nulls only left out unless INCLUDE NULLS. */
import { STRING } from "../core/data-type.ts";
import type { Expr, TypedExpr } from "../expr/ast.ts";
import { castTo, commonTypeOfColumn } from "../expr/coercion.ts";
import { type Analysis, fail, type Names, type Resolved } from "./analyse-context.ts";
import { type Env, typeIn } from "./analyse-env.ts";
import { nameOf } from "./analyse-items.ts";
import type { LogicalPlan } from "./logical.ts";
import { filter } from "./nodes.ts";
import type { Relation } from "./relation.ts";
import { isNotNull, or, stringLiteral } from "./typed.ts";

type Unpivot = Extract<Relation, { kind: "unpivot" }>;

export const analyseUnpivot = (a: Analysis, rel: Unpivot, names: Names): Resolved => {
  const child = a.relation(rel.child, names);
  const env: Env = { analysis: a, names, visible: child, clause: "UNPIVOT" };
  const groups = rel.groups.map((g) => g.columns.map((e) => typeIn(env, e)));
  if (groups.length === 0)
    return fail(
      "UNPIVOT_REQUIRES_VALUE_COLUMNS",
      "At least one value column needs to be specified for UNPIVOT.",
      rel.position,
    );
  if (groups.flat().some((e) => e.kind !== "attribute"))
    return fail(
      "UNPIVOT_REQUIRES_ATTRIBUTES",
      "UNPIVOT requires all given value expressions to be columns: fields of structs are none.",
      rel.position,
      "select them under names first",
    );
  const used = new Set(groups.flat().flatMap((e) => (e.kind === "attribute" ? [e.id] : [])));
  const kept = child.columns.filter((c) => !used.has(c.attribute.id));
  // Spark tests the new columns for nulls by their names
  const clash = kept.find((c) => rel.valueColumns.some((v) => v.toLowerCase() === c.name.toLowerCase()));
  if (clash !== undefined && !rel.includeNulls && a.options.compatibility === "spark")
    fail(
      "AMBIGUOUS_REFERENCE",
      `Reference \`${clash.name}\` is ambiguous: a column that is kept and a value column have the name.`,
      rel.position,
    );
  const types = rel.valueColumns.map((name, i) => valueType(groups, i, name, rel));
  const nameAttribute = a.attribute(rel.nameColumn, STRING, false);
  const values = rel.valueColumns.map((name, i) =>
    a.attribute(
      name,
      types[i]!,
      groups.some((g) => g[i]!.nullable),
    ),
  );
  const projections = groups.map((g, i): readonly TypedExpr[] => [
    ...kept.map((c) => c.attribute),
    stringLiteral(rel.groups[i]!.alias ?? groupName(rel.groups[i]!.columns)),
    ...g.map((e, k) => castTo(e, types[k]!)),
  ]);
  const output = [...kept.map((c) => c.attribute), nameAttribute, ...values];
  const expanded: LogicalPlan = Object.freeze({
    kind: "expand",
    child: child.plan,
    projections,
    output,
    streaming: child.plan.streaming,
  });
  const present = values.map(isNotNull).reduce(or);
  const added = [nameAttribute, ...values].map((attribute) => ({
    name: attribute.name,
    qualifier: [],
    attribute,
  }));
  return {
    plan: rel.includeNulls ? expanded : filter(expanded, present),
    columns: [...kept, ...added],
    hidden: [],
  };
};

const groupName = (columns: readonly Expr[]): string => columns.map((x) => nameOf(x)).join("_");

const valueType = (
  groups: readonly (readonly TypedExpr[])[],
  i: number,
  name: string,
  rel: Unpivot,
): TypedExpr["type"] =>
  commonTypeOfColumn(groups.map((g) => g[i]!.type)) ??
  fail(
    "UNPIVOT_VALUE_DATA_TYPE_MISMATCH",
    `Unpivot value columns must share a least common type, some types do not: \`${name}\`.`,
    rel.position,
  );
