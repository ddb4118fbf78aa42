/** Building, walking and comparing typed expressions. Pure; nothing here evaluates. */
import { BOOLEAN, type DataType, LONG, STRING, TIMESTAMP, typeName } from "../core/data-type.ts";
import type { Value } from "../core/value.ts";
import type { AggregateCall, Attribute, SortOrder, TypedExpr } from "../expr/ast.ts";

const typed = (fn: string, args: readonly TypedExpr[], type: DataType, nullable: boolean): TypedExpr =>
  Object.freeze({ kind: "call", fn, args, type, nullable });
const anyNullable = (args: readonly TypedExpr[]): boolean => args.some((a) => a.nullable);

export const literal = (value: Value, type: DataType): TypedExpr =>
  Object.freeze({ kind: "literal", value, type, nullable: value === null });
export const TRUE = literal(true, BOOLEAN);
export const nullOf = (type: DataType): TypedExpr => literal(null, type);
export const longLiteral = (value: number): TypedExpr => literal(value, LONG);
export const stringLiteral = (value: string): TypedExpr => literal(value, STRING);

export const callOf = (
  fn: string,
  args: readonly TypedExpr[],
  type: DataType,
  nullable = anyNullable(args),
): TypedExpr => typed(fn, args, type, nullable);
export const equals = (a: TypedExpr, b: TypedExpr): TypedExpr => callOf("=", [a, b], BOOLEAN);
export const nullSafeEquals = (a: TypedExpr, b: TypedExpr): TypedExpr =>
  callOf("<=>", [a, b], BOOLEAN, false);
export const isNull = (a: TypedExpr): TypedExpr => callOf("isnull", [a], BOOLEAN, false);
export const isNotNull = (a: TypedExpr): TypedExpr => callOf("isnotnull", [a], BOOLEAN, false);
export const not = (a: TypedExpr): TypedExpr => callOf("not", [a], BOOLEAN);
export const or = (a: TypedExpr, b: TypedExpr): TypedExpr => callOf("or", [a, b], BOOLEAN);
/** The conjunction; undefined for none. */
export const and = (parts: readonly TypedExpr[]): TypedExpr | undefined =>
  parts.length === 0 ? undefined : parts.reduce((a, b) => callOf("and", [a, b], BOOLEAN));
export const caseOf = (
  branches: readonly (readonly [TypedExpr, TypedExpr])[],
  otherwise: TypedExpr,
): TypedExpr =>
  Object.freeze({
    kind: "case",
    branches,
    otherwise,
    type: otherwise.type,
    nullable: otherwise.nullable || branches.some(([, v]) => v.nullable),
  });
export const fieldOf = (child: TypedExpr, index: number): TypedExpr => {
  if (child.type.kind !== "struct") throw new TypeError(`no fields in ${typeName(child.type)}`);
  const f = child.type.fields[index]!;
  return Object.freeze({
    kind: "field",
    child,
    index,
    type: f.type,
    nullable: child.nullable || f.nullable,
    position: child.position,
  });
};
export const windowTime = (window: TypedExpr): TypedExpr => callOf("window_time", [window], TIMESTAMP);

/** The parts of a conjunction, left to right. */
export const conjuncts = (e: TypedExpr | undefined): readonly TypedExpr[] => {
  const out: TypedExpr[] = [];
  const stack = e === undefined ? [] : [e];
  while (stack.length > 0) {
    const x = stack.pop()!;
    if (x.kind === "call" && x.fn === "and") stack.push(...[...x.args].reverse());
    else out.push(x);
  }
  return out;
};

export const children = (e: TypedExpr): readonly TypedExpr[] => {
  switch (e.kind) {
    case "call":
      return e.args;
    case "cast":
    case "field":
      return [e.child];
    case "case":
      return [...e.branches.flat(), e.otherwise];
    case "lambda":
      return [e.body];
    default:
      return [];
  }
};

/** The expression with `f` applied to its direct children; itself when none changed. */
export const mapChildren = (e: TypedExpr, f: (x: TypedExpr) => TypedExpr): TypedExpr => {
  switch (e.kind) {
    case "call": {
      const args = e.args.map(f);
      return args.every((a, i) => a === e.args[i]) ? e : { ...e, args };
    }
    case "cast":
    case "field": {
      const child = f(e.child);
      return child === e.child ? e : { ...e, child };
    }
    case "case": {
      const branches = e.branches.map(([c, v]) => [f(c), f(v)] as const);
      const otherwise = f(e.otherwise);
      const same = branches.every(([c, v], i) => c === e.branches[i]![0] && v === e.branches[i]![1]);
      return same && otherwise === e.otherwise ? e : { ...e, branches, otherwise };
    }
    case "lambda": {
      const body = f(e.body);
      return body === e.body ? e : { ...e, body };
    }
    default:
      return e;
  }
};

/** Replaces top down: where `f` answers, its answer stands and is not entered. */
export const replace = (e: TypedExpr, f: (x: TypedExpr) => TypedExpr | undefined): TypedExpr =>
  f(e) ?? mapChildren(e, (x) => replace(x, f));
/** Rewrites bottom up. */
export const rewrite = (e: TypedExpr, f: (x: TypedExpr) => TypedExpr): TypedExpr =>
  f(mapChildren(e, (x) => rewrite(x, f)));
export const some = (e: TypedExpr, test: (x: TypedExpr) => boolean): boolean =>
  test(e) || children(e).some((c) => some(c, test));

/** Attributes used, each once, in order of appearance. */
export const attributesOf = (...exprs: readonly TypedExpr[]): readonly Attribute[] => {
  const found = new Map<number, Attribute>();
  const visit = (e: TypedExpr): void => {
    if (e.kind === "attribute") {
      if (!found.has(e.id)) found.set(e.id, e);
    } else children(e).forEach(visit);
  };
  exprs.forEach(visit);
  return [...found.values()];
};

/** Attributes by id replaced by expressions. */
export const substitute = (e: TypedExpr, by: ReadonlyMap<number, TypedExpr>): TypedExpr =>
  by.size === 0 ? e : replace(e, (x) => (x.kind === "attribute" ? by.get(x.id) : undefined));

const valueKey = (v: Value): string =>
  JSON.stringify(v, (_k, x: unknown) => {
    if (typeof x === "bigint") return { n: x.toString() };
    if (typeof x === "number" && !Number.isFinite(x)) return { f: String(x) };
    return Object.is(x, -0) ? { f: "-0" } : x;
  });

/** Text equal for expressions that mean the same by their shape: attributes by id, lambda variables by their order. */
/** `GROUP BY a + 1` is found by `1 + a`. */
const COMMUTATIVE: ReadonlySet<string> = new Set(["+", "*", "and", "or", "=", "<=>", "&", "|", "^"]);

export const exprKey = (e: TypedExpr, variables: ReadonlyMap<number, number> = new Map()): string => {
  const inner = (x: TypedExpr): string => exprKey(x, variables);
  switch (e.kind) {
    case "literal":
      return `'${valueKey(e.value)}:${typeName(e.type)}`;
    case "attribute":
      return `#${e.id}`;
    case "slot":
      return `$${e.index}`;
    case "call":
      if (COMMUTATIVE.has(e.fn) && e.args.length === 2 && e.udf === undefined)
        return `${e.fn}(${e.args.map(inner).sort().join(",")})`;
      return `${e.fn}${e.udf === undefined ? "" : "!"}(${e.args.map(inner).join(",")})`;
    case "cast":
      return `${e.tryCast ? "try_cast" : "cast"}(${inner(e.child)}:${typeName(e.type)})`;
    case "case":
      return `case(${e.branches.map(([c, v]) => `${inner(c)}?${inner(v)}`).join(";")}:${inner(e.otherwise)})`;
    case "field":
      return `${inner(e.child)}.${e.index}`;
    case "variable":
      return `%${variables.get(e.id) ?? `?${e.id}`}`;
    case "lambda": {
      const within = new Map(variables);
      for (const p of e.parameters) within.set(p.id, within.size);
      return `(${e.parameters.length})=>${exprKey(e.body, within)}`;
    }
  }
};

const orderKey = (o: SortOrder<TypedExpr>): string =>
  `${exprKey(o.expr)}${o.descending ? "-" : "+"}${o.nullsFirst ? "f" : "l"}`;
export const ordersKey = (orders: readonly SortOrder<TypedExpr>[]): string => orders.map(orderKey).join(",");
export const aggregateKey = (c: AggregateCall): string =>
  [
    c.udf === undefined ? c.fn : `${c.fn}!`,
    c.args.map((a) => exprKey(a)).join(","),
    c.distinct ? "distinct" : "",
    c.filter === undefined ? "" : exprKey(c.filter),
    ordersKey(c.orderBy),
    c.ignoreNulls ? "ignore nulls" : "",
  ].join("|");

export const mapOrders = (
  orders: readonly SortOrder<TypedExpr>[],
  f: (e: TypedExpr) => TypedExpr,
): readonly SortOrder<TypedExpr>[] => orders.map((o) => ({ ...o, expr: f(o.expr) }));
export const mapAggregate = (c: AggregateCall, f: (e: TypedExpr) => TypedExpr): AggregateCall => ({
  ...c,
  args: c.args.map(f),
  filter: c.filter === undefined ? undefined : f(c.filter),
  orderBy: mapOrders(c.orderBy, f),
});
/** Every expression of a call. */
export const aggregateExprs = (c: AggregateCall): readonly TypedExpr[] => [
  ...c.args,
  ...(c.filter === undefined ? [] : [c.filter]),
  ...c.orderBy.map((o) => o.expr),
];
