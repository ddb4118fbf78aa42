/**
 * Logical plans as text: one line a node, children below. Attributes are numbered in the order in which they appear, so that the
 * text is the same for the same query.
 */
import { typeName } from "../core/data-type.ts";
import type { AggregateCall, Attribute, SortOrder, TypedExpr, WindowFrame } from "../expr/ast.ts";
import type { LogicalPlan, Named } from "./logical.ts";
import { childrenOf } from "./nodes.ts";

/** Gives each attribute its number. */
class Numbers {
  readonly #ids = new Map<number, number>();
  readonly #shown: boolean;
  constructor(shown: boolean) {
    this.#shown = shown;
  }
  text(a: Attribute): string {
    if (!this.#shown) return a.name;
    const n = this.#ids.get(a.id) ?? this.#ids.size + 1;
    this.#ids.set(a.id, n);
    return `${a.name}#${n}`;
  }
}

const INFIX = /^(?:[^a-z]+|and|or|div)$/;
const TEXT_MAX = 60;

const literalText = (e: TypedExpr & { kind: "literal" }): string => {
  if (e.value === null) return "NULL";
  if (e.type.kind === "string") return `'${String(e.value)}'`;
  if (e.type.kind === "decimal") return `${String(e.value)}E-${e.type.scale}`;
  if (typeof e.value !== "object")
    return e.type.kind === "int" || e.type.kind === "boolean" || e.type.kind === "long"
      ? String(e.value)
      : `${String(e.value)}:${typeName(e.type)}`;
  const text = JSON.stringify(e.value, (_k, v: unknown) => (typeof v === "bigint" ? v.toString() : v));
  return text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}…` : text;
};

const exprText = (e: TypedExpr, n: Numbers): string => {
  const inner = (x: TypedExpr): string => exprText(x, n);
  switch (e.kind) {
    case "literal":
      return literalText(e);
    case "attribute":
      return n.text(e);
    case "slot":
    case "variable":
      return e.name;
    case "call":
      return INFIX.test(e.fn) && e.args.length === 2
        ? `(${inner(e.args[0]!)} ${e.fn} ${inner(e.args[1]!)})`
        : `${e.fn}(${e.args.map(inner).join(", ")})`;
    case "cast":
      return `${e.tryCast ? "try_cast" : "cast"}(${inner(e.child)} as ${typeName(e.type)})`;
    case "case":
      return `case ${e.branches.map(([c, v]) => `when ${inner(c)} then ${inner(v)}`).join(" ")} else ${inner(e.otherwise)} end`;
    case "field":
      return `${inner(e.child)}.${e.child.type.kind === "struct" ? (e.child.type.fields[e.index]?.name ?? e.index) : e.index}`;
    case "lambda":
      return `(${e.parameters.map((p) => p.name).join(", ")}) -> ${inner(e.body)}`;
  }
};

const ordersText = (orders: readonly SortOrder<TypedExpr>[], n: Numbers): string =>
  orders
    .map(
      (o) =>
        `${exprText(o.expr, n)} ${o.descending ? "desc" : "asc"} nulls ${o.nullsFirst ? "first" : "last"}`,
    )
    .join(", ");

const callText = (c: AggregateCall, n: Numbers): string => {
  const args = `${c.distinct ? "distinct " : ""}${c.args.map((a) => exprText(a, n)).join(", ")}`;
  const order = c.orderBy.length === 0 ? "" : ` within group (order by ${ordersText(c.orderBy, n)})`;
  const nulls = c.ignoreNulls ? " ignore nulls" : "";
  const filter = c.filter === undefined ? "" : ` filter (where ${exprText(c.filter, n)})`;
  return `${c.fn}(${args})${order}${nulls}${filter}`;
};

const namedText = (e: Named, n: Numbers): string =>
  e.expr.kind === "attribute" && e.expr.id === e.attribute.id
    ? n.text(e.attribute)
    : `${exprText(e.expr, n)} as ${n.text(e.attribute)}`;

const list = (attributes: readonly Attribute[], n: Numbers): string =>
  attributes.map((a) => n.text(a) + (a.eventTimeDelayMs === undefined ? "" : ` (event time)`)).join(", ");

const boundText = (b: WindowFrame<TypedExpr>["start"], n: Numbers): string =>
  "offset" in b ? `${exprText(b.offset, n)} ${b.kind}` : b.kind;

const line = (p: LogicalPlan, n: Numbers): string => {
  switch (p.kind) {
    case "source": {
      const pushed =
        p.source.pushed.length === 0
          ? ""
          : ` pushed [${p.source.pushed.map((e) => exprText(e, n)).join(", ")}]`;
      return `Source ${p.name === "" ? p.source.format : `${p.source.format} ${p.name}`} [${list(p.output, n)}]${pushed}`;
    }
    case "rows":
      return `Rows ${p.rows.length} [${list(p.output, n)}]`;
    case "project":
      return `Project [${p.exprs.map((e) => namedText(e, n)).join(", ")}]`;
    case "filter":
      return `Filter ${exprText(p.condition, n)}`;
    case "watermark":
      return `Watermark ${n.text(p.column)} delay ${p.delayMs} ms`;
    case "aggregate":
      return aggregateLine(p, n);
    case "expandWindow":
      return `ExpandWindow ${exprText(p.time, n)} size ${p.sizeMs} ms slide ${p.slideMs} ms offset ${p.offsetMs} ms as ${n.text(p.attribute)}`;
    case "expand":
      return `Expand ${p.projections.map((row) => `[${row.map((e) => exprText(e, n)).join(", ")}]`).join(" ")} as [${list(p.output, n)}]`;
    case "join":
      return `Join ${p.how}${p.nullAware === true ? " null-aware" : ""}${p.condition === undefined ? "" : ` on ${exprText(p.condition, n)}`}`;
    case "union":
      return `Union [${list(p.output, n)}]`;
    case "dedup":
      return `${p.withinWatermark ? "DedupWithinWatermark" : "Dedup"} [${list(p.keys, n)}]`;
    default:
      return otherLine(p, n);
  }
};

const aggregateLine = (p: Extract<LogicalPlan, { kind: "aggregate" }>, n: Numbers): string => {
  const calls = p.aggregates.map((a) => `${callText(a.call, n)} as ${n.text(a.attribute)}`).join(", ");
  const session =
    p.session === undefined
      ? ""
      : ` session of ${exprText(p.session.time, n)} gap ${exprText(p.session.gap, n)} ms`;
  const keys = list(p.keys, n);
  return p.aggregates.length === 0
    ? `Distinct [${keys}]${session}`
    : `Aggregate [${keys}] [${calls}]${session}`;
};

const otherLine = (p: LogicalPlan, n: Numbers): string => {
  switch (p.kind) {
    case "sort":
      return `Sort [${ordersText(p.orders, n)}]`;
    case "limit":
      return `Limit ${p.limit ?? "all"}${p.offset === 0 ? "" : ` offset ${p.offset}`}`;
    case "sample":
      return `Sample ${p.fraction} seed ${p.seed}`;
    case "window": {
      const calls = p.functions.map(
        (f) =>
          `${callText(f.call, n)} ${f.frame.unit} between ${boundText(f.frame.start, n)} and ${boundText(f.frame.end, n)} as ${n.text(f.attribute)}`,
      );
      return `Window [${calls.join(", ")}] partition by [${p.partitionBy.map((e) => exprText(e, n)).join(", ")}] order by [${ordersText(p.orderBy, n)}]${p.topN === undefined ? "" : ` top ${p.topN}`}`;
    }
    case "generate":
      return `Generate ${p.outer ? "outer " : ""}${p.fn}(${p.args.map((e) => exprText(e, n)).join(", ")}) as [${list(p.generated, n)}]`;
    case "mapRows":
      return `MapRows ${p.fn.mode} ${p.fn.name} [${list(p.output, n)}]`;
    case "groupState":
      return `GroupState ${p.fn.mode} ${p.fn.name} by [${list(p.keys, n)}] timeout ${p.fn.timeout} [${list(p.output, n)}]`;
    case "observe":
      return `Observe ${p.name} [${p.metrics.map((m) => m.attribute.name).join(", ")}]`;
    case "late":
      return `Late [${list(p.output, n)}]`;
    case "emit":
      return `EarlyRows ${p.everyMs === undefined ? "every epoch" : `every ${p.everyMs} ms`}, final: ${n.text(p.marker)}`;
    case "apply":
      return `Apply ${p.how} outer [${list(p.outer, n)}]${p.condition === undefined ? "" : ` on ${exprText(p.condition, n)}`}`;
    case "recursive":
      return `Recursive [${list(p.output, n)}]`;
    case "recursiveReference":
      return `RecursiveReference [${list(p.output, n)}]`;
    default:
      return p.kind;
  }
};

/** One node on one line, columns by name only: for messages. */
export const operatorLine = (p: LogicalPlan): string => line(p, new Numbers(false));

/** The whole plan. */
export const explainLogical = (plan: LogicalPlan): string => {
  const numbers = new Numbers(true);
  const out: string[] = [];
  // children first, so that numbers follow the rows' way up; lines are printed root first
  const lines = new Map<LogicalPlan, string>();
  const number = (p: LogicalPlan): void => {
    childrenOf(p).forEach(number);
    lines.set(p, line(p, numbers));
  };
  const print = (p: LogicalPlan, head: string, rest: string): void => {
    out.push(head + lines.get(p)!);
    const below = childrenOf(p);
    below.forEach((c, i) => {
      const last = i === below.length - 1;
      print(c, `${rest}+- `, last ? `${rest}   ` : `${rest}:  `);
    });
  };
  number(plan);
  print(plan, "", "");
  return `${out.join("\n")}\n`;
};
