/**
 * What every row of a plan fulfils, and what follows from it, as Spark infers it (constraints). Rows never change by what is added; which rows reach a
 * watermark or a state does.
 *
 *  K1 what is known of a column holds for the one it equals: one step, not the closure of it;
 *  K2 a column that makes a condition null when it is null is not null, where Spark knows it ("null intolerant").
 */
import type { Attribute, TypedExpr } from "../../expr/ast.ts";
import { lookupFunction } from "../../expr/registry.ts";
import type { LogicalPlan } from "../logical.ts";
import { attributesOf, conjuncts, exprKey, isNotNull, substitute } from "../typed.ts";
import { isDeterministic } from "./rule.ts";

/** Null for a null and yet not "null intolerant" to Spark. */
const TOLERANT: ReadonlySet<string> = new Set(["concat", "in", "and", "or"]);

/** Columns and fields that make the expression null when they are null. */
const strictParts = (e: TypedExpr): readonly TypedExpr[] => {
  switch (e.kind) {
    case "attribute":
    case "field":
      return [e];
    case "cast":
      return strictParts(e.child);
    case "call": {
      const strict = e.udf === undefined && !TOLERANT.has(e.fn) && lookupFunction(e.fn)?.nulls === "strict";
      return strict ? e.args.flatMap(strictParts) : [];
    }
    default:
      return [];
  }
};

const distinct = (list: readonly TypedExpr[]): readonly TypedExpr[] => [
  ...new Map(list.map((e) => [exprKey(e), e])).values(),
];

/** What is not null where a condition is true. `isnotnull` says so as the whole condition only: below NOT it says the contrary. */
const requiredParts = (e: TypedExpr): readonly TypedExpr[] =>
  e.kind === "call" && e.fn === "isnotnull" ? e.args.flatMap(strictParts) : strictParts(e);

/** K2. */
export const notNullParts = (conditions: readonly TypedExpr[]): readonly TypedExpr[] =>
  distinct(conditions.flatMap(requiredParts).filter((e) => e.nullable)).map(isNotNull);

/** A column and what it equals: itself, or a cast of it. */
const replacements = (e: TypedExpr): readonly (readonly [Attribute, TypedExpr])[] => {
  if (e.kind !== "call" || e.fn !== "=") return [];
  const [a, b] = e.args as [TypedExpr, TypedExpr];
  const plain = (x: TypedExpr): boolean =>
    x.kind === "attribute" || (x.kind === "cast" && x.child.kind === "attribute");
  if (!plain(a) || !plain(b)) return [];
  return [
    ...(a.kind === "attribute" ? [[a, b] as const] : []),
    ...(b.kind === "attribute" ? [[b, a] as const] : []),
  ];
};

/** The conditions and what follows from them (K1, K2). */
export const withInferred = (conditions: readonly TypedExpr[]): readonly TypedExpr[] => {
  const base = conditions.filter(isDeterministic);
  const moved = base.flatMap((eq) =>
    replacements(eq).flatMap(([from, to]) =>
      base
        .filter((e) => e !== eq && attributesOf(e).some((a) => a.id === from.id))
        .map((e) => substitute(e, new Map([[from.id, to]]))),
    ),
  );
  const all = [...base, ...moved];
  return distinct([...all, ...notNullParts(all)]);
};

/** What every row of the plan fulfils, over its output. */
export const knownOf = (plan: LogicalPlan): readonly TypedExpr[] => {
  switch (plan.kind) {
    case "filter":
      return [...conjuncts(plan.condition).filter(isDeterministic), ...knownOf(plan.child)];
    case "watermark":
    case "sort":
    case "dedup":
    case "limit":
    case "sample":
    case "generate":
    case "window":
      return knownOf(plan.child);
    case "project":
      return knownOfProject(plan);
    case "aggregate":
      return within(plan, knownOf(plan.child));
    case "join":
      return knownOfJoin(plan);
    default:
      return [];
  }
};

const within = (plan: LogicalPlan, conditions: readonly TypedExpr[]): readonly TypedExpr[] => {
  const have = new Set(plan.output.map((a) => a.id));
  return conditions.filter((e) => attributesOf(e).every((a) => have.has(a.id)));
};

const knownOfProject = (plan: Extract<LogicalPlan, { kind: "project" }>): readonly TypedExpr[] => {
  const below = knownOf(plan.child);
  const renames = plan.exprs.filter((e) => e.expr.kind === "attribute" && e.expr.id !== e.attribute.id);
  const by = new Map(renames.map((e) => [(e.expr as Attribute).id, e.attribute as TypedExpr]));
  return distinct([
    ...within(plan, below),
    ...within(
      plan,
      below.map((e) => substitute(e, by)),
    ),
  ]);
};

const knownOfJoin = (plan: Extract<LogicalPlan, { kind: "join" }>): readonly TypedExpr[] => {
  const own = plan.nullAware === true ? [] : conjuncts(plan.condition).filter(isDeterministic);
  switch (plan.how) {
    case "inner":
    case "cross":
      return [...knownOf(plan.left), ...knownOf(plan.right), ...own];
    case "semi":
      return within(plan, [...knownOf(plan.left), ...own]);
    case "left":
    case "anti":
      return knownOf(plan.left);
    case "right":
      return knownOf(plan.right);
    case "full":
      return [];
  }
};
