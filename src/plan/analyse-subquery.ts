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
import type { Attribute, TypedExpr } from "../expr/ast.ts";
import type { Analysis } from "./analyse-context.ts";
import { type Env, typeIn } from "./analyse-env.ts";
import { decorrelate, emptyValue, isSingleRow } from "./decorrelate.ts";
import { type Inner, innerQuery } from "./inner-query.ts";
import type { LogicalPlan, NamedAggregate } from "./logical.ts";
import { aggregate, applyNode, extend, join, project, simpleCall } from "./nodes.ts";
import type { Relation } from "./relation.ts";
import {
  checkHost,
  inCondition,
  onlyColumn,
  refuseStreams,
  type Subquery,
  subqueryKey,
} from "./subquery-rules.ts";
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

type Rekey = (e: TypedExpr) => TypedExpr;

/** Subqueries of one operator, joined on below it. */
export class Subqueries {
  readonly #analysis: Analysis;
  readonly #steps: ((plan: LogicalPlan, rekey: Rekey) => LogicalPlan)[] = [];
  readonly #attributes: Attribute[] = [];
  readonly #answers = new Map<string, TypedExpr>();
  readonly #known: ReadonlyMap<string, TypedExpr>;

  /** `known`: subqueries that another operator below has already answered. */
  constructor(analysis: Analysis, known: ReadonlyMap<string, TypedExpr> = new Map()) {
    this.#analysis = analysis;
    this.#known = known;
  }

  /** By the text of a subquery: its value. */
  get answers(): ReadonlyMap<string, TypedExpr> {
    return this.#answers;
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
    const key = subqueryKey(e);
    const known = key === undefined ? undefined : this.#known.get(key);
    if (known !== undefined) return known;
    const value = this.#value(e, env);
    if (key !== undefined) this.#answers.set(key, value);
    return value;
  }

  #value(e: Subquery, env: Env): TypedExpr {
    const inner = innerQuery(this.#analysis, e.relation as Relation, env);
    refuseStreams(this.#analysis, inner, e);
    if (this.#analysis.options.compatibility === "spark") checkHost(e, inner, env);
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
