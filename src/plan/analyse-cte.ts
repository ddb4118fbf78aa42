/** Tables, views and WITH. A definition is analysed at each use (A1); a recursive one becomes a `recursive` node. */
import {
  type Analysis,
  type Cte,
  fail,
  type Names,
  quoted,
  type Resolved,
  resolvedOf,
} from "./analyse-context.ts";
import { renameColumns } from "./analyse-columns.ts";
import { alignTo } from "./analyse-set-operation.ts";
import type { SourcePosition } from "../expr/ast.ts";
import { commonTypeOfColumn } from "../expr/coercion.ts";
import { nearest } from "../expr/suggestion.ts";
import { sqlType } from "../expr/type-errors.ts";
import type { LogicalPlan } from "./logical.ts";
import { childrenOf } from "./nodes.ts";
import type { Relation } from "./relation.ts";

type Of<K extends Relation["kind"]> = Extract<Relation, { kind: K }>;

export const analyseTable = (a: Analysis, rel: Of<"table">, names: Names): Resolved => {
  const single = rel.name.length === 1 ? rel.name[0]! : undefined;
  const cte = single === undefined ? undefined : names.ctes.get(single.toLowerCase());
  if (cte !== undefined) return analyseCte(a, single!, cte, names);
  const entry = a.catalog.table(rel.name);
  const last = rel.name.at(-1)!;
  if (entry === undefined)
    return fail(
      "TABLE_OR_VIEW_NOT_FOUND",
      `The table or view ${quoted(rel.name)} cannot be found. Verify the spelling and correctness of the schema and catalog.`,
      rel.position,
      tableHint(a, last),
    );
  const key = entry.name.toLowerCase();
  if (names.views.includes(key))
    return fail("RECURSIVE_VIEW", `Recursive view ${quoted([entry.name])} detected.`, rel.position);
  // a view sees neither the query's CTEs nor its outer columns
  const inner = a.relation(entry.relation, {
    ctes: new Map(),
    outer: undefined,
    views: [...names.views, key],
  });
  const qualifier = entry.kind === "table" ? ["spark_catalog", "default", last] : [last];
  const columns = inner.columns.map((c) => ({ ...c, qualifier }));
  const resolved = { plan: inner.plan, columns, hidden: [] };
  return entry.columns === undefined ? resolved : renameColumns(a, resolved, entry.columns, last);
};

const tableHint = (a: Analysis, name: string): string | undefined => {
  const near = nearest(name, a.catalog.tableNames(), undefined, 3);
  return near.length === 0 ? undefined : `tables here: ${near.join(", ")}`;
};

const requalified = (
  a: Analysis,
  inner: Resolved,
  name: string,
  columns: readonly string[] | undefined,
): Resolved =>
  columns === undefined
    ? { plan: inner.plan, columns: inner.columns.map((c) => ({ ...c, qualifier: [name] })), hidden: [] }
    : renameColumns(a, inner, columns, name);

const analyseCte = (a: Analysis, name: string, cte: Cte, names: Names): Resolved => {
  if (cte.recursion !== undefined) return recursiveReference(a, name, cte.recursion);
  // what the definition sees is what was visible where it stands; views being expanded stay refused
  const scope: Names = { ...cte.names, views: names.views };
  if (cte.recursive && mentions(cte.relation, name))
    return requalified(a, analyseRecursive(a, name, cte, scope), name, cte.columns);
  return requalified(a, a.relation(cte.relation, scope), name, cte.columns);
};

const recursiveReference = (
  a: Analysis,
  name: string,
  recursion: NonNullable<Cte["recursion"]>,
): Resolved => {
  const output = recursion.output.map((x) => a.attribute(x.name, x.type, true));
  const plan: LogicalPlan = Object.freeze({
    kind: "recursiveReference",
    reference: recursion.reference,
    output,
    streaming: false,
  });
  return resolvedOf(plan, [name]);
};

const analyseRecursive = (a: Analysis, name: string, cte: Cte, scope: Names): Resolved => {
  const body = cte.relation;
  if (body.kind !== "setOperation" || body.op !== "union")
    return fail(
      "INVALID_RECURSIVE_CTE",
      `The recursive definition of ${quoted([name])} must be a UNION ALL of a start and a step.`,
      body.position,
    );
  if (!body.all)
    fail(
      "UNION_NOT_SUPPORTED_IN_RECURSIVE_CTE",
      "The UNION operator is not yet supported within recursive common table expressions (WITH clauses that refer to themselves, directly or indirectly). Please use UNION ALL instead.",
      body.position,
    );
  if (mentions(body.left, name))
    fail(
      "INVALID_RECURSIVE_CTE",
      `The start of the recursive definition of ${quoted([name])} refers to itself: only the last part of its UNION ALL may.`,
      body.position,
    );
  const anchor = a.relation(body.left, scope);
  if (cte.columns !== undefined && cte.columns.length !== anchor.columns.length)
    fail(
      "ASSIGNMENT_ARITY_MISMATCH",
      `The number of columns given for ${quoted([name])} (${cte.columns.length}) must match the number of columns it has (${anchor.columns.length}).`,
      body.position,
    );
  const reference = a.nextReference();
  const columnNames = cte.columns ?? anchor.columns.map((c) => c.name);
  const output = anchor.columns.map((c, i) => a.attribute(columnNames[i] ?? c.name, c.attribute.type, true));
  const recursion: Cte = { ...cte, recursion: { reference, output } };
  const ctes = new Map(scope.ctes).set(name.toLowerCase(), recursion);
  const step = a.relation(body.right, { ...scope, ctes });
  if (anchor.plan.streaming || step.plan.streaming)
    return fail(
      "INVALID_RECURSIVE_CTE",
      `The recursive definition of ${quoted([name])} reads a stream; recursion is for batch queries.`,
      body.position,
    );
  const types = anchor.columns.map((c) => c.attribute.type);
  const spark = a.options.compatibility === "spark";
  if (spark) checkReference(step.plan, body.position);
  step.columns.forEach((c, i) => {
    const meet = commonTypeOfColumn([types[i] ?? c.attribute.type, c.attribute.type]);
    const same = types[i] === undefined || (meet !== undefined && sqlType(meet) === sqlType(types[i]));
    if (!same && (spark || types[i]!.kind === "null"))
      fail(
        "CANNOT_MERGE_INCOMPATIBLE_DATA_TYPE",
        `Failed to merge incompatible data types "${sqlType(types[i]!)}" and "${sqlType(c.attribute.type)}" of column ${i + 1} of the recursive ${quoted([name])}: cast the one of the start.`,
        body.position,
      );
  });
  const plan: LogicalPlan = Object.freeze({
    kind: "recursive",
    anchor: alignTo(a, anchor, types, undefined),
    step: alignTo(a, step, types, body.position),
    reference,
    output,
    streaming: false,
  });
  return resolvedOf(plan);
};

/** Spark: a step refers to the rows before it where these are passed on one by one. */
const checkReference = (plan: LogicalPlan, position: SourcePosition | undefined): void => {
  const misplaced = (p: LogicalPlan): void => {
    if (p.kind === "recursiveReference")
      fail(
        "INVALID_RECURSIVE_REFERENCE.PLACE",
        "Recursive references cannot be used on the right side of left outer/semi/anti joins, on the left side of right outer joins, in full outer joins, in aggregates, window functions or sorts.",
        position,
      );
    childrenOf(p).forEach(misplaced);
  };
  const go = (p: LogicalPlan): void => {
    if (p.kind === "window" || p.kind === "sort" || (p.kind === "aggregate" && p.origin === undefined))
      misplaced(p);
    if (p.kind === "join" && p.origin === undefined) {
      if (["left", "full", "semi", "anti"].includes(p.how)) misplaced(p.right);
      if (["right", "full"].includes(p.how)) misplaced(p.left);
    }
    childrenOf(p).forEach(go);
  };
  go(plan);
};

/** Whether a relation names the table, so that its definition is recursive. */
const mentions = (rel: unknown, name: string): boolean => {
  if (Array.isArray(rel)) return rel.some((x) => mentions(x, name));
  if (rel === null || typeof rel !== "object") return false;
  const r = rel as { kind?: unknown; name?: unknown };
  if (r.kind === "source" || r.kind === "rows") return false;
  if (r.kind === "table" && Array.isArray(r.name))
    return r.name.length === 1 && String(r.name[0]).toLowerCase() === name.toLowerCase();
  return Object.values(rel).some((x) => mentions(x, name));
};

export const analyseWith = (a: Analysis, rel: Of<"with">, names: Names): Resolved => {
  const ctes = new Map(names.ctes);
  let scope = names;
  const seen = new Set<string>();
  for (const [name, relation, columns] of rel.definitions) {
    const key = name.toLowerCase();
    if (seen.has(key))
      fail(
        "DUPLICATED_CTE_NAMES",
        `CTE definition can't have duplicate names: ${quoted([name])}.`,
        rel.position,
      );
    seen.add(key);
    ctes.set(key, { relation, columns, names: scope, recursive: rel.recursive });
    scope = { ...names, ctes: new Map(ctes) };
    // a definition that nothing reads must be one all the same
    const read = mentions([rel.child, ...rel.definitions.map(([, other]) => other)], name);
    if (!read) analyseCte(a, name, ctes.get(key)!, names);
  }
  return a.relation(rel.child, scope);
};
