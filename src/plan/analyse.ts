/**
 * The analyser: names to attributes, types and coercions, Spark's rules of what a query may say. Each kind of relation is analysed in a file of
 * its own; this one dispatches and holds the small ones.
 */
import { analyseAggregate } from "./analyse-aggregate.ts";
import { analyseTable, analyseWith } from "./analyse-cte.ts";
import { analyseAlias, analyseDrop, analyseRenamed, analyseWithColumns } from "./analyse-columns.ts";
import {
  Analysis,
  type AnalyseOptions,
  type Names,
  NO_NAMES,
  type Resolved,
  resolvedOf,
} from "./analyse-context.ts";
import { analyseEmit } from "./analyse-emit.ts";
import { analyseGenerate } from "./analyse-generate.ts";
import { analyseFilter } from "./analyse-filter.ts";
import { analyseJoin } from "./analyse-join.ts";
import { analysePivot } from "./analyse-pivot.ts";
import { analyseSelect } from "./analyse-select.ts";
import { analyseSetOperation } from "./analyse-set-operation.ts";
import { analyseLimit, analyseSort } from "./analyse-sort.ts";
import {
  analyseGroupState,
  analyseDropDuplicates,
  analyseLate,
  analyseObserve,
  analyseWatermark,
} from "./analyse-streaming.ts";
import { analyseUnpivot } from "./analyse-unpivot.ts";
import { analyseRange, analyseRows, analyseValues, oneRow } from "./analyse-values.ts";
import type { Catalog } from "./catalog.ts";
import { withinStack } from "./nesting.ts";
import type { LogicalPlan } from "./logical.ts";
import { distinctOf, keep } from "./nodes.ts";
import type { Relation } from "./relation.ts";

export type { AnalyseOptions } from "./analyse-context.ts";

/** The resolved plan of a relation. Throws AnalysisError with Spark's error class and the position in the text. */
export const analyse = (relation: Relation, catalog: Catalog, options: AnalyseOptions): LogicalPlan =>
  withinStack(() => {
    const { plan, columns } = new Analysis(catalog, options, analyseRelation).relation(relation, NO_NAMES);
    // Hidden columns (the other side of USING) are no part of the result.
    return keep(
      plan,
      columns.map((c) => c.attribute),
    );
  });

type Of<K extends Relation["kind"]> = Extract<Relation, { kind: K }>;

const analyseRelation = (a: Analysis, rel: Relation, names: Names): Resolved => {
  switch (rel.kind) {
    case "source":
      return analyseSource(a, rel);
    case "table":
      return analyseTable(a, rel, names);
    case "rows":
      return analyseRows(a, rel);
    case "values":
      return analyseValues(a, rel, names);
    case "range":
      return analyseRange(a, rel, names);
    case "oneRow":
      return resolvedOf(oneRow());
    case "select":
      return analyseSelect(a, rel, names);
    case "filter":
      return analyseFilter(a, rel, names);
    case "withColumns":
      return analyseWithColumns(a, rel, names);
    case "renamed":
      return analyseRenamed(a, rel, names);
    case "drop":
      return analyseDrop(a, rel, names);
    case "aggregate":
      return analyseAggregate(a, rel, names);
    case "alias":
      return analyseAlias(a, rel, names);
    case "with":
      return analyseWith(a, rel, names);
    case "join":
      return analyseJoin(a, rel, names);
    case "setOperation":
      return analyseSetOperation(a, rel, names);
    default:
      return analyseOther(a, rel, names);
  }
};

const analyseOther = (
  a: Analysis,
  rel: Exclude<
    Relation,
    Of<
      | "source"
      | "table"
      | "rows"
      | "values"
      | "range"
      | "oneRow"
      | "select"
      | "filter"
      | "withColumns"
      | "renamed"
      | "drop"
      | "aggregate"
      | "alias"
      | "with"
      | "join"
      | "setOperation"
    >
  >,
  names: Names,
): Resolved => {
  switch (rel.kind) {
    case "watermark":
      return analyseWatermark(a, rel, names);
    case "distinct": {
      const child = a.relation(rel.child, names);
      return { ...child, plan: distinctOf(child.plan) };
    }
    case "dropDuplicates":
      return analyseDropDuplicates(a, rel, names);
    case "sort":
      return analyseSort(a, rel, names);
    case "limit":
      return analyseLimit(a, rel, names);
    case "sample":
      return analyseSample(a, rel, names);
    case "generate":
      return analyseGenerate(a, rel, names);
    case "pivot":
      return analysePivot(a, rel, names);
    case "unpivot":
      return analyseUnpivot(a, rel, names);
    case "mapRows":
      return analyseMapRows(a, rel, names);
    case "groupState":
      return analyseGroupState(a, rel, names);
    case "observe":
      return analyseObserve(a, rel, names);
    case "late":
      return analyseLate(a, rel, names);
    case "emit":
      return analyseEmit(a, rel, names);
  }
};

const analyseSource = (a: Analysis, rel: Of<"source">): Resolved => {
  const output = rel.source.schema.fields.map((f) => a.attribute(f.name, f.type, f.nullable));
  const plan: LogicalPlan = Object.freeze({
    kind: "source",
    source: rel.source,
    name: rel.name,
    output,
    streaming: rel.streaming,
  });
  return resolvedOf(plan, rel.name === "" ? [] : [rel.name]);
};

const analyseSample = (a: Analysis, rel: Of<"sample">, names: Names): Resolved => {
  const child = a.relation(rel.child, names);
  const plan: LogicalPlan = Object.freeze({
    kind: "sample",
    child: child.plan,
    fraction: rel.fraction,
    seed: rel.seed,
    output: child.plan.output,
    streaming: child.plan.streaming,
  });
  return { ...child, plan };
};

const analyseMapRows = (a: Analysis, rel: Of<"mapRows">, names: Names): Resolved => {
  const child = a.relation(rel.child, names);
  const visible = keep(
    child.plan,
    child.columns.map((c) => c.attribute),
  );
  const output =
    rel.fn.mode === "filter"
      ? visible.output
      : rel.fn.output.fields.map((f) => a.attribute(f.name, f.type, f.nullable));
  const plan: LogicalPlan = Object.freeze({
    kind: "mapRows",
    child: visible,
    fn: rel.fn,
    output,
    streaming: visible.streaming,
  });
  return rel.fn.mode === "filter" ? { ...child, plan } : resolvedOf(plan);
};
