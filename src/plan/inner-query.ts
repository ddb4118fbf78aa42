/** The query inside a subquery or LATERAL: analysed with the columns around it in sight. */
import type { Attribute, TypedExpr } from "../expr/ast.ts";
import type { Analysis, Names, Resolved } from "./analyse-context.ts";
import { type Env, ownColumn, usesOwnColumn } from "./analyse-env.ts";
import { columnText, starColumns } from "./analyse-names.ts";
import type { LogicalPlan } from "./logical.ts";
import { expressionsOf, walk } from "./nodes.ts";
import type { Relation } from "./relation.ts";
import { replace } from "./typed.ts";

export interface Inner {
  readonly resolved: Resolved;
  /** Attributes of the query around that are used inside. */
  readonly outer: readonly Attribute[];
}

/** Analyses a relation that sees the columns of `env`. */
export const innerQuery = (analysis: Analysis, relation: Relation, env: Env): Inner => {
  const used = new Map<number, Attribute>();
  const note = (e: TypedExpr): TypedExpr => {
    replace(e, (x) => {
      if (x.kind === "attribute") used.set(x.id, x);
      return undefined;
    });
    return e;
  };
  // Spark sees the columns of one query around, and none of its aliases.
  const spark = analysis.options.compatibility === "spark";
  const { alias: _, ...columnsOnly } = env;
  const seen: Env = spark && env.clause === "SELECT" ? columnsOnly : env;
  const names: Names = {
    ...env.names,
    outer: {
      used,
      resolve: (parts, position) => {
        const match = ownColumn(seen, parts, position);
        if (match !== undefined) return { expr: note(match.base), rest: match.rest };
        if (spark) return undefined;
        const further = env.names.outer?.resolve(parts, position);
        if (further !== undefined) note(further.expr);
        return further;
      },
      text: (parts) => columnText(env.visible, parts) ?? env.names.outer?.text(parts),
      star: (qualifier) => starColumns(env.visible, qualifier) ?? env.names.outer?.star(qualifier),
      aggregate: (call) => {
        const own = usesOwnColumn(env, call);
        const value = own ? env.aggregate?.(call, env) : env.names.outer?.aggregate?.(call);
        return value === undefined ? undefined : note(value);
      },
    },
  };
  const resolved = analysis.relation(relation, names);
  analysis.outerUses.set(relation, usesOf(resolved.plan, used));
  return { resolved, outer: [...used.values()] };
};

/** Uses of outer columns, operators from the top and their expressions from the left, as Spark lists them. */
const usesOf = (plan: LogicalPlan, outer: ReadonlyMap<number, Attribute>): readonly string[] => {
  const found: string[] = [];
  if (outer.size === 0) return found;
  walk(plan, (p) => {
    for (const e of expressionsOf(p))
      replace(e, (x) => {
        if (x.kind === "attribute" && outer.has(x.id)) found.push(x.name);
        return undefined;
      });
  });
  return found;
};
