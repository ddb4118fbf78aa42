/**
 * What a batch plan cannot run as operators is run first and replaced by its rows: recursive CTEs, step by step, and correlated subqueries that
 * could not be turned into joins, once for each row of their left side. Batch only.
 */
import { AnalysisError, ExecutionError } from "../core/errors.ts";
import { APPLY_ROWS_MAX, RECURSION_LEVELS_MAX, RESULT_ROWS_MAX } from "../core/limits.ts";
import type { Row } from "../core/value.ts";
import type { Attribute, TypedExpr } from "../expr/ast.ts";
import { interpret } from "../expr/interpret.ts";
import { bind } from "../plan/fragment.ts";
import type { LogicalPlan } from "../plan/logical.ts";
import { findNode, mapPlanChildren } from "../plan/nodes.ts";

type Of<K extends LogicalPlan["kind"]> = Extract<LogicalPlan, { kind: K }>;

export interface Materialiser {
  /** Runs a plan that has none of these nodes. */
  readonly run: (plan: LogicalPlan) => Promise<readonly Row[]>;
  readonly clockMs: number;
  readonly timeZone: string;
}

const rowsPlan = (rows: readonly Row[], output: readonly Attribute[]): LogicalPlan =>
  Object.freeze({ kind: "rows", rows, output, streaming: false });

const needed = (plan: LogicalPlan): boolean => plan.kind === "recursive" || plan.kind === "apply";

/** The plan without recursive and apply nodes. `wanted`: how many rows a LIMIT above asks for; recursion goes no further. */
export const materialise = async (
  plan: LogicalPlan,
  m: Materialiser,
  wanted = Infinity,
): Promise<LogicalPlan> => {
  if (findNode(plan, needed) === undefined) return plan;
  if (plan.kind === "recursive") return rowsPlan(await recursion(plan, m, wanted), plan.output);
  if (plan.kind === "apply") return rowsPlan(await applied(plan, m), plan.output);
  const done = new Map<LogicalPlan, LogicalPlan>();
  mapPlanChildren(plan, (c) => (done.set(c, c), c));
  for (const child of done.keys()) done.set(child, await materialise(child, m, wantedBelow(plan, wanted)));
  return mapPlanChildren(plan, (c) => done.get(c)!);
};

const wantedBelow = (plan: LogicalPlan, wanted: number): number => {
  if (plan.kind === "project") return wanted;
  return plan.kind === "limit" ? Math.min(wanted, plan.limit ?? Infinity) + plan.offset : Infinity;
};

const runAll = async (plan: LogicalPlan, m: Materialiser): Promise<readonly Row[]> =>
  m.run(await materialise(plan, m));

const replaceReference = (plan: LogicalPlan, reference: number, rows: readonly Row[]): LogicalPlan =>
  plan.kind === "recursiveReference" && plan.reference === reference
    ? rowsPlan(rows, plan.output)
    : mapPlanChildren(plan, (c) => replaceReference(c, reference, rows));

/** Anchor, then the step over what the step before gave, until it gives nothing. Spark's limits: levels and rows. */
const recursion = async (plan: Of<"recursive">, m: Materialiser, wanted: number): Promise<readonly Row[]> => {
  const all: Row[] = [];
  let last = await runAll(plan.anchor, m);
  for (let level = 0; last.length > 0 && all.length < wanted; level++) {
    if (level > RECURSION_LEVELS_MAX)
      throw new ExecutionError(`the recursive query went deeper than ${RECURSION_LEVELS_MAX} levels`, {
        errorClass: "RECURSION_LEVEL_LIMIT_EXCEEDED",
      });
    for (const row of last) all.push(row);
    if (all.length > RESULT_ROWS_MAX)
      throw new ExecutionError(`the recursive query gave more than ${RESULT_ROWS_MAX} rows`, {
        errorClass: "RECURSION_ROW_LIMIT_EXCEEDED",
      });
    last = await runAll(replaceReference(plan.step, plan.reference, last), m);
  }
  return all;
};

const applied = async (plan: Of<"apply">, m: Materialiser): Promise<readonly Row[]> => {
  const left = await runAll(plan.left, m);
  if (left.length > APPLY_ROWS_MAX)
    throw new AnalysisError(
      `this correlated subquery would run ${left.length} times (at most ${APPLY_ROWS_MAX}); write it as a join`,
      { errorClass: "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_CORRELATED_SCALAR_SUBQUERY" },
    );
  const columns = [...plan.left.output, ...plan.right.output];
  const condition = plan.condition === undefined ? undefined : bind(plan.condition, columns);
  const context = { clockMs: m.clockMs, timeZone: m.timeZone };
  const out: Row[] = [];
  for (const row of left) {
    const right = await runAll(withOuter(plan, row), m);
    const matches =
      condition === undefined
        ? right
        : right.filter((r) => interpret(condition, [...row, ...r], context) === true);
    for (const combined of combine(plan, row, matches)) out.push(combined);
  }
  return out;
};

const combine = (plan: Of<"apply">, row: Row, matches: readonly Row[]): readonly Row[] => {
  switch (plan.how) {
    case "semi":
      return matches.length > 0 ? [row] : [];
    case "anti":
      return matches.length === 0 ? [row] : [];
    case "inner":
      return matches.map((r) => [...row, ...r]);
    default: {
      if (plan.how === "scalar" && matches.length > 1)
        throw new ExecutionError("a scalar subquery gave more than one row", {
          errorClass: "SCALAR_SUBQUERY_TOO_MANY_ROWS",
        });
      const nothing = plan.right.output.map(() => null);
      return matches.length === 0 ? [[...row, ...nothing]] : matches.map((r) => [...row, ...r]);
    }
  }
};

/** The right side with the outer columns of one left row as literals. */
const withOuter = (plan: Of<"apply">, row: Row): LogicalPlan => {
  const values = new Map<number, TypedExpr>();
  for (const a of plan.outer) {
    const at = plan.left.output.findIndex((c) => c.id === a.id);
    values.set(
      a.id,
      Object.freeze({ kind: "literal", value: row[at] ?? null, type: a.type, nullable: true }),
    );
  }
  return substituteDeep(plan.right, values, new Map()) as LogicalPlan;
};

/** Plans are plain data: an outer column can stand in any expression of any node, and nowhere else. */
const substituteDeep = (
  x: unknown,
  values: ReadonlyMap<number, TypedExpr>,
  seen: Map<object, unknown>,
): unknown => {
  if (typeof x !== "object" || x === null || x instanceof Uint8Array) return x;
  const known = seen.get(x);
  if (known !== undefined) return known;
  let result: unknown = x;
  if (Array.isArray(x)) {
    const next = x.map((e) => substituteDeep(e, values, seen));
    if (next.some((e, i) => e !== x[i])) result = next;
  } else if (Object.getPrototypeOf(x) === Object.prototype || Object.getPrototypeOf(x) === null) {
    const node = x as { readonly kind?: unknown; readonly id?: unknown };
    const literal = node.kind === "attribute" ? values.get(node.id as number) : undefined;
    if (literal !== undefined) result = literal;
    else {
      const entries = Object.entries(x).map(
        ([k, v]) => [k, k === "type" ? v : substituteDeep(v, values, seen)] as const,
      );
      if (entries.some(([k, v]) => v !== (x as Record<string, unknown>)[k]))
        result = Object.freeze(Object.fromEntries(entries));
    }
  }
  seen.set(x, result);
  return result;
};
