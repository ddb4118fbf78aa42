/** The typed API's groupBy().agg(): a select of the keys and the aggregates. */
import type { Analysis, Names, Resolved } from "./analyse-context.ts";
import { analyseSelect } from "./analyse-select.ts";
import type { Relation } from "./relation.ts";

export const analyseAggregate = (
  a: Analysis,
  rel: Extract<Relation, { kind: "aggregate" }>,
  names: Names,
): Resolved => {
  const keys = rel.keys.map((k) => (k.kind === "alias" ? k.child : k));
  return analyseSelect(
    a,
    {
      kind: "select",
      child: rel.child,
      exprs: [...rel.keys, ...rel.aggregates],
      groupBy: { kind: "keys", exprs: keys },
      position: rel.position,
    },
    names,
  );
};
