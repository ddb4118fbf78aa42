/**
 * Logical plan → stages. Everything up to the first exchange is fused into the source's actors; keyed operators get their rows by the hash of their
 * keys; a sink is fused into the last stage where it can be. A batch plan has no exchanges: one tree that the local executor runs.
 */
import type { OutputMode, SinkSpec } from "../connectors/sink.ts";
import type { Batch } from "../core/batch.ts";
import { AnalysisError } from "../core/errors.ts";
import type { SourceSpec } from "../connectors/source.ts";
import type { Attribute, TypedExpr } from "../expr/ast.ts";
import type { OperatorNode, StageInput } from "../operators/operator.ts";
import { explainPhysical } from "./explain-physical.ts";
import { fingerprintLines, hashLines } from "./fingerprint.ts";
import { type Branch, type Draft, type Fragment, PlanBuilder, schemaOfAttributes } from "./fragment.ts";
import type { LogicalPlan } from "./logical.ts";
import type { PhysicalPlan, StagePlan } from "./physical.ts";
import { planStateful } from "./physical-stateful.ts";
import { planStateless } from "./physical-stateless.ts";
import { type SharedSource, sharedSources } from "./shared-sources.ts";

export interface PhysicalOptions {
  readonly outputMode: OutputMode;
  readonly watermarkPolicy: "min" | "max";
  /** Runs a static (batch) plan below a stream-static join. */
  readonly runBatch: (plan: LogicalPlan) => Promise<readonly Batch[]>;
  /** Whether the static side of a join is read anew in every epoch. */
  readonly staticReload: "epoch" | "once";
  readonly onError: PhysicalPlan["onError"];
}

/** What the `emit` option of an aggregate asks for. */
interface EarlyPlan {
  readonly marker: Attribute;
  readonly everyMs: number | undefined;
}

export interface Planning extends PhysicalOptions {
  readonly builder: PlanBuilder;
  /** False in a batch plan: no exchanges. */
  readonly distributed: boolean;
  /** Aggregates run in one phase, over the rows as they came. */
  wholeRows: boolean;
  /** Early rows of the aggregate that is built next. */
  early: EarlyPlan | undefined;
  readonly sources: SourceSpec[];
  /** Source nodes that read the same input, and the stages that do. */
  readonly shared: ReadonlyMap<LogicalPlan, SharedSource>;
  readonly sharedDrafts: Map<SourceSpec, Draft>;
  build(plan: LogicalPlan): Fragment;
  /** Rows by the hash of these keys in one place; the same fragment in a batch plan. */
  exchange(f: Fragment, keys: readonly Attribute[]): Fragment;
  /** Several fragments in one stage, each hashed by its keys: the inputs of a join. */
  together(
    inputs: readonly { readonly fragment: Fragment; readonly keys: readonly TypedExpr[] }[],
  ): readonly Branch[];
}

const makePlanning = (
  options: PhysicalOptions,
  distributed: boolean,
  shared: Planning["shared"] = new Map(),
): Planning => {
  const builder = new PlanBuilder();
  const planning: Planning = {
    ...options,
    builder,
    distributed,
    wholeRows: false,
    early: undefined,
    sources: [],
    shared,
    sharedDrafts: new Map(),
    build: (plan) => build(plan, planning),
    exchange: (f, keys) => (distributed ? builder.exchange(f, keys) : single(builder, f)),
    together: (inputs) => {
      if (!distributed) return inputs.map((i) => single(builder, i.fragment).branches[0]!);
      const keyed = inputs.every((i) => i.keys.length > 0);
      const to = builder.draft("stage", keyed ? "keyed" : 1);
      return inputs.map((i) =>
        builder.gathered(builder.connect(i.fragment, keyed ? i.keys : [], to), i.fragment.output, to),
      );
    },
  };
  return planning;
};

/** A union's branches as one, for operators of a batch plan that must see all rows. */
const single = (builder: PlanBuilder, f: Fragment): Fragment => {
  if (f.branches.length === 1) return f;
  const roots = f.branches.map((b) => b.root);
  const root = builder.node("union", { ports: roots.length }, f.output, roots);
  return { branches: [{ draft: f.branches[0]!.draft, root, output: f.output }], output: f.output };
};

const build = (plan: LogicalPlan, planning: Planning): Fragment => {
  const fragment = planStateless(plan, planning) ?? planStateful(plan, planning);
  if (fragment === undefined)
    throw new AnalysisError(`${plan.kind} cannot run ${plan.streaming ? "on a stream" : "here"} yet`, {
      errorClass: "UNSUPPORTED_FEATURE",
    });
  return fragment;
};

/** Plans a streaming query. `partitioned`: every partition may write to the sink for itself. */
export const planStream = (
  plan: LogicalPlan,
  sink: SinkSpec,
  partitioned: boolean,
  options: PhysicalOptions,
): PhysicalPlan => {
  const planning = makePlanning(options, true, sharedSources(plan));
  const { builder } = planning;
  let last = planning.build(plan);
  const [only] = last.branches;
  if (last.branches.length > 1 || (!partitioned && only!.draft.partitioning !== 1)) {
    const to = builder.draft("sink", 1);
    last = {
      branches: [builder.gathered(builder.connect(last, [], to), last.output, to)],
      output: last.output,
    };
  }
  const end = last.branches[0]!;
  builder.close(end);
  const stages = builder.drafts.map((d): StagePlan =>
    Object.freeze({
      id: d.id,
      kind: d.kind,
      partitioning: d.partitioning,
      root: builder.root(d),
      source: d.source,
      inputs: d.inputs,
      outputs: d.outputs,
      sink: d === end.draft ? sink : undefined,
    }),
  );
  const lines = fingerprintLines(stages);
  const physical = {
    stages,
    outputMode: options.outputMode,
    output: schemaOfAttributes(plan.output),
    watermarks: builder.watermarks,
    watermarkPolicy: options.watermarkPolicy,
    fingerprint: hashLines(lines),
    fingerprintLines: lines,
    sinkSpec: sink,
    onError: options.onError,
    program: "",
  };
  return Object.freeze({ ...physical, program: hashLines(explainPhysical(physical).split("\n")) });
};

/** A batch plan: one tree; the leaf `source:i` gets the rows of `sources[i]`. */
export interface BatchPlan {
  readonly root: OperatorNode | StageInput;
  readonly sources: readonly SourceSpec[];
  readonly output: readonly Attribute[];
}

export const planBatch = (plan: LogicalPlan, options: Pick<PhysicalOptions, "runBatch">): BatchPlan => {
  const planning = makePlanning(
    {
      outputMode: "complete",
      watermarkPolicy: "min",
      staticReload: "once",
      onError: "fail",
      runBatch: options.runBatch,
    },
    false,
  );
  const root = single(planning.builder, planning.build(plan)).branches[0]!;
  return { root: root.root, sources: planning.sources, output: plan.output };
};
