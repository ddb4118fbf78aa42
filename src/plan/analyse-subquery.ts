/**
 * Subqueries. Correlated ones are turned into joins where the textbook rewrite applies (src/plan/decorrelate.ts), else into `apply`.
 *
 *  | where                         | becomes                                                                        |
 *  |-------------------------------|--------------------------------------------------------------------------------|
 *  | WHERE [NOT] EXISTS            | semi / anti join on the correlated conditions                                  |
 *  | WHERE x [NOT] IN              | semi join on x = c; anti join on x = c OR (x = c) IS NULL (a null refuses all)   |
 *  | scalar, one row for sure      | cross join                                                                     |
 *  | scalar, grouped by equalities | left join; an empty group gives what the aggregate gives for no rows            |
 *  | anything else                 | `apply` (batch, or over a static side)                                         |
 */
import { BOOLEAN, type DataType, LONG, NULL, STRING } from "../core/data-type.ts";
import type { Attribute, Expr, SourcePosition, TypedExpr } from "../expr/ast.ts";
import { type Analysis, fail, type Names, type Resolved } from "./analyse-context.ts";
import { type Env, ownColumn, typeIn, usesOwnColumn } from "./analyse-env.ts";
import { equalKeys } from "./analyse-joined.ts";
import { columnText, starColumns } from "./analyse-names.ts";
import { decorrelate, emptyValue, isSingleRow } from "./decorrelate.ts";
import type { LogicalPlan, NamedAggregate } from "./logical.ts";
import { aggregate, applyNode, expressionsOf, extend, join, project, simpleCall, walk } from "./nodes.ts";
import type { Relation } from "./relation.ts";
import {
  and,
  callOf,
  caseOf,
  isNotNull,
  isNull,
  literal,
  longLiteral,
  nullOf,
  or,
  replace,
  stringLiteral,
  substitute,
  TRUE,
} from "./typed.ts";

type Subquery = Extract<Expr, { kind: "subquery" }>;

export interface Inner {
  readonly resolved: Resolved;
  /** Attributes of the query around that are used inside. */
  readonly outer: readonly Attribute[];
}

type Rekey = (e: TypedExpr) => TypedExpr;

/** Analyses a relation that sees the columns of `env`. */
export const innerQuery = (analysis: Analysis, relation: Relation, env: Env): Inner => {
  const used = new Map<number, Attribute>();
  const note = (e: TypedExpr): TypedExpr => {
    replace(e, (x) => {
      if (x.kind === "attribute") used.set(x.id, x);
      return undefined;
    });
    return e;
  };
  const names: Names = {
    ...env.names,
    outer: {
      used,
      resolve: (parts, position) => {
        const match = ownColumn(env, parts, position);
        if (match !== undefined) return { expr: note(match.base), rest: match.rest };
        const further = env.names.outer?.resolve(parts, position);
        if (further !== undefined) note(further.expr);
        return further;
      },
      text: (parts) => columnText(env.visible, parts) ?? env.names.outer?.text(parts),
      star: (qualifier) => starColumns(env.visible, qualifier) ?? env.names.outer?.star(qualifier),
      aggregate: (call) => {
        const own = usesOwnColumn(env, call);
        const value = own ? env.aggregate?.(call, env) : env.names.outer?.aggregate?.(call);
        return value === undefined ? undefined : note(value);
      },
    },
  };
  const resolved = analysis.relation(relation, names);
  analysis.outerUses.set(relation, usesOf(resolved.plan, used));
  return { resolved, outer: [...used.values()] };
};

/** Uses of outer columns, operators from the top and their expressions from the left, as Spark lists them. */
const usesOf = (plan: LogicalPlan, outer: ReadonlyMap<number, Attribute>): readonly string[] => {
  const found: string[] = [];
  if (outer.size === 0) return found;
  walk(plan, (p) => {
    for (const e of expressionsOf(p))
      replace(e, (x) => {
        if (x.kind === "attribute" && outer.has(x.id)) found.push(x.name);
        return undefined;
      });
  });
  return found;
};

const refuseStreams = (analysis: Analysis, inner: Inner, e: Subquery): void => {
  if (!inner.resolved.plan.streaming) return;
  if (e.mode === "scalar" || analysis.options.compatibility === "spark")
    fail(
      "INVALID_SUBQUERY_EXPRESSION.STREAMING_QUERY",
      "Invalid subquery: Streaming query is not allowed in subquery expressions.",
      e.position,
      "join the stream instead",
    );
};

const onlyColumn = (inner: Inner, e: Subquery): Attribute => {
  const columns = inner.resolved.columns;
  if (columns.length !== 1)
    fail(
      "INVALID_SUBQUERY_EXPRESSION.SCALAR_SUBQUERY_RETURN_MORE_THAN_ONE_OUTPUT_COLUMN",
      `Invalid subquery: Scalar subquery must return only one column, but got ${columns.length}.`,
      e.position,
    );
  return columns[0]!.attribute;
};

/** `values IN (columns)` as a condition. */
const inCondition = (
  inner: Inner,
  values: readonly TypedExpr[],
  position: SourcePosition | undefined,
): TypedExpr => {
  const columns = inner.resolved.columns;
  if (columns.length !== values.length)
    return fail(
      "DATATYPE_MISMATCH.IN_SUBQUERY_LENGTH_MISMATCH",
      `The number of columns in the left hand side of an IN subquery (${values.length}) does not match the number of columns in the output of subquery (${columns.length}).`,
      position,
    );
  return and(values.map((v, i) => equalKeys(v, columns[i]!.attribute)))!;
};

/** Subqueries of one operator, joined on below it. */
export class Subqueries {
  readonly #analysis: Analysis;
  readonly #steps: ((plan: LogicalPlan, rekey: Rekey) => LogicalPlan)[] = [];
  readonly #attributes: Attribute[] = [];

  constructor(analysis: Analysis) {
    this.#analysis = analysis;
  }

  get any(): boolean {
    return this.#steps.length > 0;
  }

  /** Columns that `apply` adds. */
  get attributes(): readonly Attribute[] {
    return this.#attributes;
  }

  /** The plan with the columns that `resolve` answered with. */
  apply(plan: LogicalPlan, rekey: Rekey = (e) => e): LogicalPlan {
    return this.#steps.reduce((p, step) => step(p, rekey), plan);
  }

  /** A conjunct of a WHERE: EXISTS or IN, as a semi or anti join. */
  join(plan: LogicalPlan, e: Subquery, env: Env): LogicalPlan {
    const inner = innerQuery(this.#analysis, e.relation as Relation, env);
    refuseStreams(this.#analysis, inner, e);
    const values = e.values.map((v) => typeIn(env, v));
    const below = this.apply(plan);
    this.#steps.length = 0;
    const member = e.mode === "in" ? inCondition(inner, values, e.position) : undefined;
    const matches =
      member !== undefined && e.negated && member.nullable ? or(member, isNull(member)) : member;
    const pulled = decorrelate(
      inner.resolved.plan,
      inner.outer,
      inner.resolved.columns.map((c) => c.attribute),
    );
    const how = e.negated ? "anti" : "semi";
    if (pulled === undefined || pulled.singleRow)
      return applyNode(below, inner.resolved.plan, how, matches, inner.outer);
    const condition = and([...(matches === undefined ? [] : [matches]), ...pulled.predicates]);
    return join(below, pulled.plan, how, condition, { origin: "subquery" });
  }

  /** A subquery inside an expression: a column. */
  resolve(e: Subquery, env: Env): TypedExpr {
    const inner = innerQuery(this.#analysis, e.relation as Relation, env);
    refuseStreams(this.#analysis, inner, e);
    if (e.mode === "scalar") return this.#scalar(inner, onlyColumn(inner, e));
    // as Spark's existence join: an unknown answer refuses the row, both for IN and for NOT IN
    const found =
      e.mode === "exists"
        ? this.#exists(inner)
        : callOf("coalesce", [this.#in(inner, e, env), literal(e.negated, BOOLEAN)], BOOLEAN, false);
    return e.negated ? callOf("not", [found], BOOLEAN) : found;
  }

  #made(name: string, type: DataType, nullable: boolean): Attribute {
    const attribute = this.#analysis.attribute(name, type, nullable);
    this.#attributes.push(attribute);
    return attribute;
  }

  #scalar(inner: Inner, column: Attribute): TypedExpr {
    const plan = inner.resolved.plan;
    if (!isSingleRow(plan)) return this.#onlyRow(inner, column);
    if (inner.outer.length === 0) {
      const value = this.#made("scalar", column.type, column.nullable);
      const right = project(plan, [{ attribute: value, expr: column }]);
      this.#steps.push((p) => join(p, right, "cross", undefined, { origin: "subquery" }));
      return value;
    }
    const pulled = decorrelate(plan, inner.outer, [column]);
    return pulled?.singleRow === true ? this.#grouped(inner, pulled, column) : this.#perRow(inner, column);
  }

  /** A query that may give any number of rows: its first one, and a failure where a row needs it and there are more. */
  #onlyRow(inner: Inner, column: Attribute): TypedExpr {
    const a = this.#analysis;
    const first = a.attribute("first", column.type, true);
    const n = a.attribute("n", LONG, true);
    const calls = [
      { attribute: first, call: simpleCall("first", [column], column.type, true) },
      { attribute: n, call: simpleCall("count", [], LONG, false) },
    ];
    const pulled = decorrelate(aggregate(inner.resolved.plan, [], calls), inner.outer, [first, n]);
    if (pulled === undefined) return this.#perRow(inner, column);
    this.#attributes.push(first, n);
    this.#steps.push((p, rekey) => {
      const on = and(pulled.predicates.map(this.#outerRekeyed(inner, rekey)));
      return join(p, pulled.plan, on === undefined ? "cross" : "left", on, { origin: "subquery" });
    });
    return caseOf([[callOf(">", [n, longLiteral(1)], BOOLEAN), tooManyRows(column.type)]], first);
  }

  /** What no join can say: run for each row. */
  #perRow(inner: Inner, column: Attribute): TypedExpr {
    const value = this.#made("scalar", column.type, true);
    const right = project(inner.resolved.plan, [{ attribute: value, expr: column }]);
    this.#steps.push((p, rekey) => this.#applied(p, right, inner.outer, rekey));
    return value;
  }

  /** An aggregate without GROUP BY, correlated by equalities: grouped by them and joined from the left. */
  #grouped(inner: Inner, pulled: NonNullable<ReturnType<typeof decorrelate>>, column: Attribute): TypedExpr {
    const value = this.#made("scalar", column.type, true);
    const marker = this.#made("matched", BOOLEAN, true);
    const keyed = pulled.plan.output.filter((x) => x.id !== column.id);
    const right = project(pulled.plan, [
      { attribute: value, expr: column },
      { attribute: marker, expr: TRUE },
      ...keyed.map((x) => ({ attribute: x, expr: x })),
    ]);
    this.#steps.push((p, rekey) =>
      join(p, right, "left", and(pulled.predicates.map(this.#outerRekeyed(inner, rekey))), {
        origin: "subquery",
      }),
    );
    const empty = emptyValue(inner.resolved.plan, column);
    if (empty.kind === "literal" && empty.value === null) return value;
    return caseOf([[isNull(marker), empty]], value);
  }

  /** Outer attributes as the plan below gives them; inner ones stay. */
  #outerRekeyed(inner: Inner, rekey: Rekey): Rekey {
    const outer = new Set(inner.outer.map((x) => x.id));
    return (e) => replace(e, (x) => (x.kind === "attribute" && outer.has(x.id) ? rekey(x) : undefined));
  }

  #applied(p: LogicalPlan, right: LogicalPlan, outer: readonly Attribute[], rekey: Rekey): LogicalPlan {
    outer.forEach(rekey);
    return applyNode(p, right, "scalar", undefined, outer);
  }

  #exists(inner: Inner): TypedExpr {
    const a = this.#analysis;
    const n = a.attribute("n", { kind: "long" }, false);
    const counted = aggregate(
      inner.resolved.plan,
      [],
      [{ attribute: n, call: simpleCall("count", [], n.type, false) }],
    );
    const found = a.attribute("exists", BOOLEAN, false);
    const plan = extend(counted, [
      { attribute: found, expr: callOf(">", [n, longLiteral(0)], BOOLEAN, false) },
    ]);
    return this.#scalar({ resolved: { plan, columns: [], hidden: [] }, outer: inner.outer }, found);
  }

  /** The same for one value and a query of its own: the value is looked up among the distinct ones, and nulls are counted once. */
  #inSet(inner: Inner, value: TypedExpr, member: TypedExpr): TypedExpr {
    const a = this.#analysis;
    const column = inner.resolved.columns[0]!.attribute;
    const [rows, nulls] = [this.#made("rows", LONG, false), this.#made("nulls", LONG, false)];
    const counted = aggregate(
      inner.resolved.plan,
      [],
      [
        { attribute: rows, call: simpleCall("count", [], LONG, false) },
        { attribute: nulls, call: { ...simpleCall("count", [], LONG, false), filter: isNull(column) } },
      ],
    );
    const copy = a.attribute(column.name, column.type, column.nullable);
    const marker = this.#made("found", BOOLEAN, true);
    const values = aggregate(project(inner.resolved.plan, [{ attribute: copy, expr: column }]), [copy], [], {
      origin: "internal",
    });
    const marked = extend(values, [{ attribute: marker, expr: TRUE }]);
    const condition = substitute(member, new Map([[column.id, copy]]));
    this.#steps.push((p, rekey) => {
      const both = join(p, counted, "cross", undefined, { origin: "subquery" });
      const own = (e: TypedExpr): TypedExpr =>
        replace(e, (x) => (x.kind === "attribute" && x.id !== copy.id ? rekey(x) : undefined));
      return join(both, marked, "left", own(condition), { origin: "subquery" });
    });
    return caseOf(
      [
        [callOf("=", [rows, longLiteral(0)], BOOLEAN, false), literal(false, BOOLEAN)],
        [isNotNull(marker), TRUE],
        [or(isNull(value), callOf(">", [nulls, longLiteral(0)], BOOLEAN, false)), nullOf(BOOLEAN)],
      ],
      literal(false, BOOLEAN),
    );
  }

  /** Three-valued: true when one is equal, else null when one comparison is, else false; false for no rows. */
  #in(inner: Inner, e: Subquery, env: Env): TypedExpr {
    const a = this.#analysis;
    const values = e.values.map((v) => typeIn(env, v));
    const member = inCondition(inner, values, e.position);
    if (inner.outer.length === 0 && values.length === 1) return this.#inSet(inner, values[0]!, member);
    const counter = (name: string, filter: TypedExpr): NamedAggregate => ({
      attribute: a.attribute(name, { kind: "long" }, false),
      call: { ...simpleCall("count", [], { kind: "long" }, false), filter },
    });
    const hits = counter("hits", member);
    const unknown = counter("unknown", isNull(member));
    const counted = aggregate(inner.resolved.plan, [], [hits, unknown]);
    const positive = (x: Attribute): TypedExpr => callOf(">", [x, longLiteral(0)], BOOLEAN, false);
    const verdict = caseOf(
      [
        [positive(hits.attribute), TRUE],
        [positive(unknown.attribute), nullOf(BOOLEAN)],
      ],
      literal(false, BOOLEAN),
    );
    const found = a.attribute("in", BOOLEAN, true);
    const plan = extend(counted, [{ attribute: found, expr: verdict }]);
    const outer = new Map(inner.outer.map((x) => [x.id, x]));
    for (const v of values)
      replace(v, (x) => (x.kind === "attribute" ? (outer.set(x.id, x), undefined) : undefined));
    return this.#scalar({ resolved: { plan, columns: [], hidden: [] }, outer: [...outer.values()] }, found);
  }
}

/** The failure of a scalar subquery with several rows, as a value of the type. */
const tooManyRows = (type: DataType): TypedExpr => {
  const none: DataType = { kind: "map", key: STRING, value: STRING, valueContainsNull: true };
  const args = [stringLiteral("SCALAR_SUBQUERY_TOO_MANY_ROWS"), literal([], none)];
  const raised = callOf("raise_error", args, NULL, true);
  return Object.freeze({ kind: "cast", child: raised, type, tryCast: false, nullable: true });
};
