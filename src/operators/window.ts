/**
 * OVER: window functions over the rows of one epoch (batch). Output: the row's columns, then one per function. Partitions come out by the bytes of their
 * key, rows of a partition in their order; rows that compare equal stay as they came.
 */
import { type Batch, batchFromRows, rowsOf } from "../core/batch.ts";
import { RESULT_ROWS_MAX } from "../core/limits.ts";
import type { Schema } from "../core/schema.ts";
import type { Row, Value } from "../core/value.ts";
import { takeVector, valueAt, type Vector, vectorOf } from "../core/vector.ts";
import type { AggregateCall, SortOrder, TypedExpr, WindowFrame } from "../expr/ast.ts";
import { compileExprs } from "../expr/compile.ts";
import { evaluateWindow, windowFunctionDefinition } from "../expr/window-functions.ts";
import { accumulatorsOf, trueMask } from "./aggregate-calls.ts";
import { formatAggregate, formatExpr, formatOrder } from "./expr-text.ts";
import type { EpochContext, Operator, OperatorKind, Output } from "./operator.ts";
import { KeyEncoder } from "./row-keys.ts";
import { overRows, type OnRowError } from "./row-errors.ts";
import { compareKeys } from "./sort.ts";
import { type Frame, framesOf, type OrderedPartition } from "./window-frames.ts";

export interface WindowSpec {
  readonly partitionBy: readonly TypedExpr[];
  readonly orderBy: readonly SortOrder<TypedExpr>[];
  readonly functions: readonly {
    readonly call: AggregateCall;
    readonly frame: WindowFrame<TypedExpr>;
  }[];
}

interface Entry {
  readonly row: Row;
  /** Values of the ORDER BY, then what the functions need. */
  readonly key: Row;
  readonly needs: Row;
}

interface Need {
  readonly args: readonly number[];
  readonly filter: number | undefined;
}

class Window implements Operator {
  readonly #spec: WindowSpec;
  readonly #output: Schema;
  readonly #evaluate: ReturnType<typeof compileExprs>;
  readonly #encoder: KeyEncoder;
  readonly #compare: (a: Row, b: Row) => number;
  readonly #needed: readonly TypedExpr[];
  readonly #needs: readonly Need[];
  #partitions = new Map<string, Entry[]>();
  #epoch!: EpochContext;
  #onRowError!: OnRowError;

  constructor(spec: WindowSpec, output: Schema) {
    this.#spec = spec;
    this.#output = output;
    const needed: TypedExpr[] = [];
    const need = (e: TypedExpr): number => needed.push(e) - 1;
    this.#needs = spec.functions.map(({ call }) => ({
      args: [...call.args, ...call.orderBy.map((o) => o.expr)].map(need),
      filter: call.filter === undefined ? undefined : need(call.filter),
    }));
    this.#needed = needed;
    this.#evaluate = compileExprs([...spec.partitionBy, ...spec.orderBy.map((o) => o.expr), ...needed]);
    this.#encoder = new KeyEncoder(spec.partitionBy.map((e) => e.type));
    this.#compare = compareKeys(spec.orderBy);
  }

  open(context: { readonly onRowError: OnRowError }): void {
    this.#onRowError = context.onRowError;
  }

  begin(epoch: EpochContext): void {
    this.#epoch = epoch;
    this.#partitions = new Map();
  }

  process(batch: Batch): void {
    const { batch: kept, result } = overRows(batch, this.#onRowError, (b) => this.#evaluate(b, this.#epoch));
    const rows = rowsOf(kept);
    const from = this.#spec.partitionBy.length;
    const to = from + this.#spec.orderBy.length;
    const { keys } = this.#encoder.encode(result.slice(0, from), rows.length);
    const values = (vectors: readonly Vector[], i: number): Row => vectors.map((v) => valueAt(v, i));
    const ordering = result.slice(from, to);
    const needs = result.slice(to);
    rows.forEach((row, i) => {
      const entry = { row, key: values(ordering, i), needs: values(needs, i) };
      const list = this.#partitions.get(keys[i] ?? "");
      if (list === undefined) this.#partitions.set(keys[i] ?? "", [entry]);
      else list.push(entry);
    });
  }

  end(out: Output): void {
    let rows: Row[] = [];
    for (const key of [...this.#partitions.keys()].sort()) {
      for (const row of this.#partition(this.#partitions.get(key)!)) rows.push(row);
      if (rows.length < RESULT_ROWS_MAX) continue;
      out.emit(batchFromRows(this.#output, rows));
      rows = [];
    }
    if (rows.length > 0) out.emit(batchFromRows(this.#output, rows));
    this.#partitions = new Map();
  }

  #partition(entries: Entry[]): Row[] {
    entries.sort((a, b) => this.#compare(a.key, b.key));
    let peer = 0;
    const peers = entries.map((e, i) =>
      i > 0 && this.#compare(entries[i - 1]!.key, e.key) !== 0 ? ++peer : peer,
    );
    const partition = { length: entries.length, keys: entries.map((e) => e.key), peers };
    const columns = this.#spec.functions.map(({ call, frame }, f) => {
      const frames = framesOf(frame, partition, this.#spec.orderBy, this.#epoch);
      return this.#function(call, this.#needs[f]!, entries, partition, frames);
    });
    return entries.map((e, i) => [...e.row, ...columns.map((c) => c[i]!)]);
  }

  #function(
    call: AggregateCall,
    need: Need,
    entries: readonly Entry[],
    partition: OrderedPartition,
    frames: readonly Frame[],
  ): readonly Value[] {
    if (windowFunctionDefinition(call.fn) === undefined || call.distinct || call.filter !== undefined)
      return this.#aggregate(call, need, entries, frames);
    const args = entries.map((e) => need.args.map((i) => e.needs[i]!));
    const { length, peers } = partition;
    return evaluateWindow(call.fn, { length, peers, args, frames, ignoreNulls: call.ignoreNulls });
  }

  /** An aggregate over frames: rows are only added while frames grow at their end; any other move starts anew. */
  #aggregate(
    call: AggregateCall,
    need: Need,
    entries: readonly Entry[],
    frames: readonly Frame[],
  ): readonly Value[] {
    const [accumulator] = accumulatorsOf([call]);
    const column = (i: number): Vector =>
      vectorOf(
        this.#needed[i]!.type,
        entries.map((e) => e.needs[i]!),
      );
    const args = need.args.map(column);
    const filter = need.filter === undefined ? undefined : column(need.filter);
    accumulator!.ensure(1);
    let [start, end] = [0, 0];
    return frames.map(([from, to]) => {
      if (from !== start || to < end) {
        accumulator!.clear(0);
        [start, end] = [from, from];
      }
      if (to > end) {
        const n = to - end;
        const rows = Int32Array.from({ length: n }, (_, k) => end + k);
        const mask = filter === undefined ? undefined : trueMask(takeVector(filter, rows), n);
        accumulator!.update(
          new Int32Array(n),
          n,
          args.map((v) => takeVector(v, rows)),
          mask,
        );
        end = to;
      }
      return accumulator!.result(0);
    });
  }
}

export const windowKind: OperatorKind<WindowSpec> = {
  kind: "window",
  stateful: false,
  create: (spec, _inputs, output) => new Window(spec, output),
  describe: (spec) =>
    `Window [${spec.functions.map((f) => formatAggregate(f.call)).join(", ")}] partition by [${spec.partitionBy.map(formatExpr).join(", ")}] order by [${spec.orderBy.map(formatOrder).join(", ")}]`,
  stateFingerprint: () => "",
};
