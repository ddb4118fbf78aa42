/** Physical planning of the operators that keep state or need rows together. */
import { BOOLEAN } from "../core/data-type.ts";
import type { AggregateCall, Attribute, TypedExpr } from "../expr/ast.ts";
import { stateColumnType } from "../operators/aggregate.ts";
import type { Panes } from "../operators/pane-aggregate.ts";
import type { RankFunction, TopNSpec } from "../operators/top-n.ts";
import { formOf } from "./event-time-form.ts";
import { bind, type Fragment, slotsOf } from "./fragment.ts";
import type { LogicalPlan } from "./logical.ts";
import { eventTimeColumns, expressionsOf, extend, findNode } from "./nodes.ts";
import { planJoin } from "./physical-join.ts";
import type { Planning } from "./physical-planner.ts";
import { orderFree } from "./row-order.ts";
import { planGroupState } from "./physical-group-state.ts";
import { eventTimePartition } from "./top-n.ts";
import { attributesOf, mapAggregate, mapOrders } from "./typed.ts";
import { watermarkOptions } from "./watermark-delay.ts";

type Of<K extends LogicalPlan["kind"]> = Extract<LogicalPlan, { kind: K }>;

const partial = (plan: Of<"aggregate">): boolean =>
  plan.aggregates.length > 0 && plan.aggregates.every((a) => orderFree(a.call) && !a.call.distinct);

/**
 * The sliding windows below a partial aggregate, when rows can be added to panes: the size is a multiple of the slide, and nothing but one key (the one that
 * closes groups, if any does) reads the window. What leaves the partial phase is the same either way.
 */
const slidingWindow = (plan: Of<"aggregate">, closing: number): Of<"expandWindow"> | undefined => {
  const { child } = plan;
  if (child.kind !== "expandWindow") return undefined;
  const { sizeMs, slideMs, offsetMs, attribute } = child;
  const whole = [sizeMs, slideMs, offsetMs].every(Number.isSafeInteger) && sizeMs % slideMs === 0;
  const readers = expressionsOf(plan).filter((e) => attributesOf(e).some((a) => a.id === attribute.id));
  const key = plan.keys.findIndex((k) => k.id === attribute.id);
  return whole && key >= 0 && readers.length === 1 && (closing < 0 || closing === key) ? child : undefined;
};

const panesOf = (
  plan: Of<"aggregate">,
  sliding: Of<"expandWindow"> | undefined,
  columns: readonly Attribute[],
): { readonly panes?: Panes } => {
  if (sliding === undefined) return {};
  const { sizeMs, slideMs, offsetMs, attribute } = sliding;
  const key = plan.keys.findIndex((k) => k.id === attribute.id);
  return { panes: { key, time: bind(sliding.time, columns), sizeMs, slideMs, offsetMs } };
};

const planAggregate = (plan: Of<"aggregate">, p: Planning): Fragment => {
  if (plan.session !== undefined) return planSession(plan, p);
  const { early } = p;
  p.early = undefined;
  const mode = plan.streaming ? p.outputMode : "complete";
  const keyAt =
    plan.eventTime === undefined ? -1 : plan.keys.findIndex((k) => k.id === plan.eventTime!.key.id);
  const eventTime = keyAt < 0 || !plan.streaming ? undefined : { key: keyAt, form: plan.eventTime!.form };
  const inPhases = p.distributed && !p.wholeRows && partial(plan);
  const sliding = inPhases ? slidingWindow(plan, keyAt) : undefined;
  const bound = (c: readonly Attribute[]): { keys: TypedExpr[]; aggregates: AggregateCall[] } => ({
    // The window of panes is no column: it stands for itself.
    keys: plan.keys.map((k) => (k.id === sliding?.attribute.id ? k : bind(k, c))),
    aggregates: plan.aggregates.map((a) => mapAggregate(a.call, (e) => bind(e, c))),
  });
  const delay = plan.streaming ? watermarkOptions(plan) : {};
  const output = early === undefined ? plan.output : [...plan.output, early.marker];
  const emit = early === undefined ? {} : { early: { everyMs: early.everyMs } };
  if (!inPhases) {
    const input = p.exchange(p.build(plan.child), plan.keys);
    return p.builder.apply(
      input,
      "aggregate",
      (c) => ({ phase: "single", mode, ...bound(c), eventTime, ...emit }),
      output,
      delay,
    );
  }
  const states = plan.aggregates.map((a, i): Attribute => ({
    ...a.attribute,
    name: `state${i}`,
    type: stateColumnType(a.call),
    nullable: true,
  }));
  const before = [...plan.keys, ...states];
  const rows = p.build(sliding?.child ?? plan.child);
  const first = p.builder.apply(
    rows,
    "aggregate",
    (c) => ({ phase: "partial", mode, ...bound(c), eventTime, ...panesOf(plan, sliding, c) }),
    before,
    delay,
  );
  const calls = bound(rows.branches[0]!.output).aggregates;
  return p.builder.apply(
    p.exchange(first, plan.keys),
    "aggregate",
    () => ({ phase: "final", mode, keys: slotsOf(plan.keys), aggregates: calls, eventTime, ...emit }),
    output,
    delay,
  );
};

/** The distinct rows of EXCEPT and INTERSECT in append mode, without an event time that would close them: a row comes when it is first seen. */
const neverCloses = (plan: Of<"aggregate"> & LogicalPlan, p: Planning): boolean =>
  (plan.origin === "except" || plan.origin === "intersect") &&
  plan.streaming &&
  p.outputMode === "append" &&
  plan.eventTime === undefined;

const planSession = (plan: Of<"aggregate">, p: Planning): Fragment => {
  const session = plan.session!;
  const keys = plan.keys.filter((k) => k.id !== session.key.id);
  const input = p.exchange(p.build(plan.child), keys);
  return p.builder.apply(
    input,
    "sessionAggregate",
    (c) => ({
      mode: plan.streaming ? p.outputMode : "complete",
      keys: keys.map((k) => bind(k, c)),
      windowAt: plan.keys.findIndex((k) => k.id === session.key.id),
      time: bind(session.time, c),
      gap: bind(session.gap, c),
      aggregates: plan.aggregates.map((a) => mapAggregate(a.call, (e) => bind(e, c))),
      watermarked: plan.streaming && session.key.eventTimeDelayMs !== undefined,
    }),
    plan.output,
    plan.streaming ? watermarkOptions(plan) : {},
  );
};

const planDedup = (plan: Of<"dedup">, p: Planning): Fragment => {
  const input = p.exchange(p.build(plan.child), plan.keys);
  const time = plan.streaming ? eventTimeColumns(plan.child)[0] : undefined;
  const key = plan.keys.findIndex((k) => k.eventTimeDelayMs !== undefined);
  const expires =
    time === undefined
      ? ({ kind: "never" } as const)
      : plan.withinWatermark
        ? ({ kind: "delay", delayMs: time.eventTimeDelayMs! } as const)
        : key >= 0
          ? ({ kind: "key", key, form: formOf(plan.keys[key]!) } as const)
          : ({ kind: "never" } as const);
  return p.builder.apply(
    input,
    "dedup",
    (c) => ({
      keys: plan.keys.map((k) => bind(k, c)),
      late: time === undefined ? undefined : { expr: bind(time, c), form: formOf(time) },
      expires,
    }),
    plan.output,
    plan.streaming ? watermarkOptions(plan) : {},
  );
};

const planLimit = (plan: Of<"limit">, p: Planning): Fragment => {
  // in complete mode an aggregate below gives the whole table each time; rows that never reached one come once
  const whole = (): boolean =>
    findNode(plan.child, (x) => x.kind === "aggregate" && x.streaming) !== undefined;
  const scope = plan.streaming && !(p.outputMode === "complete" && whole()) ? "query" : "epoch";
  const spec = { limit: plan.limit, offset: plan.offset, scope };
  return p.builder.apply(p.exchange(p.build(plan.child), []), "limit", () => spec, plan.output);
};

const planWindow = (plan: Of<"window">, p: Planning): Fragment => {
  if (plan.topN !== undefined && p.distributed) return planTopN(plan, plan.topN, p);
  const keys = plan.partitionBy.filter((e): e is Attribute => e.kind === "attribute");
  const input = p.exchange(p.build(plan.child), keys.length === plan.partitionBy.length ? keys : []);
  return p.builder.apply(
    input,
    "window",
    (c) => ({
      partitionBy: plan.partitionBy.map((e) => bind(e, c)),
      orderBy: mapOrders(plan.orderBy, (e) => bind(e, c)),
      functions: plan.functions.map((f) => ({
        call: mapAggregate(f.call, (e) => bind(e, c)),
        frame: f.frame,
      })),
    }),
    plan.output,
  );
};

/** The nearest stateful operator below, in one phase: its late rows must be the rows as they came. */
const planLate = (plan: Of<"late">, p: Planning): Fragment => {
  let below = plan.child;
  while (
    below.kind === "project" ||
    below.kind === "filter" ||
    below.kind === "sort" ||
    below.kind === "limit" ||
    below.kind === "observe" ||
    below.kind === "emit"
  )
    below = below.child;
  p.wholeRows = true;
  const f = p.build(below);
  p.wholeRows = false;
  const rows = "child" in below ? below.child.output : [];
  const columns = plan.output.map((a) => rows.findIndex((r) => r.id === a.id));
  return p.builder.apply(f, "late", () => ({ columns }), plan.output);
};

/** The aggregate gives its early rows itself. One that the optimiser took away has no open groups: all its rows are final. */
const planEmit = (plan: Of<"emit">, p: Planning): Fragment => {
  const { child, marker, everyMs } = plan;
  if (child.kind === "aggregate") {
    p.early = { marker, everyMs };
    return p.build(child);
  }
  const final = { kind: "literal", value: true, type: BOOLEAN, nullable: false } as const;
  return p.build(extend(child, [{ attribute: marker, expr: final }]));
};

/** Windows of event time are given when they close: then only the best rows of an epoch need to travel. */
const planTopN = (plan: Of<"window">, limit: number, p: Planning): Fragment => {
  const keys = plan.partitionBy.filter((e): e is Attribute => e.kind === "attribute");
  const key = eventTimePartition(plan);
  const eventTime = key < 0 ? undefined : { key, form: formOf(keys[key]!) };
  const mode = p.outputMode === "append" ? "append" : "update";
  const fn = plan.functions[0]!.call.fn as RankFunction;
  const spec =
    (phase: TopNSpec["phase"]) =>
    (c: readonly Attribute[]): TopNSpec => ({
      phase,
      mode,
      partitionBy: plan.partitionBy.map((e) => bind(e, c)),
      orderBy: mapOrders(plan.orderBy, (e) => bind(e, c)),
      fn,
      limit,
      eventTime,
    });
  const delay = watermarkOptions(plan);
  const child = p.build(plan.child);
  const first =
    mode === "append" ? p.builder.apply(child, "topN", spec("partial"), child.output, delay) : child;
  return p.builder.apply(p.exchange(first, keys), "topN", spec("final"), plan.output, delay);
};

export const planStateful = (plan: LogicalPlan, p: Planning): Fragment | undefined => {
  switch (plan.kind) {
    case "aggregate":
      return neverCloses(plan, p)
        ? planDedup({ ...plan, kind: "dedup", withinWatermark: false }, p)
        : planAggregate(plan, p);
    case "dedup":
      return planDedup(plan, p);
    case "limit":
      return planLimit(plan, p);
    case "sort":
      return p.builder.apply(
        p.exchange(p.build(plan.child), []),
        "sort",
        (c) => ({ orders: mapOrders(plan.orders, (e) => bind(e, c)) }),
        plan.output,
      );
    case "window":
      return planWindow(plan, p);
    case "join":
      return planJoin(plan, p);
    case "groupState":
      return planGroupState(plan, p);
    case "late":
      return planLate(plan, p);
    case "emit":
      return planEmit(plan, p);
    default:
      return undefined;
  }
};
