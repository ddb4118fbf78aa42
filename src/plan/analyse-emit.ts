/** The `emit` option of an aggregate: early rows, directly above the aggregate, below what is computed from its results. */
import { BOOLEAN } from "../core/data-type.ts";
import type { Attribute } from "../expr/ast.ts";
import { type Analysis, fail, type Names, type Resolved, resolvedOf, sameName } from "./analyse-context.ts";
import type { LogicalPlan } from "./logical.ts";
import { pass, project } from "./nodes.ts";
import type { Relation } from "./relation.ts";

type Emit = Extract<Relation, { kind: "emit" }>;

export const analyseEmit = (a: Analysis, rel: Emit, names: Names): Resolved => {
  const child = a.relation(rel.child, names);
  const clash = child.plan.output.find((x) => sameName(x.name, rel.marker));
  if (clash !== undefined)
    return fail(
      "EARLY_ROWS_UNSUPPORTED.MARKER",
      `emit: the marker \`${rel.marker}\` of early rows is a column of the result already.`,
      rel.position,
      "give the marker another name",
    );
  return resolvedOf(above(child.plan, a.attribute(rel.marker, BOOLEAN, false), rel));
};

/** The node on the aggregate; the projections above it pass the marker on. */
const above = (plan: LogicalPlan, marker: Attribute, rel: Emit): LogicalPlan => {
  if (plan.kind === "project") return project(above(plan.child, marker, rel), [...plan.exprs, pass(marker)]);
  if (plan.kind !== "aggregate" || plan.session !== undefined)
    return fail(
      "EARLY_ROWS_UNSUPPORTED.SESSION",
      "emit: a session's window changes while it grows, so that early rows of it could not be told from those of another.",
      rel.position,
      "use update mode, which gives a session again whenever it grows",
    );
  return Object.freeze({
    kind: "emit",
    child: plan,
    marker,
    everyMs: rel.everyMs,
    output: [...plan.output, marker],
    streaming: plan.streaming,
  });
};
