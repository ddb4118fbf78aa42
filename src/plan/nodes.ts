/** Constructors of logical nodes with their output, and generic walks. Every node is frozen. */
import type { AggregateCall, Attribute, SortOrder, TypedExpr } from "../expr/ast.ts";
import type { EventTimeKey, LogicalPlan, Named, NamedAggregate, SessionKey } from "./logical.ts";
import type { JoinHow } from "./relation.ts";
import { aggregateExprs } from "./typed.ts";

type Node<K extends LogicalPlan["kind"]> = Extract<LogicalPlan, { kind: K }>;

export const asNullable = (attributes: readonly Attribute[]): readonly Attribute[] =>
  attributes.map((a) => (a.nullable ? a : Object.freeze({ ...a, nullable: true })));

export const pass = (attribute: Attribute): Named => ({ attribute, expr: attribute });

export const project = (child: LogicalPlan, exprs: readonly Named[]): LogicalPlan =>
  Object.freeze({
    kind: "project",
    child,
    exprs,
    output: exprs.map((e) => e.attribute),
    streaming: child.streaming,
  });

/** All of the child's columns and `extra` behind them; the child itself when there is nothing to add. */
export const extend = (child: LogicalPlan, extra: readonly Named[]): LogicalPlan =>
  extra.length === 0 ? child : project(child, [...child.output.map(pass), ...extra]);

/** Only these of the child's columns; the child itself when it gives just them in that order. */
export const keep = (child: LogicalPlan, attributes: readonly Attribute[]): LogicalPlan =>
  child.output.length === attributes.length && attributes.every((a, i) => child.output[i]!.id === a.id)
    ? child
    : project(child, attributes.map(pass));

export const filter = (child: LogicalPlan, condition: TypedExpr | undefined): LogicalPlan =>
  condition === undefined
    ? child
    : Object.freeze({ kind: "filter", child, condition, output: child.output, streaming: child.streaming });

export const joinOutput = (how: JoinHow, left: LogicalPlan, right: LogicalPlan): readonly Attribute[] => {
  if (how === "semi" || how === "anti") return left.output;
  const l = how === "right" || how === "full" ? asNullable(left.output) : left.output;
  const r = how === "left" || how === "full" ? asNullable(right.output) : right.output;
  return [...l, ...r];
};

export const join = (
  left: LogicalPlan,
  right: LogicalPlan,
  how: JoinHow,
  condition: TypedExpr | undefined,
  more: Partial<Pick<Node<"join">, "origin" | "nullAware" | "constantBounds">> = {},
): LogicalPlan =>
  Object.freeze({
    kind: "join",
    left,
    right,
    how,
    condition,
    output: joinOutput(how, left, right),
    streaming: left.streaming || right.streaming,
    ...more,
  });

export const applyNode = (
  left: LogicalPlan,
  right: LogicalPlan,
  how: Node<"apply">["how"],
  condition: TypedExpr | undefined,
  outer: readonly Attribute[],
): LogicalPlan => {
  const output =
    how === "semi" || how === "anti"
      ? left.output
      : [...left.output, ...(how === "inner" ? right.output : asNullable(right.output))];
  return Object.freeze({
    kind: "apply",
    left,
    right,
    how,
    condition,
    outer,
    output,
    streaming: left.streaming || right.streaming,
  });
};

/** The key by which a watermark closes groups: the first key that carries an event time. */
export const eventTimeKeyOf = (keys: readonly Attribute[]): EventTimeKey | undefined => {
  const key = keys.find((k) => k.eventTimeDelayMs !== undefined);
  return key === undefined ? undefined : { key, form: key.type.kind === "struct" ? "window" : "column" };
};

export const aggregate = (
  child: LogicalPlan,
  keys: readonly Attribute[],
  aggregates: readonly NamedAggregate[],
  more: { session?: SessionKey | undefined; origin?: Node<"aggregate">["origin"] } = {},
): LogicalPlan =>
  Object.freeze({
    kind: "aggregate",
    child,
    keys,
    aggregates,
    eventTime: eventTimeKeyOf(keys),
    session: more.session,
    output: [...keys, ...aggregates.map((a) => a.attribute)],
    streaming: child.streaming,
    ...(more.origin === undefined ? {} : { origin: more.origin }),
  });

export const distinctOf = (
  child: LogicalPlan,
  origin: NonNullable<Node<"aggregate">["origin"]> = "distinct",
): LogicalPlan => aggregate(child, child.output, [], { origin });

export const sort = (child: LogicalPlan, orders: readonly SortOrder<TypedExpr>[]): LogicalPlan =>
  Object.freeze({ kind: "sort", child, orders, output: child.output, streaming: child.streaming });

export const limit = (child: LogicalPlan, count: number | undefined, offset: number): LogicalPlan =>
  Object.freeze({
    kind: "limit",
    child,
    limit: count,
    offset,
    output: child.output,
    streaming: child.streaming,
  });

export const union = (children: readonly LogicalPlan[], output: readonly Attribute[]): LogicalPlan =>
  Object.freeze({ kind: "union", children, output, streaming: children.some((c) => c.streaming) });

export const simpleCall = (
  fn: string,
  args: readonly TypedExpr[],
  type: AggregateCall["type"],
  nullable: boolean,
): AggregateCall => ({
  fn,
  args,
  type,
  nullable,
  distinct: false,
  filter: undefined,
  orderBy: [],
  ignoreNulls: false,
});

export const childrenOf = (plan: LogicalPlan): readonly LogicalPlan[] => {
  switch (plan.kind) {
    case "source":
    case "rows":
    case "recursiveReference":
      return [];
    case "join":
    case "apply":
      return [plan.left, plan.right];
    case "union":
      return plan.children;
    case "recursive":
      return [plan.anchor, plan.step];
    case "groupState":
      return plan.initial === undefined ? [plan.child] : [plan.child, plan.initial];
    default:
      return [plan.child];
  }
};

const sameAll = (a: readonly LogicalPlan[], b: readonly LogicalPlan[]): boolean =>
  a.every((x, i) => x === b[i]);

/** The node over other children of the same output ids; itself when none changed. Output and streaming are kept. */
export const withChildren = (plan: LogicalPlan, next: readonly LogicalPlan[]): LogicalPlan => {
  if (sameAll(childrenOf(plan), next)) return plan;
  switch (plan.kind) {
    case "source":
    case "rows":
    case "recursiveReference":
      return plan;
    case "join":
    case "apply":
      return Object.freeze({ ...plan, left: next[0]!, right: next[1]! });
    case "union":
      return Object.freeze({ ...plan, children: next });
    case "recursive":
      return Object.freeze({ ...plan, anchor: next[0]!, step: next[1]! });
    case "groupState":
      return Object.freeze({ ...plan, child: next[0]!, initial: next[1] });
    default:
      return passThrough(Object.freeze({ ...plan, child: next[0]! }));
  }
};

/** Nodes that only pass rows on have their child's columns as output. */
const passThrough = (plan: LogicalPlan): LogicalPlan => {
  switch (plan.kind) {
    case "filter":
    case "sort":
    case "limit":
    case "sample":
      return plan.output === plan.child.output ? plan : Object.freeze({ ...plan, output: plan.child.output });
    default:
      return plan;
  }
};

export const mapPlanChildren = (plan: LogicalPlan, f: (p: LogicalPlan) => LogicalPlan): LogicalPlan =>
  withChildren(plan, childrenOf(plan).map(f));
/** Rewrites bottom up. */
export const transformUp = (plan: LogicalPlan, f: (p: LogicalPlan) => LogicalPlan): LogicalPlan =>
  f(mapPlanChildren(plan, (c) => transformUp(c, f)));
/** Every node, the root first. */
export const walk = (plan: LogicalPlan, visit: (p: LogicalPlan) => void): void => {
  visit(plan);
  for (const c of childrenOf(plan)) walk(c, visit);
};
export const findNode = (plan: LogicalPlan, test: (p: LogicalPlan) => boolean): LogicalPlan | undefined => {
  if (test(plan)) return plan;
  for (const c of childrenOf(plan)) {
    const found = findNode(c, test);
    if (found !== undefined) return found;
  }
  return undefined;
};

/** Every expression of the node itself, not of its children. */
export const expressionsOf = (plan: LogicalPlan): readonly TypedExpr[] => {
  switch (plan.kind) {
    case "project":
      return plan.exprs.map((e) => e.expr);
    case "filter":
      return [plan.condition];
    case "aggregate":
      return [
        ...plan.keys,
        ...plan.aggregates.flatMap((a) => aggregateExprs(a.call)),
        ...(plan.session === undefined ? [] : [plan.session.time, plan.session.gap]),
      ];
    case "expandWindow":
      return [plan.time];
    case "expand":
      return plan.projections.flat();
    case "join":
    case "apply":
      return plan.condition === undefined ? [] : [plan.condition];
    case "dedup":
      return plan.keys;
    case "sort":
      return plan.orders.map((o) => o.expr);
    case "window":
      return [
        ...plan.partitionBy,
        ...plan.orderBy.map((o) => o.expr),
        ...plan.functions.flatMap((f) => aggregateExprs(f.call)),
      ];
    case "generate":
      return plan.args;
    case "groupState":
      return [...plan.keys, ...plan.initialKeys];
    case "observe":
      return [...plan.metrics.map((m) => m.expr), ...plan.aggregates.flatMap((a) => aggregateExprs(a.call))];
    default:
      return [];
  }
};

/** The plan as a streaming query sees it: which columns of which node are event times is on the attributes. */
export const eventTimeColumns = (plan: LogicalPlan): readonly Attribute[] =>
  plan.output.filter((a) => a.eventTimeDelayMs !== undefined);
