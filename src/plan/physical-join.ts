/**
 * Physical planning of joins: stream-stream (both sides hashed to one stage, state on both), stream-static (the static side held, no exchange), and
 * batch.
 */
import type { Attribute, TypedExpr } from "../expr/ast.ts";
import type { JoinEviction, JoinSide } from "../operators/stream-join-spec.ts";
import { bind, type Fragment } from "./fragment.ts";
import { equiKeys, type EquiKeys, joinStateWatermarks, type StateWatermark } from "./join-watermarks.ts";
import type { LogicalPlan } from "./logical.ts";
import { eventTimeColumns } from "./nodes.ts";
import { watermarkOptions } from "./watermark-delay.ts";
import type { Planning } from "./physical-planner.ts";
import { formOf } from "./event-time-form.ts";
import { and, exprKey } from "./typed.ts";

type Join = Extract<LogicalPlan, { kind: "join" }>;

const bindAll = (exprs: readonly TypedExpr[], columns: readonly Attribute[]): readonly TypedExpr[] =>
  exprs.map((e) => bind(e, columns));

const bindRest = (keys: EquiKeys, columns: readonly Attribute[]): TypedExpr | undefined => {
  const rest = and(keys.rest);
  return rest === undefined ? undefined : bind(rest, columns);
};

export const planJoin = (plan: Join, p: Planning): Fragment => {
  const keys = equiKeys(plan);
  if (!plan.streaming) return planBatchJoin(plan, keys, p);
  if (plan.left.streaming && plan.right.streaming) return planStreamJoin(plan, keys, p);
  return planStaticJoin(plan, keys, p);
};

const planBatchJoin = (plan: Join, keys: EquiKeys, p: Planning): Fragment => {
  const [left, right] = p.together([
    { fragment: p.build(plan.left), keys: keys.left },
    { fragment: p.build(plan.right), keys: keys.right },
  ]);
  const columns = [...left!.output, ...right!.output];
  const spec = {
    how: plan.how,
    leftKeys: bindAll(keys.left, left!.output),
    rightKeys: bindAll(keys.right, right!.output),
    nullSafe: keys.nullSafe,
    condition: bindRest(keys, columns),
    nullAware: plan.nullAware === true,
    build: plan.how === "right" ? "left" : "right",
  };
  const root = p.builder.node("staticJoin", spec, plan.output, [left!.root, right!.root]);
  return { branches: [{ draft: left!.draft, root, output: plan.output }], output: plan.output };
};

/** The static side is read by every actor of the stream's stage: no exchange. */
const planStaticJoin = (plan: Join, keys: EquiKeys, p: Planning): Fragment => {
  const streamLeft = plan.left.streaming;
  const stream = p.build(streamLeft ? plan.left : plan.right);
  const still = streamLeft ? plan.right : plan.left;
  const spec = (c: readonly Attribute[]): unknown => {
    const left = streamLeft ? c : still.output;
    const right = streamLeft ? still.output : c;
    return {
      how: plan.how,
      leftKeys: bindAll(keys.left, left),
      rightKeys: bindAll(keys.right, right),
      nullSafe: keys.nullSafe,
      condition: bindRest(keys, [...left, ...right]),
      nullAware: plan.nullAware === true,
      build: streamLeft ? "right" : "left",
      load: () => p.runBatch(still),
      reload: p.staticReload,
    };
  };
  const branches = stream.branches.map((b) => {
    const leaf = Object.freeze({
      kind: "input" as const,
      edge: "static",
      output: { fields: still.output.map((a) => ({ name: a.name, type: a.type, nullable: a.nullable })) },
    });
    const inputs = streamLeft ? [b.root, leaf] : [leaf, b.root];
    return {
      draft: b.draft,
      root: p.builder.node("staticJoin", spec(b.output), plan.output, inputs),
      output: plan.output,
    };
  });
  return { branches, output: plan.output };
};

/** The side's own key where the watermark comes from an equality; else the time that the range bounds. */
const eviction = (
  watermark: StateWatermark | undefined,
  keys: readonly TypedExpr[],
  columns: readonly Attribute[],
): JoinEviction => {
  if (watermark === undefined) return { kind: "never" };
  const { form, offsetMs, atMostMs } = watermark;
  const key = watermark.from === "key" ? keys.findIndex((k) => exprKey(k) === exprKey(watermark.time)) : -1;
  if (key >= 0) return { kind: "key", key, form };
  const cap = atMostMs === undefined ? {} : { atMostMs };
  return { kind: "value", expr: bind(watermark.time, columns), form, offsetMs, ...cap };
};

const planStreamJoin = (plan: Join, keys: EquiKeys, p: Planning): Fragment => {
  const [left, right] = p.together([
    { fragment: p.build(plan.left), keys: keys.left },
    { fragment: p.build(plan.right), keys: keys.right },
  ]);
  const state = joinStateWatermarks(plan);
  const side = (
    child: LogicalPlan,
    columns: readonly Attribute[],
    on: readonly TypedExpr[],
    evict: StateWatermark | undefined,
  ): JoinSide => {
    const time = eventTimeColumns(child)[0];
    return {
      keys: bindAll(on, columns),
      late: time === undefined ? undefined : { expr: bind(time, columns), form: formOf(time) },
      evict: eviction(evict, on, columns),
    };
  };
  const spec = {
    how: plan.how,
    left: side(plan.left, left!.output, keys.left, state.left),
    right: side(plan.right, right!.output, keys.right, state.right),
    condition: bindRest(keys, [...left!.output, ...right!.output]),
    nullSafe: keys.nullSafe,
  };
  const root = p.builder.node(
    "streamJoin",
    spec,
    plan.output,
    [left!.root, right!.root],
    watermarkOptions(plan),
  );
  return { branches: [{ draft: left!.draft, root, output: plan.output }], output: plan.output };
};
