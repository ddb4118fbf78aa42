/**
 * UNION, INTERSECT, EXCEPT. Columns meet by position (or name) and are widened to common types. Rewrites:
 *
 *  - UNION: distinct rows of the union;
 *  - INTERSECT / EXCEPT: distinct rows of a null-safe semi / anti join;
 *  - … ALL: rows counted on each side, then given back that often.
 */
import { type DataType, LONG } from "../core/data-type.ts";
import type { Attribute, SourcePosition, TypedExpr } from "../expr/ast.ts";
import { castTo, commonType } from "../expr/coercion.ts";
import { ordinal, sqlType } from "../expr/type-errors.ts";
import {
  type Analysis,
  fail,
  type Names,
  quoted,
  type Resolved,
  sameName,
  type ScopeColumn,
} from "./analyse-context.ts";
import type { LogicalPlan, Named } from "./logical.ts";
import { aggregate, distinctOf, extend, filter, join, keep, project, simpleCall, union } from "./nodes.ts";
import type { Relation } from "./relation.ts";
import { and, callOf, longLiteral, nullOf, nullSafeEquals } from "./typed.ts";

type SetOperation = Extract<Relation, { kind: "setOperation" }>;

const WORD = { union: "UNION", intersect: "INTERSECT", except: "EXCEPT" } as const;

export const analyseSetOperation = (a: Analysis, rel: SetOperation, names: Names): Resolved => {
  const left = a.relation(rel.left, names);
  const raw = a.relation(rel.right, names);
  const [first, second] = rel.byName ? matchNames(a, left, raw, rel) : [left, raw];
  if (first.columns.length !== second.columns.length)
    return fail(
      "NUM_COLUMNS_MISMATCH",
      `${WORD[rel.op]} can only be performed on inputs with the same number of columns, but the first input has ${first.columns.length} columns and the second input has ${second.columns.length} columns.`,
      rel.position,
    );
  const types = first.columns.map((c, i) => widened(c, second.columns[i]!, i, rel));
  if (!(rel.op === "union" && rel.all)) refuseMaps([...first.columns, ...second.columns], rel.position);
  const l = alignTo(a, first, types, rel.position);
  const r = alignTo(a, second, types, rel.position);
  const columnNames = first.columns.map((c) => c.name);
  const { columns, ...combined } = combine(a, rel, l, r, columnNames);
  // the rows are the first's: its table names still reach them
  return { ...combined, columns: columns.map((c, i) => ({ ...c, qualifier: first.columns[i]!.qualifier })) };
};

/** Rows with maps cannot be compared. */
export const refuseMaps = (
  columns: readonly Pick<ScopeColumn, "name" | "attribute">[],
  position: SourcePosition | undefined,
): void => {
  const found = columns.find((c) => holdsMap(c.attribute.type));
  if (found !== undefined)
    fail(
      "UNSUPPORTED_FEATURE.SET_OPERATION_ON_MAP_TYPE",
      `The feature is not supported: cannot have MAP type columns in a DataFrame which calls set operations (INTERSECT, EXCEPT, etc.), but the type of column ${quoted([found.name])} is "${sqlType(found.attribute.type)}".`,
      position,
    );
};

const holdsMap = (t: DataType): boolean => {
  if (t.kind === "array") return holdsMap(t.element);
  return t.kind === "struct" ? t.fields.some((f) => holdsMap(f.type)) : t.kind === "map";
};

const combine = (
  a: Analysis,
  rel: SetOperation,
  l: LogicalPlan,
  r: LogicalPlan,
  columnNames: readonly string[],
): Resolved => {
  if (rel.op === "union") {
    const output = l.output.map((x, i) =>
      a.attribute(columnNames[i]!, x.type, x.nullable || r.output[i]!.nullable, x.eventTimeDelayMs),
    );
    const all = union(flatten(l, r), output);
    return named(rel.all ? all : distinctOf(all), columnNames);
  }
  if (rel.all) return named(countedRows(a, rel.op, l, r), columnNames);
  const condition = and(l.output.map((x, i) => nullSafeEquals(x, r.output[i]!)));
  const joined = join(l, r, rel.op === "intersect" ? "semi" : "anti", condition, { origin: rel.op });
  return named(distinctOf(joined, rel.op), columnNames);
};

/** `a UNION ALL b UNION ALL c` as one node. */
const flatten = (l: LogicalPlan, r: LogicalPlan): readonly LogicalPlan[] =>
  l.kind === "union" ? [...l.children, r] : [l, r];

const named = (plan: LogicalPlan, columnNames: readonly string[]): Resolved => ({
  plan,
  columns: plan.output.map((attribute, i) => ({ name: columnNames[i]!, qualifier: [], attribute })),
  hidden: [],
});

/** Structs meet by place where only their fields' names differ. */
const sameShape = (a: DataType, b: DataType): boolean => {
  if (a.kind === "struct" && b.kind === "struct")
    return (
      a.fields.length === b.fields.length && a.fields.every((f, i) => sameShape(f.type, b.fields[i]!.type))
    );
  return a.kind !== "struct" && b.kind !== "struct" && sqlType(a) === sqlType(b);
};

const widened = (a: ScopeColumn, b: ScopeColumn, i: number, rel: SetOperation): DataType => {
  const type = commonType([a.attribute.type, b.attribute.type]);
  if (type !== undefined) return type;
  if (sameShape(a.attribute.type, b.attribute.type)) return a.attribute.type;
  return fail(
    "INCOMPATIBLE_COLUMN_TYPE",
    `${WORD[rel.op]} can only be performed on tables with compatible column types. The ${ordinal(i)} column of the second table is "${sqlType(b.attribute.type)}" type which is not compatible with "${sqlType(a.attribute.type)}" at the same column of the first table.`,
    rel.position,
  );
};

/** The visible columns, cast to `types`. */
export const alignTo = (
  a: Analysis,
  input: Resolved,
  types: readonly DataType[],
  position: SourcePosition | undefined,
): LogicalPlan => {
  if (input.columns.length !== types.length)
    fail(
      "NUM_COLUMNS_MISMATCH",
      `The inputs must have the same number of columns, but have ${types.length} and ${input.columns.length} columns.`,
      position,
    );
  const exprs = input.columns.map((c, i): Named => {
    const expr = castTo(c.attribute, types[i]!);
    return { attribute: expr === c.attribute ? c.attribute : a.named(c.name, expr), expr };
  });
  const unchanged = exprs.every((e) => e.expr === e.attribute);
  return unchanged
    ? keep(
        input.plan,
        exprs.map((e) => e.attribute),
      )
    : project(input.plan, exprs);
};

/** UNION BY NAME: the right columns in the left's order; with allowMissing, absent ones are null. */
const matchNames = (
  a: Analysis,
  left: Resolved,
  right: Resolved,
  rel: SetOperation,
): readonly [Resolved, Resolved] => {
  const extra = right.columns.filter((c) => !left.columns.some((l) => sameName(l.name, c.name)));
  if (extra.length > 0 && rel.allowMissing !== true) missingName(extra[0]!.name, left, rel);
  const missing = (c: ScopeColumn): Named => ({
    attribute: a.attribute(c.name, c.attribute.type, true),
    expr: nullOf(c.attribute.type),
  });
  const l = [...left.columns.map(asNamed), ...extra.map(missing)];
  const r = [
    ...left.columns.map((c) => {
      const found = right.columns.find((x) => sameName(x.name, c.name));
      if (found === undefined && rel.allowMissing !== true) missingName(c.name, right, rel);
      return found === undefined ? missing(c) : asNamed(found);
    }),
    ...extra.map(asNamed),
  ];
  return [projected(left, l), projected(right, r)];
};

const asNamed = (c: ScopeColumn): Named => ({ attribute: c.attribute, expr: c.attribute });
const projected = (input: Resolved, exprs: readonly Named[]): Resolved => ({
  plan: project(input.plan, exprs),
  columns: exprs.map((e) => ({ name: e.attribute.name, qualifier: [], attribute: e.attribute })),
  hidden: [],
});
const missingName = (name: string, among: Resolved, rel: SetOperation): never =>
  fail(
    "UNRESOLVED_COLUMN_AMONG_FIELD_NAMES",
    `Cannot resolve column name "${name}" among (${among.columns.map((c) => quoted([c.name])).join(", ")}).`,
    rel.position,
    "unionByName(…, allowMissing) fills absent columns with null",
  );

/** INTERSECT ALL and EXCEPT ALL: count each row on both sides, give it back min(l, r) or l - r times. */
const countedRows = (
  a: Analysis,
  op: "intersect" | "except",
  l: LogicalPlan,
  r: LogicalPlan,
): LogicalPlan => {
  const output = l.output.map((x, i) => a.attribute(x.name, x.type, x.nullable || r.output[i]!.nullable));
  const tagL = a.attribute("l", LONG, false);
  const tagR = a.attribute("r", LONG, false);
  const tagged = (p: LogicalPlan, left: number, right: number): LogicalPlan =>
    extend(p, [
      { attribute: a.attribute("l", LONG, false), expr: longLiteral(left) },
      { attribute: a.attribute("r", LONG, false), expr: longLiteral(right) },
    ]);
  const both = union([tagged(l, 1, 0), tagged(r, 0, 1)], [...output, tagL, tagR]);
  const sum = (x: Attribute): { attribute: Attribute; call: ReturnType<typeof simpleCall> } => ({
    attribute: a.attribute(`sum_${x.name}`, LONG, true),
    call: simpleCall("sum", [x], LONG, true),
  });
  const sums = [sum(tagL), sum(tagR)] as const;
  const [nl, nr] = [sums[0].attribute, sums[1].attribute];
  const times: TypedExpr =
    op === "intersect" ? callOf("least", [nl, nr], LONG, false) : callOf("-", [nl, nr], LONG, false);
  const count = a.attribute("times", LONG, false);
  const counted = extend(aggregate(both, output, sums, { origin: op }), [{ attribute: count, expr: times }]);
  const positive = filter(counted, callOf(">", [count, longLiteral(0)], { kind: "boolean" }, false));
  return keep(repeatRows(a, positive, count), output);
};

/** Each row as often as `times` says. */
export const repeatRows = (a: Analysis, child: LogicalPlan, times: Attribute): LogicalPlan => {
  const generated = [a.attribute("n", LONG, false)];
  const array: DataType = { kind: "array", element: LONG, containsNull: false };
  return Object.freeze({
    kind: "generate",
    child,
    fn: "explode",
    args: [callOf("sequence", [longLiteral(1), times], array, false)],
    outer: false,
    generated,
    output: [...child.output, ...generated],
    streaming: child.streaming,
  });
};
