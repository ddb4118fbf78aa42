/**
 * A slow, plain evaluator of logical plans over rows in memory: the meaning that the analyser's and the optimiser's plans are tested against. Batch only.
 */
import type { Row, Value } from "../../src/core/value.ts";
import { vectorOf } from "../../src/core/vector.ts";
import type { AggregateCall, Attribute, SortOrder, TypedExpr, WindowFrame } from "../../src/expr/ast.ts";
import { accumulatorInputs, createAccumulator } from "../../src/expr/aggregates/registry.ts";
import { generatorDefinition } from "../../src/expr/generators.ts";
import { interpret } from "../../src/expr/interpret.ts";
import { compareNullable, equalValues, valueKey } from "../../src/expr/value-order.ts";
import { evaluateWindow, windowFunctionDefinition } from "../../src/expr/window-functions.ts";
import type { LogicalPlan } from "../../src/plan/logical.ts";
import { replace } from "../../src/plan/typed.ts";

type Of<K extends LogicalPlan["kind"]> = Extract<LogicalPlan, { kind: K }> & LogicalPlan;
type Rows = readonly Row[];

/** Rows of sources by name, values of outer columns, and rows of the recursive table. */
interface Scope {
  readonly sources: Readonly<Record<string, readonly Readonly<Record<string, Value>>[]>>;
  readonly outer: ReadonlyMap<number, Value>;
  readonly recursion: ReadonlyMap<number, Rows>;
}

const CONTEXT = { clockMs: 0, timeZone: "UTC" };

const evaluator = (output: readonly Attribute[], scope: Scope, e: TypedExpr): ((row: Row) => Value) => {
  const at = new Map(output.map((a, i) => [a.id, i]));
  const bound = replace(e, (x) => {
    if (x.kind !== "attribute") return undefined;
    const index = at.get(x.id);
    if (index !== undefined) return { kind: "slot", index, name: x.name, type: x.type, nullable: x.nullable };
    if (!scope.outer.has(x.id)) throw new Error(`no column ${x.name}#${x.id}`);
    return { kind: "literal", value: scope.outer.get(x.id)!, type: x.type, nullable: true };
  });
  return (row) => interpret(bound, row, CONTEXT);
};

/** Runs a plan. */
export const evaluatePlan = (plan: LogicalPlan, sources: Scope["sources"] = {}): Rows =>
  run(plan, { sources, outer: new Map(), recursion: new Map() });

const run = (p: LogicalPlan, s: Scope): Rows => {
  switch (p.kind) {
    case "source":
      return (s.sources[p.name] ?? []).map((r) => p.output.map((a) => r[a.name] ?? null));
    case "rows":
      return p.rows;
    case "project": {
      const exprs = p.exprs.map((e) => evaluator(p.child.output, s, e.expr));
      return run(p.child, s).map((r) => exprs.map((f) => f(r)));
    }
    case "filter": {
      const test = evaluator(p.child.output, s, p.condition);
      return run(p.child, s).filter((r) => test(r) === true);
    }
    case "watermark":
    case "observe":
    case "sample":
      return run(p.child, s);
    case "aggregate":
      return runAggregate(p, s);
    case "expand": {
      const sets = p.projections.map((set) => set.map((e) => evaluator(p.child.output, s, e)));
      return run(p.child, s).flatMap((r) => sets.map((set) => set.map((f) => f(r))));
    }
    case "expandWindow":
      return runExpandWindow(p, s);
    case "join":
      return runJoin(p, s);
    case "union":
      return p.children.flatMap((c) => run(c, s));
    case "sort":
      return sorted(run(p.child, s), p.orders, p.child.output, s);
    case "limit":
      return run(p.child, s).slice(p.offset, p.limit === undefined ? undefined : p.offset + p.limit);
    default:
      return runOther(p, s);
  }
};

const runOther = (p: LogicalPlan, s: Scope): Rows => {
  switch (p.kind) {
    case "dedup": {
      const key = keyOf(p.keys, p.child.output, s);
      const seen = new Set<string>();
      return run(p.child, s).filter((r) => !seen.has(key(r)) && seen.add(key(r)));
    }
    case "window":
      return runWindow(p, s);
    case "generate": {
      const args = p.args.map((e) => evaluator(p.child.output, s, e));
      const make = generatorDefinition(p.fn)!.generate;
      return run(p.child, s).flatMap((r) => {
        const made = make(args.map((f) => f(r)));
        const rows = made.length === 0 && p.outer ? [p.generated.map(() => null)] : made;
        return rows.map((g) => [...r, ...g]);
      });
    }
    case "apply":
      return runApply(p, s);
    case "recursive": {
      let last = run(p.anchor, s);
      const all = [...last];
      while (last.length > 0) {
        last = run(p.step, { ...s, recursion: new Map(s.recursion).set(p.reference, last) });
        all.push(...last);
      }
      return all;
    }
    case "recursiveReference":
      return s.recursion.get(p.reference) ?? [];
    default:
      throw new Error(`${p.kind} is not evaluated`);
  }
};

const keyOf = (exprs: readonly TypedExpr[], output: readonly Attribute[], s: Scope): ((r: Row) => string) => {
  const parts = exprs.map((e) => ({ f: evaluator(output, s, e), key: valueKey(e.type) }));
  return (r) =>
    parts
      .map(({ f, key }) => {
        const v = f(r);
        const k = v === null ? null : key(v);
        return `${typeof k}:${String(k)}`;
      })
      .join("\u0001");
};

const grouped = (rows: Rows, key: (r: Row) => string): Row[][] => {
  const groups = new Map<string, Row[]>();
  for (const r of rows) {
    const k = key(r);
    const g = groups.get(k);
    if (g === undefined) groups.set(k, [r]);
    else g.push(r);
  }
  return [...groups.values()];
};

const aggregated = (call: AggregateCall, rows: Rows, output: readonly Attribute[], s: Scope): Value => {
  const test = call.filter === undefined ? undefined : evaluator(output, s, call.filter);
  const taken = test === undefined ? rows : rows.filter((r) => test(r) === true);
  const accumulator = createAccumulator(call);
  accumulator.ensure(1);
  const vectors = accumulatorInputs(call).map((e) => {
    const f = evaluator(output, s, e);
    return vectorOf(e.type, taken.map(f));
  });
  accumulator.update(new Int32Array(taken.length), taken.length, vectors, undefined);
  return accumulator.result(0);
};

const runAggregate = (p: Of<"aggregate">, s: Scope): Rows => {
  if (p.session !== undefined) throw new Error("sessions are not evaluated");
  const rows = run(p.child, s);
  const keys = p.keys.map((k) => evaluator(p.child.output, s, k));
  const groups =
    p.keys.length === 0
      ? p.aggregates.length === 0
        ? []
        : [rows]
      : grouped(rows, keyOf(p.keys, p.child.output, s));
  return groups.map((g) => [
    ...keys.map((f) => f(g[0]!)),
    ...p.aggregates.map((a) => aggregated(a.call, g, p.child.output, s)),
  ]);
};

const runExpandWindow = (p: Of<"expandWindow">, s: Scope): Rows => {
  const time = evaluator(p.child.output, s, p.time);
  return run(p.child, s).flatMap((r) => {
    const t = time(r) as number;
    const last = Math.floor((t - p.offsetMs) / p.slideMs) * p.slideMs + p.offsetMs;
    const out: Row[] = [];
    for (let start = last; start > t - p.sizeMs; start -= p.slideMs)
      out.push([...r, [start, start + p.sizeMs]]);
    return out;
  });
};

const nulls = (n: number): Row => new Array<Value>(n).fill(null);

const runJoin = (p: Of<"join">, s: Scope): Rows => {
  const [left, right] = [run(p.left, s), run(p.right, s)];
  const both = [...p.left.output, ...p.right.output];
  const test = p.condition === undefined ? () => true : evaluator(both, s, p.condition);
  const used = new Set<Row>();
  const out: Row[] = [];
  for (const l of left) {
    const partners = right.filter((r) => test([...l, ...r]) === true);
    partners.forEach((r) => used.add(r));
    if (p.how === "semi" || p.how === "anti") {
      if (partners.length > 0 === (p.how === "semi")) out.push(l);
      continue;
    }
    out.push(...partners.map((r) => [...l, ...r]));
    if (partners.length === 0 && (p.how === "left" || p.how === "full"))
      out.push([...l, ...nulls(p.right.output.length)]);
  }
  if (p.how === "right" || p.how === "full")
    out.push(...right.filter((r) => !used.has(r)).map((r) => [...nulls(p.left.output.length), ...r]));
  return out;
};

const runApply = (p: Of<"apply">, s: Scope): Rows => {
  const both = [...p.left.output, ...p.right.output];
  return run(p.left, s).flatMap((l): Rows => {
    const outer = new Map(s.outer);
    p.left.output.forEach((a, i) => outer.set(a.id, l[i]!));
    const test = p.condition === undefined ? () => true : evaluator(both, s, p.condition);
    const found = run(p.right, { ...s, outer }).filter((r) => test([...l, ...r]) === true);
    switch (p.how) {
      case "semi":
      case "anti":
        return found.length > 0 === (p.how === "semi") ? [l] : [];
      case "scalar":
        if (found.length > 1) throw new Error("SCALAR_SUBQUERY_TOO_MANY_ROWS");
        return [[...l, ...(found[0] ?? nulls(p.right.output.length))]];
      default:
        return found.length === 0 && p.how === "left"
          ? [[...l, ...nulls(p.right.output.length)]]
          : found.map((r) => [...l, ...r]);
    }
  });
};

type Orders = readonly SortOrder<TypedExpr>[];

const comparator = (orders: Orders, output: readonly Attribute[], s: Scope): ((a: Row, b: Row) => number) => {
  const parts = orders.map((o) => ({
    o,
    f: evaluator(output, s, o.expr),
    compare: compareNullable(o.expr.type),
  }));
  return (a, b) => {
    for (const { o, f, compare } of parts) {
      const [x, y] = [f(a), f(b)];
      if (x === null || y === null) {
        if (x === y) continue;
        return (x === null) === o.nullsFirst ? -1 : 1;
      }
      const c = compare(x, y);
      if (c !== 0) return o.descending ? -c : c;
    }
    return 0;
  };
};

const sorted = (rows: Rows, orders: Orders, output: readonly Attribute[], s: Scope): Rows =>
  [...rows].sort(comparator(orders, output, s));

/** ROWS frames with offsets; RANGE frames to unbounded or the current row's peers. */
const frameOf = (
  f: WindowFrame<TypedExpr>,
  i: number,
  n: number,
  peers: readonly number[],
): [number, number] => {
  const offset = (b: typeof f.start): number =>
    "offset" in b ? Number(interpret(b.offset, [], CONTEXT)) * (b.kind === "preceding" ? -1 : 1) : 0;
  const first = peers.indexOf(peers[i]!);
  const last = peers.lastIndexOf(peers[i]!);
  const start =
    f.start.kind === "unboundedPreceding" ? 0 : f.unit === "rows" ? Math.max(0, i + offset(f.start)) : first;
  const end =
    f.end.kind === "unboundedFollowing"
      ? n
      : f.unit === "rows"
        ? Math.min(n, i + offset(f.end) + 1)
        : last + 1;
  return [start, Math.max(start, end)];
};

const runWindow = (p: Of<"window">, s: Scope): Rows => {
  const output = p.child.output;
  const rows = run(p.child, s);
  const parts = p.partitionBy.length === 0 ? [[...rows]] : grouped(rows, keyOf(p.partitionBy, output, s));
  const compare = comparator(p.orderBy, output, s);
  return parts.flatMap((part) => {
    const ordered = p.orderBy.length === 0 ? part : [...part].sort(compare);
    let peer = 0;
    const peers = ordered.map((r, i) => (i > 0 && compare(ordered[i - 1]!, r) !== 0 ? ++peer : peer));
    const columns = p.functions.map(({ call, frame }) => {
      const frames = ordered.map((_r, i) => frameOf(frame, i, ordered.length, peers));
      if (windowFunctionDefinition(call.fn) !== undefined && !call.distinct && call.filter === undefined) {
        const fs = call.args.map((e) => evaluator(output, s, e));
        const args = ordered.map((r) => fs.map((f) => f(r)));
        return evaluateWindow(call.fn, {
          length: ordered.length,
          peers,
          args,
          frames,
          ignoreNulls: call.ignoreNulls,
        });
      }
      return frames.map(([a, b]) => aggregated(call, ordered.slice(a, b), output, s));
    });
    return ordered.map((r, i) => [...r, ...columns.map((c) => c[i]!)]);
  });
};

/** Whether two lists hold the same rows, in any order. */
export const sameRows = (a: Rows, b: Rows, output: readonly Attribute[]): boolean => {
  const equal = output.map((x) => equalValues(x.type));
  const rest = [...b];
  const same = (r: Row, q: Row): boolean =>
    r.every((v, i) => (v === null || q[i] === null ? v === q[i] : equal[i]!(v, q[i]!)));
  return (
    a.length === b.length &&
    a.every((r) => {
      const at = rest.findIndex((q) => same(r, q));
      if (at >= 0) rest.splice(at, 1);
      return at >= 0;
    })
  );
};
