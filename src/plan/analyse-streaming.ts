/** Verbs of streams: withWatermark, dropDuplicates, keyed state, observe, late. */
import type { Attribute, Expr } from "../expr/ast.ts";
import { Aggregates } from "./analyse-collect.ts";
import {
  type Analysis,
  fail,
  type Names,
  type Resolved,
  resolvedOf,
  sameName,
  type ScopeColumn,
} from "./analyse-context.ts";
import { type Env, typeIn } from "./analyse-env.ts";
import { nearest } from "../expr/suggestion.ts";
import { nameOf } from "./analyse-items.ts";
import type { LogicalPlan, Named } from "./logical.ts";
import { extend, keep } from "./nodes.ts";
import type { Relation } from "./relation.ts";

type Of<K extends Relation["kind"]> = Extract<Relation, { kind: K }>;

/** Marks one column as event time; a mark that another column had before is taken off, as in Spark. */
export const analyseWatermark = (a: Analysis, rel: Of<"watermark">, names: Names): Resolved => {
  const child = a.relation(rel.child, names);
  if (rel.delayMs < 0)
    fail(
      "INVALID_WATERMARK_DELAY",
      `The delay of a watermark must not be negative, but is ${rel.delayMs} ms.`,
      rel.position,
    );
  const { input, attribute } = watermarkColumn(a, rel, child, names);
  if (attribute.type.kind !== "timestamp" && !isWindow(attribute))
    return fail(
      "EVENT_TIME_IS_NOT_ON_TIMESTAMP_TYPE",
      `The event time \`${attribute.name}\` has the invalid type "${attribute.type.kind.toUpperCase()}", but expected "TIMESTAMP".`,
      rel.position,
      "cast the column to timestamp first",
    );
  const mark = (x: Attribute): Attribute => {
    const { eventTimeDelayMs: before, ...plain } = x;
    if (x.id === attribute.id) return Object.freeze({ ...plain, eventTimeDelayMs: rel.delayMs });
    return before === undefined ? x : Object.freeze(plain);
  };
  const output = input.plan.output.map(mark);
  const plan: LogicalPlan = Object.freeze({
    kind: "watermark",
    child: input.plan,
    column: output.find((x) => x.id === attribute.id)!,
    delayMs: rel.delayMs,
    name: rel.name ?? attribute.name,
    definition: a.watermark(rel),
    output,
    streaming: input.plan.streaming,
  });
  return remapped(input, plan);
};

const isWindow = (x: Attribute): boolean =>
  x.type.kind === "struct" &&
  x.type.fields.at(1)?.name === "end" &&
  x.type.fields[1]!.type.kind === "timestamp";

/** `WATERMARK to_timestamp(x) AS e DELAY OF …` adds its column. */
const watermarkColumn = (
  a: Analysis,
  rel: Of<"watermark">,
  child: Resolved,
  names: Names,
): { readonly input: Resolved; readonly attribute: Attribute } => {
  const expr: Expr = Array.isArray(rel.column)
    ? { kind: "column", parts: rel.column as readonly string[], position: rel.position }
    : (rel.column as Expr);
  const typed = typeIn({ analysis: a, names, visible: child, clause: "withWatermark" }, expr);
  if (typed.kind === "attribute" && rel.name === undefined) return { input: child, attribute: typed };
  const attribute = a.named(rel.name ?? nameOf(expr), typed);
  const plan = extend(child.plan, [{ attribute, expr: typed }]);
  const columns = [...child.columns, { name: attribute.name, qualifier: [], attribute }];
  return { input: { plan, columns, hidden: child.hidden }, attribute };
};

/** The columns with the attributes of `plan`, by id. */
export const remapped = (input: Resolved, plan: LogicalPlan): Resolved => {
  const byId = new Map(plan.output.map((x) => [x.id, x]));
  const of = (columns: readonly ScopeColumn[]): readonly ScopeColumn[] =>
    columns.map((c) => ({ ...c, attribute: byId.get(c.attribute.id) ?? c.attribute }));
  return { plan, columns: of(input.columns), hidden: of(input.hidden) };
};

export const analyseDropDuplicates = (a: Analysis, rel: Of<"dropDuplicates">, names: Names): Resolved => {
  const child = a.relation(rel.child, names);
  const keys =
    rel.columns === undefined
      ? child.columns
      : rel.columns.flatMap((name) => {
          const found = child.columns.filter((c) => sameName(c.name, name));
          return found.length > 0 ? found : unknownField(child, name, rel);
        });
  const input = keep(child.plan, uniqueAttributes(child.columns));
  const plan: LogicalPlan = Object.freeze({
    kind: "dedup",
    child: input,
    keys: uniqueAttributes(keys),
    withinWatermark: rel.withinWatermark,
    output: input.output,
    streaming: input.streaming,
  });
  return { plan, columns: child.columns, hidden: [] };
};

const unknownField = (child: Resolved, name: string, rel: Of<"dropDuplicates">): never =>
  fail(
    "UNRESOLVED_COLUMN_AMONG_FIELD_NAMES",
    `Cannot resolve column name "${name}" among (${child.columns.map((c) => c.name).join(", ")}).`,
    rel.position,
    `did you mean \`${nearest(
      name,
      child.columns.map((c) => c.name),
    ).join("`, `")}\`?`,
  );

const uniqueAttributes = (columns: readonly ScopeColumn[]): readonly Attribute[] => [
  ...new Map(columns.map((c) => [c.attribute.id, c.attribute])).values(),
];

interface Keyed {
  readonly plan: LogicalPlan;
  readonly keys: readonly Attribute[];
}

/** The plan with the keys as columns. */
const keyed = (a: Analysis, child: Resolved, exprs: readonly Expr[], names: Names): Keyed => {
  const env: Env = { analysis: a, names, visible: child, clause: "groupByKey" };
  const computed: Named[] = [];
  const keys = exprs.map((e) => {
    const typed = typeIn(env, e);
    if (typed.kind === "attribute") return typed;
    const attribute = a.named(nameOf(e), typed);
    computed.push({ attribute, expr: typed });
    return attribute;
  });
  return {
    plan: extend(
      keep(
        child.plan,
        child.columns.map((c) => c.attribute),
      ),
      computed,
    ),
    keys,
  };
};

export const analyseGroupState = (a: Analysis, rel: Of<"groupState">, names: Names): Resolved => {
  const child = a.relation(rel.child, names);
  const { plan: input, keys } = keyed(a, child, rel.keys, names);
  const initial =
    rel.fn.initial === undefined
      ? undefined
      : keyed(a, a.relation(rel.fn.initial, names), rel.fn.initialKeys ?? rel.keys, names);
  if (initial !== undefined) checkInitialKeys(keys, initial.keys);
  const output = rel.fn.output.fields.map((f) => a.attribute(f.name, f.type, f.nullable));
  const plan: LogicalPlan = Object.freeze({
    kind: "groupState",
    child: input,
    keys,
    fn: rel.fn,
    initial: initial?.plan,
    initialKeys: initial?.keys ?? [],
    output,
    streaming: input.streaming,
  });
  return resolvedOf(plan);
};

const checkInitialKeys = (keys: readonly Attribute[], initial: readonly Attribute[]): void => {
  const text = (xs: readonly Attribute[]): string => xs.map((x) => x.type.kind).join(", ");
  if (text(keys) !== text(initial))
    fail(
      "INITIAL_STATE_KEY_MISMATCH",
      `The keys of the initial state (${text(initial)}) must have the types of the keys of the stream (${text(keys)}).`,
    );
};

export const analyseObserve = (a: Analysis, rel: Of<"observe">, names: Names): Resolved => {
  const child = a.relation(rel.child, names);
  const aggregates = new Aggregates(a);
  const env: Env = {
    analysis: a,
    names,
    visible: child,
    clause: "observe",
    aggregate: (e, inner) => aggregates.resolve(e, inner),
  };
  const metrics = rel.metrics.map((e): Named => {
    const expr = typeIn(env, e.kind === "alias" ? e.child : e);
    return { attribute: a.named(nameOf(e), expr), expr };
  });
  const plan: LogicalPlan = Object.freeze({
    kind: "observe",
    child: child.plan,
    name: rel.name,
    metrics,
    aggregates: aggregates.all,
    output: child.plan.output,
    streaming: child.plan.streaming,
  });
  return { ...child, plan };
};

/** The rows that the nearest stateful operator below refused as late: its input's columns. */
export const analyseLate = (a: Analysis, rel: Of<"late">, names: Names): Resolved => {
  const child = a.relation(rel.child, names);
  const input = lateInput(child.plan);
  if (input === undefined || !child.plan.streaming)
    return fail(
      "LATE_ROWS_WITHOUT_STATE",
      "late() gives the rows that a stateful operator refused as late, but there is no stateful operator on a stream here.",
      rel.position,
      "call it on an aggregate, a deduplication or a join of streams with a watermark",
    );
  const plan: LogicalPlan = Object.freeze({
    kind: "late",
    child: child.plan,
    output: input,
    streaming: true,
  });
  return resolvedOf(plan);
};

const lateInput = (plan: LogicalPlan): readonly Attribute[] | undefined => {
  switch (plan.kind) {
    case "aggregate":
    case "dedup":
    case "groupState":
      return ownColumns(plan.child);
    case "project":
    case "filter":
    case "sort":
    case "limit":
    case "observe":
      return lateInput(plan.child);
    default:
      return undefined;
  }
};

/** The columns without those that the analyser computed for the operator. */
const ownColumns = (plan: LogicalPlan): readonly Attribute[] => {
  if (plan.kind === "expandWindow") return ownColumns(plan.child);
  if (plan.kind === "filter" && plan.child.kind !== "project") return plan.output;
  if (plan.kind !== "project") return plan.output;
  const below = new Set(plan.child.output.map((x) => x.id));
  return plan.output.every((x) => !below.has(x.id)) ? plan.output : ownColumns(plan.child);
};
