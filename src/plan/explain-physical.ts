/** Physical plans as text: stages in order, each operator one line, edges by name. Golden files test it. */
import { schemaOf } from "../core/schema.ts";
import { sinkFactory, sourceFactory } from "../connectors/registry.ts";
import { compileCalc } from "../expr/compile.ts";
import type { CalcStep } from "../expr/contract.ts";
import { formatExpr } from "../operators/expr-text.ts";
import { isStageInput, type OperatorNode, type StageInput } from "../operators/operator.ts";
import { operatorKind } from "../operators/registry.ts";
import type { PhysicalPlan, StagePlan } from "./physical.ts";

const indent = (lines: readonly string[]): string[] => lines.map((l) => `   ${l}`);

const tree = (n: OperatorNode | StageInput): string[] => {
  if (isStageInput(n)) {
    const columns = n.columns === undefined ? "" : ` [${n.output.fields.map((f) => f.name).join(", ")}]`;
    return [n.edge === "source" ? `Input: rows of the source${columns}` : `Input: edge ${n.edge}`];
  }
  const delay = n.watermarkDelayMs > 0 ? `, watermark held back ${n.watermarkDelayMs} ms` : "";
  return [
    `${operatorKind(n.kind).describe(n.spec)} (${n.id}${delay})`,
    ...n.inputs.flatMap((i) => indent(tree(i))),
  ];
};

const stageText = (s: StagePlan, target: string | undefined): string => {
  const size =
    s.partitioning === 1
      ? "1 actor"
      : s.partitioning === "keyed"
        ? "an actor per partition"
        : "an actor per source partition";
  const lines = [`Stage ${s.id} (${s.kind}, ${size})`];
  if (s.sink !== undefined)
    lines.push(`   Sink ${s.sink.format}: ${target ?? sinkFactory(s.sink.format).describe(s.sink)}`);
  for (const e of s.outputs) {
    const by =
      e.hashBy.length === 0 ? "all rows to one actor" : `hash by ${e.hashBy.map(formatExpr).join(", ")}`;
    lines.push(`   Exchange ${e.id} to stage ${e.to}: ${by}`);
  }
  lines.push(...indent(tree(s.root)));
  if (s.source !== undefined) {
    const columns = s.source.spec.schema.fields.map((f) => f.name).join(", ");
    lines.push(`   Source ${s.source.id} ${s.source.spec.format} [${columns}]`);
  }
  return lines.join("\n");
};

/** `target`: what the sink found out where it writes (`SinkFactory.inspect`). */
export const explainPhysical = (plan: PhysicalPlan, target?: string): string => {
  const watermarks = plan.watermarks.map(
    (w) => `Watermark ${w.name} - ${w.delayMs} ms, seen by ${w.operatorId} of stage ${w.stage}`,
  );
  const stages = plan.stages.toReversed().map((s) => stageText(s, target));
  return [`Output mode ${plan.outputMode}`, ...watermarks, ...stages].join("\n");
};

const nodes = (n: OperatorNode | StageInput): readonly OperatorNode[] =>
  isStageInput(n) ? [] : [n, ...n.inputs.flatMap(nodes)];

/** The generated decoders of sources, of the stages in order. */
const decoders = (plan: PhysicalPlan): readonly string[] =>
  plan.stages.flatMap(({ source }) => {
    if (source === undefined) return [];
    const code = sourceFactory(source.spec.format).decoderCode?.(source.spec);
    return code === undefined ? [] : [`-- decoder of source ${source.id}\n${code}`];
  });

/** The generated decoders and the generated loop of every fused chain. */
export const explainCode = (plan: PhysicalPlan): string => [...decoders(plan), ...chains(plan)].join("\n\n");

const chains = (plan: PhysicalPlan): readonly string[] =>
  plan.stages
    .flatMap((s) => nodes(s.root))
    .filter((n) => n.kind === "calc")
    .map((n) => {
      const input = n.inputs[0]?.output ?? schemaOf([]);
      const { steps } = n.spec as { readonly steps: readonly CalcStep[] };
      return `-- ${n.id}\n${compileCalc(input, steps).source}`;
    });
