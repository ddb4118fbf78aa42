/**
 * Columns nobody reads are not computed, not kept in state and not decoded by sources.
 *
 *  C1 the root's output stays; operators with user code over rows, and what `late()` shows, keep all their columns;
 *  C2 a relation keeps at least one column, so that its rows can be counted;
 *  C3 an event-time column that nobody reads goes too, as in Spark: an operator drops late rows by the event times it sees.
 */
import { schemaOf } from "../../core/schema.ts";
import type { Attribute, TypedExpr } from "../../expr/ast.ts";
import type { LogicalPlan } from "../logical.ts";
import { eventTimeColumns, expressionsOf, joinOutput, keep, union } from "../nodes.ts";
import { aggregateExprs, attributesOf } from "../typed.ts";
import type { Rule } from "./rule.ts";

type Ids = ReadonlySet<number>;
type Of<K extends LogicalPlan["kind"]> = Extract<LogicalPlan, { kind: K }>;

const idsOf = (attributes: readonly Attribute[]): Ids => new Set(attributes.map((a) => a.id));
const plus = (needed: Ids, ...exprs: readonly TypedExpr[]): Ids =>
  new Set([...needed, ...attributesOf(...exprs).map((a) => a.id)]);
const kept = <T>(all: readonly T[], wanted: (x: T) => boolean): readonly T[] => {
  const found = all.filter(wanted);
  return found.length > 0 || all.length === 0 ? found : [all[0]!];
};

const prune = (p: LogicalPlan, needed: Ids): LogicalPlan => {
  switch (p.kind) {
    case "source":
      return pruneSource(p, needed);
    case "rows":
      return pruneRows(p, needed);
    case "project": {
      const exprs = kept(p.exprs, (e) => needed.has(e.attribute.id));
      const child = prune(p.child, plus(new Set(), ...exprs.map((e) => e.expr)));
      return Object.freeze({ ...p, exprs, child, output: exprs.map((e) => e.attribute) });
    }
    case "filter":
    case "sort":
    case "limit":
    case "sample": {
      const child = prune(p.child, plus(needed, ...expressionsOf(p)));
      return Object.freeze({ ...p, child, output: child.output });
    }
    case "watermark":
      return withOutput(p, prune(p.child, plus(needed, p.column)));
    case "aggregate":
      return pruneAggregate(p, needed);
    case "expandWindow":
      return withOutput(p, prune(p.child, plus(needed, p.time)));
    case "expand":
      return pruneExpand(p, needed);
    case "join":
      return pruneJoin(p, needed);
    case "union":
      return pruneUnion(p, needed);
    case "dedup": {
      const times = p.withinWatermark ? eventTimeColumns(p.child) : [];
      const wanted = plus(needed, ...p.keys, ...times);
      const child = exactly(prune(p.child, wanted), wanted);
      return Object.freeze({ ...p, child, output: child.output });
    }
    default:
      return pruneOther(p, needed);
  }
};

const pruneOther = (p: LogicalPlan, needed: Ids): LogicalPlan => {
  switch (p.kind) {
    case "window":
      return pruneWindow(p, needed);
    case "generate": {
      const child = prune(p.child, plus(needed, ...p.args));
      return Object.freeze({ ...p, child, output: [...child.output, ...p.generated] });
    }
    case "observe": {
      const child = prune(p.child, plus(needed, ...expressionsOf(p)));
      return Object.freeze({ ...p, child, output: child.output });
    }
    case "emit":
    case "mapRows":
    case "groupState": {
      const child = prune(p.child, idsOf(p.child.output));
      return Object.freeze({ ...p, child });
    }
    case "apply": {
      const own = p.condition === undefined ? [] : [p.condition];
      const left = prune(p.left, plus(needed, ...own, ...p.outer));
      const right = prune(p.right, idsOf(p.right.output));
      const output =
        p.how === "semi" || p.how === "anti"
          ? left.output
          : [...left.output, ...p.output.slice(p.left.output.length)];
      return Object.freeze({ ...p, left, right, output });
    }
    default:
      return p;
  }
};

/** The node over its pruned child: what it adds stays, what the child lost goes. */
const withOutput = (p: Of<"watermark" | "expandWindow"> & LogicalPlan, child: LogicalPlan): LogicalPlan => {
  const before = idsOf(p.child.output);
  const after = idsOf(child.output);
  const output = p.output.filter((a) => !before.has(a.id) || after.has(a.id));
  return Object.freeze({ ...p, child, output });
};

/** The plan with the wanted columns only: what a stateful operator would keep, or take for an event time (C3), goes below it. */
const exactly = (p: LogicalPlan, wanted: Ids): LogicalPlan =>
  keep(
    p,
    kept(p.output, (a) => wanted.has(a.id)),
  );

const pruneSource = (p: Of<"source"> & LogicalPlan, needed: Ids): LogicalPlan => {
  const output = kept(p.output, (a) => needed.has(a.id));
  if (output.length === p.output.length) return p;
  const fields = p.source.schema.fields.filter((_f, i) => output.includes(p.output[i]!));
  return Object.freeze({
    ...p,
    source: { ...p.source, declared: p.source.declared ?? p.source.schema, schema: schemaOf(fields) },
    output,
  });
};

const pruneRows = (p: Of<"rows"> & LogicalPlan, needed: Ids): LogicalPlan => {
  const output = kept(p.output, (a) => needed.has(a.id));
  if (output.length === p.output.length) return p;
  const at = output.map((a) => p.output.indexOf(a));
  return Object.freeze({ ...p, rows: p.rows.map((r) => at.map((i) => r[i]!)), output });
};

/** Keys stay: they decide the rows. An aggregate without keys keeps one call: it gives one row always. */
const pruneAggregate = (p: Of<"aggregate"> & LogicalPlan, needed: Ids): LogicalPlan => {
  const wanted = p.aggregates.filter((a) => needed.has(a.attribute.id));
  const aggregates = wanted.length === 0 && p.keys.length === 0 ? p.aggregates.slice(0, 1) : wanted;
  const session = p.session === undefined ? [] : [p.session.time, p.session.gap];
  const below = plus(new Set(), ...p.keys, ...session, ...aggregates.flatMap((a) => aggregateExprs(a.call)));
  const child = prune(p.child, below);
  return Object.freeze({
    ...p,
    child,
    aggregates,
    output: [...p.keys, ...aggregates.map((a) => a.attribute)],
  });
};

const pruneExpand = (p: Of<"expand"> & LogicalPlan, needed: Ids): LogicalPlan => {
  const output = kept(p.output, (a) => needed.has(a.id));
  const at = output.map((a) => p.output.indexOf(a));
  const projections = p.projections.map((row) => at.map((i) => row[i]!));
  const child = prune(p.child, plus(new Set(), ...projections.flat()));
  return Object.freeze({ ...p, child, projections, output });
};

const pruneJoin = (p: Of<"join"> & LogicalPlan, needed: Ids): LogicalPlan => {
  const all = p.condition === undefined ? needed : plus(needed, p.condition);
  const left = exactly(prune(p.left, all), all);
  const right = exactly(prune(p.right, all), all);
  return Object.freeze({ ...p, left, right, output: joinOutput(p.how, left, right) });
};

const pruneUnion = (p: Of<"union"> & LogicalPlan, needed: Ids): LogicalPlan => {
  const output = kept(p.output, (a) => needed.has(a.id));
  const at = output.map((a) => p.output.indexOf(a));
  const children = p.children.map((c) => {
    const wanted = at.map((i) => c.output[i]!);
    return keep(prune(c, idsOf(wanted)), wanted);
  });
  return output.length === p.output.length && children.every((c, i) => c === p.children[i])
    ? p
    : union(children, output);
};

const pruneWindow = (p: Of<"window"> & LogicalPlan, needed: Ids): LogicalPlan => {
  const functions = p.functions.filter((f) => needed.has(f.attribute.id));
  const made = idsOf(p.functions.map((f) => f.attribute));
  const passed = new Set([...needed].filter((id) => !made.has(id)));
  if (functions.length === 0) return prune(p.child, passed);
  const next = Object.freeze({ ...p, functions });
  const child = prune(p.child, plus(passed, ...expressionsOf(next)));
  return Object.freeze({ ...next, child, output: [...child.output, ...functions.map((f) => f.attribute)] });
};

export const columnPruning: Rule = {
  name: "columnPruning",
  apply: (plan) => keep(prune(plan, idsOf(plan.output)), plan.output),
};
