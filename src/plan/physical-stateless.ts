/** Physical planning of the operators that look at one row at a time. */
import type { Attribute } from "../expr/ast.ts";
import { bind, type Fragment } from "./fragment.ts";
import type { LogicalPlan } from "./logical.ts";
import { mapAggregate } from "./typed.ts";
import type { Planning } from "./physical-planner.ts";

type Of<K extends LogicalPlan["kind"]> = Extract<LogicalPlan, { kind: K }>;

const names = (attributes: readonly Attribute[]): readonly string[] => attributes.map((a) => a.name);

const planSource = (plan: Of<"source">, p: Planning): Fragment => {
  const shared = p.shared.get(plan);
  if (shared !== undefined) {
    const draft = p.sharedDrafts.get(shared.spec) ?? p.builder.draft("source", "source", shared.spec);
    p.sharedDrafts.set(shared.spec, draft);
    const columns = shared.columns === undefined ? {} : { columns: shared.columns };
    const root = { kind: "input" as const, edge: "source", output: plan.source.schema, ...columns };
    return { branches: [{ draft, root: Object.freeze(root), output: plan.output }], output: plan.output };
  }
  if (p.distributed) {
    const draft = p.builder.draft("source", "source", plan.source);
    const root = Object.freeze({ kind: "input" as const, edge: "source", output: plan.source.schema });
    return { branches: [{ draft, root, output: plan.output }], output: plan.output };
  }
  const draft = p.builder.draft("source", 1, plan.source);
  const root = Object.freeze({
    kind: "input" as const,
    edge: `source:${p.sources.length}`,
    output: plan.source.schema,
  });
  p.sources.push(plan.source);
  return { branches: [{ draft, root, output: plan.output }], output: plan.output };
};

const planRows = (plan: Of<"rows">, p: Planning): Fragment => {
  const schema = { fields: plan.output.map((a) => ({ name: a.name, type: a.type, nullable: a.nullable })) };
  const source = { format: "rows", options: {}, schema, pushed: [], handle: plan.rows };
  return planSource({ kind: "source", source, name: "rows", output: plan.output, streaming: false }, p);
};

const planWatermark = (plan: Of<"watermark">, p: Planning): Fragment => {
  const child = p.build(plan.child);
  if (!plan.streaming) return { ...child, output: plan.output };
  const form = plan.column.type.kind === "struct" ? "window" : "column";
  const spec = (columns: readonly Attribute[]): unknown => ({
    name: plan.name,
    time: bind(plan.column, columns),
    form,
    delayMs: plan.delayMs,
  });
  const f = p.builder.apply(child, "watermark", spec, plan.output);
  const column = `w${plan.definition}`;
  for (const b of f.branches)
    p.builder.watermarks.push({
      name: plan.name,
      column,
      delayMs: plan.delayMs,
      operatorId: (b.root as { id: string }).id,
      stage: b.draft.id,
    });
  return f;
};

const planUnion = (plan: Of<"union">, p: Planning): Fragment => {
  const branches = plan.children.flatMap((c) =>
    // Each branch goes on under the union's own column ids.
    p.build(c).branches.map((b) => ({ ...b, output: plan.output })),
  );
  return { branches, output: plan.output };
};

export const planStateless = (plan: LogicalPlan, p: Planning): Fragment | undefined => {
  const { builder } = p;
  switch (plan.kind) {
    case "source":
      return planSource(plan, p);
    case "rows":
      return planRows(plan, p);
    case "project":
      return builder.calc(
        p.build(plan.child),
        (columns) => ({
          kind: "project",
          exprs: plan.exprs.map((e) => bind(e.expr, columns)),
          names: names(plan.output),
        }),
        plan.output,
      );
    case "filter":
      return builder.calc(
        p.build(plan.child),
        (columns) => ({ kind: "filter", condition: bind(plan.condition, columns) }),
        plan.output,
      );
    case "watermark":
      return planWatermark(plan, p);
    case "union":
      return planUnion(plan, p);
    case "expandWindow": {
      const { sizeMs, slideMs, offsetMs } = plan;
      return builder.apply(
        p.build(plan.child),
        "expandWindow",
        (c) => ({ time: bind(plan.time, c), sizeMs, slideMs, offsetMs }),
        plan.output,
      );
    }
    case "expand":
      return builder.apply(
        p.build(plan.child),
        "expand",
        (c) => ({ projections: plan.projections.map((list) => list.map((e) => bind(e, c))) }),
        plan.output,
      );
    case "generate":
      return builder.apply(
        p.build(plan.child),
        "generate",
        (c) => ({ fn: plan.fn, args: plan.args.map((e) => bind(e, c)), outer: plan.outer }),
        plan.output,
      );
    case "mapRows":
      return builder.apply(
        p.build(plan.child),
        "mapRows",
        () => ({ name: plan.fn.name, mode: plan.fn.mode, apply: plan.fn.apply, ...plan.fn.options }),
        plan.output,
      );
    case "sample":
      return builder.apply(
        p.build(plan.child),
        "sample",
        () => ({ fraction: plan.fraction, seed: plan.seed }),
        plan.output,
      );
    case "observe":
      return planObserve(plan, p);
    default:
      return undefined;
  }
};

const planObserve = (plan: Of<"observe">, p: Planning): Fragment => {
  const results = plan.aggregates.map((a) => a.attribute);
  return p.builder.apply(
    p.build(plan.child),
    "observe",
    (c) => ({
      name: plan.name,
      aggregates: plan.aggregates.map((a) => mapAggregate(a.call, (e) => bind(e, c))),
      metrics: plan.metrics.map((m) => ({ name: m.attribute.name, expr: bind(m.expr, results) })),
    }),
    plan.output,
  );
};
