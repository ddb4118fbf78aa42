/**
 * Collectors of what a select list computes in nodes of their own: aggregate calls and window functions. Each distinct call is made once;
 * the expression that held it sees an attribute.
 */
import type { AggregateCall, Attribute, Expr, SortOrder, TypedExpr, WindowFrame } from "../expr/ast.ts";
import { type Analysis, fail } from "./analyse-context.ts";
import { type Env, conditionIn, typeIn } from "./analyse-env.ts";
import {
  checkWindowAggregate,
  resolveAggregate,
  resolveWindowFunction,
  windowFunctionOf,
} from "./analyse-functions.ts";
import { typedFrame } from "./analyse-frame.ts";
import { nameOf } from "./analyse-items.ts";
import type { LogicalPlan, NamedAggregate, NamedWindow } from "./logical.ts";
import { aggregateKey, exprKey, mapAggregate, mapOrders, ordersKey } from "./typed.ts";

type Call = Extract<Expr, { kind: "call" }>;
type Over = Extract<Expr, { kind: "over" }>;

const TOGGLED_NULLS = new Set(["first", "last", "any_value", "first_value", "last_value"]);

/** `first(x, true)` is `first(x) IGNORE NULLS`. */
const ignoreNullsArgument = (e: Call): Call => {
  const second = e.args[1];
  if (e.args.length !== 2 || !TOGGLED_NULLS.has(e.fn.toLowerCase()) || second?.kind !== "literal") return e;
  return typeof second.value === "boolean"
    ? { ...e, args: [e.args[0]!], ignoreNulls: second.value || e.ignoreNulls === true }
    : e;
};

const typedOrders = (
  env: Env,
  orders: readonly SortOrder<Expr>[] | undefined,
): readonly SortOrder<TypedExpr>[] => (orders ?? []).map((o) => ({ ...o, expr: typeIn(env, o.expr) }));

/** The call with its parts typed in `inner`. */
export const typedAggregate = (raw: Call, inner: Env): AggregateCall => {
  const e = ignoreNullsArgument(raw);
  const args = countsRows(e) ? [] : e.args.map((a) => typeIn(inner, a));
  return resolveAggregate(e, args, {
    distinct: e.distinct === true,
    filter: e.filter === undefined ? undefined : conditionIn({ ...inner, clause: "FILTER" }, e.filter),
    orderBy: typedOrders(inner, e.orderBy),
    ignoreNulls: e.ignoreNulls === true,
    timeZone: inner.analysis.options.timeZone,
  });
};

/** count(*), count() and count(1). */
const countsRows = (e: Call): boolean => {
  if (e.fn.toLowerCase() !== "count" || e.args.length > 1 || e.distinct === true) return false;
  const [arg] = e.args;
  return arg === undefined || arg.kind === "star" || (arg.kind === "literal" && arg.value !== null);
};

/** The environment inside a call's arguments. */
export const withoutCalls = (env: Env, clause: string): Env => {
  const { aggregate: _a, over: _o, alias: _l, first: _f, call: _c, ...rest } = env;
  return { ...rest, clause };
};

export class Aggregates {
  readonly #analysis: Analysis;
  readonly #found = new Map<string, NamedAggregate>();

  constructor(analysis: Analysis) {
    this.#analysis = analysis;
  }

  get all(): readonly NamedAggregate[] {
    return [...this.#found.values()];
  }

  resolve(e: Call, env: Env): Attribute {
    const call = typedAggregate(e, withoutCalls(env, "an aggregate function"));
    return this.add(call, nameOf(e));
  }

  add(call: AggregateCall, name: string): Attribute {
    const key = aggregateKey(call);
    const known = this.#found.get(key);
    if (known !== undefined) return known.attribute;
    const attribute = this.#analysis.attribute(name, call.type, call.nullable);
    this.#found.set(key, { attribute, call });
    return attribute;
  }
}

interface WindowGroup {
  readonly partitionBy: readonly TypedExpr[];
  readonly orderBy: readonly SortOrder<TypedExpr>[];
  readonly functions: Map<string, NamedWindow>;
}

/** A window with what the WINDOW clause says of its name. Throws MISSING_WINDOW_SPECIFICATION. */
export const specifiedWindow = (e: Over, windows: Readonly<Record<string, Expr>>): Over => {
  const { windowName, ...own } = e;
  if (windowName === undefined) return e;
  const name = Object.keys(windows).find((n) => n.toLowerCase() === windowName.toLowerCase());
  const base = name === undefined ? undefined : windows[name];
  if (base?.kind !== "over")
    return fail(
      "MISSING_WINDOW_SPECIFICATION",
      `Window specification is not defined in the WINDOW clause for ${windowName}.`,
      e.position,
    );
  const outer = specifiedWindow(base, windows);
  return {
    ...own,
    partitionBy: e.partitionBy.length > 0 ? e.partitionBy : outer.partitionBy,
    orderBy: e.orderBy.length > 0 ? e.orderBy : outer.orderBy,
    frame: e.frame ?? outer.frame,
  };
};

export class WindowCalls {
  readonly #analysis: Analysis;
  readonly #named: Readonly<Record<string, Expr>>;
  readonly #groups = new Map<string, WindowGroup>();

  constructor(analysis: Analysis, named: Readonly<Record<string, Expr>> | undefined) {
    this.#analysis = analysis;
    this.#named = named ?? {};
  }

  get attributes(): readonly Attribute[] {
    return [...this.#groups.values()].flatMap((g) => [...g.functions.values()].map((f) => f.attribute));
  }

  resolve(raw: Over, env: Env): Attribute {
    const e = specifiedWindow(raw, this.#named);
    const inner: Env = { ...env, over: nestedWindow, clause: "a window function" };
    const partitionBy = e.partitionBy.map((p) => typeIn(inner, p));
    const orderBy = typedOrders(inner, e.orderBy);
    if (e.call.kind !== "call")
      return fail(
        "UNSUPPORTED_EXPR_FOR_WINDOW",
        "Expression not supported within a window function.",
        e.position,
      );
    const call = this.#call(e.call, inner);
    const frame = typedFrame(e, call, orderBy, inner);
    checkWindowAggregate(call, orderBy.length > 0, frame, e);
    const groupKey = `${partitionBy.map((p) => exprKey(p)).join(",")}|${ordersKey(orderBy)}`;
    const group = this.#groups.get(groupKey) ?? { partitionBy, orderBy, functions: new Map() };
    this.#groups.set(groupKey, group);
    const key = `${aggregateKey(call)}|${frameKey(frame)}`;
    const known = group.functions.get(key);
    if (known !== undefined) return known.attribute;
    const attribute = this.#analysis.attribute(env.label ?? nameOf(raw), call.type, call.nullable);
    group.functions.set(key, { attribute, call, frame });
    return attribute;
  }

  #call(e: Call, inner: Env): AggregateCall {
    const definition = windowFunctionOf(e);
    // sum(sum(v)) OVER (…): the inner one is the query's aggregate, the outer one the window's
    if (definition === undefined) return typedAggregate(e, inner);
    const args = e.args.map((a) => typeIn(inner, a));
    return resolveWindowFunction(e, definition, args, this.#analysis.options.timeZone);
  }

  /** With the definition of a named window (`OVER w`, `OVER (w ORDER BY …)`) merged in. */
  /** The plan with a window node for each way to partition and order. `rekey` maps the expressions to what `plan` gives. */
  apply(plan: LogicalPlan, rekey: (e: TypedExpr) => TypedExpr = (e) => e): LogicalPlan {
    let result = plan;
    for (const g of this.#groups.values()) {
      const functions = [...g.functions.values()].map((f) => ({ ...f, call: mapAggregate(f.call, rekey) }));
      result = Object.freeze({
        kind: "window",
        child: result,
        partitionBy: g.partitionBy.map(rekey),
        orderBy: mapOrders(g.orderBy, rekey),
        functions,
        output: [...result.output, ...functions.map((f) => f.attribute)],
        streaming: plan.streaming,
      });
    }
    return result;
  }
}

const nestedWindow = (e: Over): never =>
  fail(
    "NESTED_WINDOW_FUNCTION",
    "It is not allowed to use a window function inside another window function.",
    e.position,
  );

const frameKey = (f: WindowFrame<TypedExpr>): string => {
  const bound = (b: WindowFrame<TypedExpr>["start"]): string =>
    b.kind === "preceding" || b.kind === "following" ? `${b.kind} ${exprKey(b.offset)}` : b.kind;
  return `${f.unit} ${bound(f.start)} ${bound(f.end)}`;
};
