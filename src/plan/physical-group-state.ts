/** Physical planning of arbitrary keyed state: mapGroupsWithState, flatMapGroupsWithState, transformWithState. */
import type { Attribute } from "../expr/ast.ts";
import { bind, type Fragment, schemaOfAttributes } from "./fragment.ts";
import { watermarkOptions } from "./watermark-delay.ts";
import type { LogicalPlan } from "./logical.ts";
import { eventTimeColumns } from "./nodes.ts";
import type { Planning } from "./physical-planner.ts";

type GroupState = Extract<LogicalPlan, { kind: "groupState" }>;

export const planGroupState = (plan: GroupState, p: Planning): Fragment => {
  const { fn, keys } = plan;
  // As in Spark, rows behind the watermark are late only where the state goes by event time.
  const timed = plan.streaming && fn.timeout === "eventTime";
  const time = timed ? eventTimeColumns(plan.child)[0] : undefined;
  const inputs = [{ fragment: p.build(plan.child), keys }];
  const first = plan.initial;
  // A batch plan reads the initial states through a port; on a stream every partition reads all of them once, and keeps its own.
  if (first !== undefined && !p.distributed)
    inputs.push({ fragment: p.build(first), keys: plan.initialKeys });
  const branches = p.together(inputs);
  const columns = branches[0]!.output;
  const roots = branches.map((b) => b.root);
  if (first !== undefined && p.distributed)
    roots.push(
      Object.freeze({ kind: "input" as const, edge: "static", output: schemaOfAttributes(first.output) }),
    );
  const initial =
    plan.initial === undefined
      ? {}
      : {
          initial: {
            keys: plan.initialKeys.map((k) => bind(k, plan.initial!.output)),
            values: valueColumns(plan.initial.output, plan.initialKeys),
            ...(p.distributed ? { load: () => p.runBatch(first!) } : {}),
          },
        };
  const spec = {
    name: fn.name,
    mode: fn.mode,
    outputMode: fn.outputMode,
    timeout: fn.timeout,
    timeMode: fn.timeout,
    keys: keys.map((k) => bind(k, columns)),
    keyNames: keys.map((k) => k.name),
    stateType: fn.stateType,
    apply: fn.apply,
    late:
      time === undefined
        ? undefined
        : { expr: bind(time, columns), form: time.type.kind === "struct" ? "window" : "column" },
    ...initial,
  };
  const kind = fn.mode === "transform" ? "transformWithState" : "groupState";
  const delay = plan.streaming ? watermarkOptions(plan) : {};
  const root = p.builder.node(kind, spec, plan.output, roots, delay);
  return { branches: [{ draft: branches[0]!.draft, root, output: plan.output }], output: plan.output };
};

/** Ordinals of the columns that are not keys. */
const valueColumns = (columns: readonly Attribute[], keys: readonly Attribute[]): readonly number[] =>
  columns.flatMap((c, i) => (keys.some((k) => k.id === c.id) ? [] : [i]));
