/** LATERAL joins: a generator over the left side, a join where the correlation can be taken out, else `apply`. */
import { type Analysis, fail, type Names, type Resolved } from "./analyse-context.ts";
import { type Env, typeIn } from "./analyse-env.ts";
import { generateOver } from "./analyse-generate.ts";
import { joined } from "./analyse-joined.ts";
import { decorrelate } from "./decorrelate.ts";
import { innerQuery } from "./inner-query.ts";
import { applyNode, join } from "./nodes.ts";
import { tableFunctionOf } from "./sql-functions.ts";
import type { Relation } from "./relation.ts";
import { and } from "./typed.ts";

/** `JOIN LATERAL`: the right side sees the left's columns. */
export const analyseLateral = (
  a: Analysis,
  rel: Extract<Relation, { kind: "join" }>,
  left: Resolved,
  names: Names,
): Resolved => {
  const generator = generatorBelow(a, rel.right);
  if (
    generator !== undefined &&
    rel.condition === undefined &&
    (rel.how === "inner" || rel.how === "cross" || rel.how === "left")
  )
    return generateOver(a, { ...generator, outer: generator.outer || rel.how === "left" }, left, names);
  const env: Env = { analysis: a, names, visible: left, clause: "LATERAL" };
  const { resolved: right, outer } = innerQuery(a, rel.right, env);
  if (right.plan.streaming && a.options.compatibility === "spark")
    fail(
      "INVALID_SUBQUERY_EXPRESSION.STREAMING_QUERY",
      "Invalid subquery: Streaming query is not allowed in subquery expressions.",
      rel.position,
      "join the stream instead",
    );
  if (rel.how !== "inner" && rel.how !== "cross" && rel.how !== "left")
    return fail(
      "INVALID_LATERAL_JOIN_TYPE",
      `LATERAL joins are INNER, CROSS or LEFT, not ${rel.how.toUpperCase()}.`,
      rel.position,
    );
  const visible = { columns: [...left.columns, ...right.columns], hidden: left.hidden };
  const condition =
    rel.condition === undefined
      ? undefined
      : typeIn({ ...env, visible, clause: "a join condition" }, rel.condition);
  const how = rel.how === "left" ? "left" : "inner";
  const pulled = decorrelate(
    right.plan,
    outer,
    right.columns.map((c) => c.attribute),
  );
  if (pulled === undefined || pulled.singleRow)
    return joined(left, right, applyNode(left.plan, right.plan, how, condition, outer));
  const on = and([...(condition === undefined ? [] : [condition]), ...pulled.predicates]);
  const plan = join(left.plan, pulled.plan, on === undefined && how === "inner" ? "cross" : how, on);
  return joined(left, right, plan);
};

/** `LATERAL explode(t.xs) AS u(x)`: a generator over the left side. */
const generatorBelow = (a: Analysis, rel: Relation): Extract<Relation, { kind: "generate" }> | undefined => {
  if (rel.kind === "generate" && rel.child.kind === "oneRow")
    return tableFunctionOf(a, rel.call) === undefined ? rel : undefined;
  if (rel.kind !== "alias") return undefined;
  const inner = generatorBelow(a, rel.child);
  if (inner === undefined) return undefined;
  return { ...inner, tableAlias: rel.name, ...(rel.columns === undefined ? {} : { columns: rel.columns }) };
};
