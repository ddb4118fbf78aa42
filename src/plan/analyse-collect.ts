/**
 * Collectors of what a select list computes in nodes of their own: aggregate calls and window functions. Each distinct call is made once;
 * the expression that held it sees an attribute.
 */
import type { AggregateCall, Attribute, Expr, SortOrder, TypedExpr, WindowFrame } from "../expr/ast.ts";
import { describeTyped } from "../expr/type-errors.ts";
import { type Analysis, fail, quoted } from "./analyse-context.ts";
import { type Env, typeIn } from "./analyse-env.ts";
import {
  checkWindowAggregate,
  resolveAggregate,
  resolveWindowFunction,
  windowFunctionOf,
} from "./analyse-functions.ts";
import { typedFrame } from "./analyse-frame.ts";
import { nameOf } from "./analyse-items.ts";
import type { LogicalPlan, NamedAggregate, NamedWindow } from "./logical.ts";
import { isDeterministic } from "./rules/rule.ts";
import { aggregateKey, exprKey, mapAggregate, mapOrders, ordersKey } from "./typed.ts";

type Call = Extract<Expr, { kind: "call" }>;
type Over = Extract<Expr, { kind: "over" }>;

/** Functions whose last argument may say whether nulls are left out, and how many arguments are before it. */
const TOGGLED_NULLS: ReadonlyMap<string, number> = new Map([
  ["first", 1],
  ["last", 1],
  ["any_value", 1],
  ["first_value", 1],
  ["last_value", 1],
  ["nth_value", 2],
  ["lag", 3],
  ["lead", 3],
]);

/** `first(x, true)` is `first(x) IGNORE NULLS`; nothing but a literal may say so. */
const ignoreNullsArgument = (e: Call): Call => {
  const fn = e.fn.toLowerCase();
  const before = TOGGLED_NULLS.get(fn);
  if (before === undefined || e.args.length !== before + 1) return e;
  const last = e.args[before]!;
  if (last.kind === "literal" && typeof last.value === "boolean")
    return { ...e, args: e.args.slice(0, before), ignoreNulls: last.value || e.ignoreNulls === true };
  return fail(
    before === 3 ? "INVALID_PARAMETER_VALUE.BOOLEAN" : "_LEGACY_ERROR_TEMP_1210",
    `The value of the parameter \`ignoreNulls\` of ${fn} must be a boolean literal.`,
    e.position,
  );
};

const typedOrders = (
  env: Env,
  orders: readonly SortOrder<Expr>[] | undefined,
): readonly SortOrder<TypedExpr>[] => (orders ?? []).map((o) => ({ ...o, expr: typeIn(env, o.expr) }));

/** The condition of a FILTER clause. */
const filterIn = (inner: Env, e: Expr): TypedExpr => {
  const condition = typeIn({ ...inner, clause: "FILTER" }, e);
  const refused = (errorClass: string, wanted: string): never =>
    fail(
      errorClass,
      `The FILTER expression "${describeTyped(condition)}" in an aggregate function is invalid. Expected a ${wanted}.`,
      e.position,
    );
  if (condition.type.kind !== "boolean")
    return refused("INVALID_AGGREGATE_FILTER.NOT_BOOLEAN", "FILTER expression of the BOOLEAN type");
  if (!isDeterministic(condition))
    return refused("INVALID_AGGREGATE_FILTER.NON_DETERMINISTIC", "deterministic FILTER expression");
  return condition;
};

/** The call with its parts typed in `inner`. */
export const typedAggregate = (raw: Call, inner: Env): AggregateCall => {
  const e = ignoreNullsArgument(raw);
  if (e.args.length === 0 && e.fn.toLowerCase() === "count" && e.position !== undefined)
    return fail(
      "WRONG_NUM_ARGS.WITH_SUGGESTION",
      "The `count` requires > 0 parameters but the actual number is 0. If you have to call it without arguments, write count(*).",
      e.position,
    );
  const args = countsRows(e) ? [] : e.args.map((a) => typeIn(inner, a));
  return resolveAggregate(e, args, {
    distinct: e.distinct === true,
    filter: e.filter === undefined ? undefined : filterIn(inner, e.filter),
    orderBy: typedOrders(inner, e.orderBy),
    ignoreNulls: e.ignoreNulls === true,
    timeZone: inner.analysis.options.timeZone,
  });
};

/** count(*) and count(1). */
const countsRows = (e: Call): boolean => {
  if (e.fn.toLowerCase() !== "count" || e.args.length > 1 || e.distinct === true) return false;
  const [arg] = e.args;
  return arg === undefined || arg.kind === "star" || (arg.kind === "literal" && arg.value !== null);
};

/** The environment inside a call's arguments. */
export const withoutCalls = (env: Env, clause: string): Env => {
  const { aggregate: _a, over: _o, alias, first: _f, call: _c, ...rest } = env;
  if (alias === undefined || env.clause !== "SELECT") return { ...rest, clause };
  return {
    ...rest,
    clause,
    alias: refusedAlias(
      alias,
      "UNSUPPORTED_FEATURE.LATERAL_COLUMN_ALIAS_IN_AGGREGATE_FUNC",
      "inside an aggregate function",
    ),
  };
};

/** A lateral column alias where none may be named. */
export const refusedAlias =
  (alias: NonNullable<Env["alias"]>, errorClass: string, where: string): NonNullable<Env["alias"]> =>
  (parts, position) =>
    alias(parts, position) === undefined
      ? undefined
      : fail(
          errorClass,
          `Referencing the lateral column alias ${quoted(parts)} ${where} is not supported.`,
          position,
          "compute it in a subquery",
        );

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

  /** What the call that makes the column reads. */
  argumentsOf(made: Attribute): readonly TypedExpr[] {
    const call = this.all.find((a) => a.attribute.id === made.id)?.call;
    return call === undefined ? [] : [...call.args, ...(call.filter === undefined ? [] : [call.filter])];
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
    const spark = this.#analysis.options.compatibility === "spark" && env.clause === "SELECT";
    const alias =
      env.alias && spark
        ? refusedAlias(
            env.alias,
            "UNSUPPORTED_FEATURE.LATERAL_COLUMN_ALIAS_IN_WINDOW",
            "in a window function",
          )
        : env.alias;
    // a window function inside is computed by a node below, also where the group of the one around is known already
    const below: number[] = [];
    const over = (nested: Over): Attribute => {
      const made = this.resolve(nested, withoutLabel(env));
      below.push(made.id);
      return made;
    };
    const inner: Env = { ...env, over, clause: "a window function", ...(alias && { alias }) };
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
    const groupKey = `${below.join(",")}|${partitionBy.map((p) => exprKey(p)).join(",")}|${ordersKey(orderBy)}`;
    const group = this.#groups.get(groupKey) ?? { partitionBy, orderBy, functions: new Map() };
    this.#groups.set(groupKey, group);
    const key = `${aggregateKey(call)}|${frameKey(frame)}`;
    const known = group.functions.get(key);
    if (known !== undefined) return known.attribute;
    const attribute = this.#analysis.attribute(env.label ?? nameOf(raw), call.type, call.nullable);
    group.functions.set(key, { attribute, call, frame });
    return attribute;
  }

  #call(written: Call, inner: Env): AggregateCall {
    const e = ignoreNullsArgument(written);
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

const withoutLabel = ({ label: _l, ...env }: Env): Env => env;

const frameKey = (f: WindowFrame<TypedExpr>): string => {
  const bound = (b: WindowFrame<TypedExpr>["start"]): string =>
    b.kind === "preceding" || b.kind === "following" ? `${b.kind} ${exprKey(b.offset)}` : b.kind;
  return `${f.unit} ${bound(f.start)} ${bound(f.end)}`;
};
