/**
 * ORDER BY over the rows of one epoch (complete mode, batch), with an optional limit. Stable: rows that compare equal keep the order in which they came.
 * Strings order by their UTF-8 bytes, NaN is the greatest number (`src/expr/value-order`). Holds the epoch's rows in memory.
 */
import { type Batch, batchFromRows, rowsOf } from "../core/batch.ts";
import { RESULT_ROWS_MAX } from "../core/limits.ts";
import type { Schema } from "../core/schema.ts";
import type { Row } from "../core/value.ts";
import { valueAt } from "../core/vector.ts";
import type { SortOrder, TypedExpr } from "../expr/ast.ts";
import { compileExprs } from "../expr/compile.ts";
import { compareValues } from "../expr/value-order.ts";
import { formatOrder } from "./expr-text.ts";
import type { EpochContext, Operator, OperatorKind, Output } from "./operator.ts";
import { overRows, type OnRowError } from "./row-errors.ts";

export interface SortSpec {
  readonly orders: readonly SortOrder<TypedExpr>[];
  /** Rows kept; all when absent. */
  readonly limit?: number;
}

/** Compares rows of sort keys, one value for each order. */
export const compareKeys = (orders: readonly SortOrder<TypedExpr>[]): ((a: Row, b: Row) => number) => {
  const each = orders.map((o) => compareValues(o.expr.type));
  return (a, b) => {
    for (let i = 0; i < orders.length; i++) {
      const x = a[i]!;
      const y = b[i]!;
      const order = orders[i]!;
      if (x === null || y === null) {
        if (x === y) continue;
        return (x === null) === order.nullsFirst ? -1 : 1;
      }
      const c = each[i]!(x, y);
      if (c !== 0) return order.descending ? -c : c;
    }
    return 0;
  };
};

interface Keyed {
  readonly key: Row;
  readonly row: Row;
}

class Sort implements Operator {
  readonly #spec: SortSpec;
  readonly #output: Schema;
  readonly #evaluate: ReturnType<typeof compileExprs>;
  readonly #compare: (a: Row, b: Row) => number;
  #rows: Keyed[] = [];
  #epoch!: EpochContext;
  #onRowError!: OnRowError;

  constructor(spec: SortSpec, output: Schema) {
    this.#spec = spec;
    this.#output = output;
    this.#evaluate = compileExprs(spec.orders.map((o) => o.expr));
    this.#compare = compareKeys(spec.orders);
  }

  open(context: { readonly onRowError: OnRowError }): void {
    this.#onRowError = context.onRowError;
  }

  begin(epoch: EpochContext): void {
    this.#epoch = epoch;
    this.#rows = [];
  }

  process(batch: Batch): void {
    const { batch: kept, result } = overRows(batch, this.#onRowError, (b) => this.#evaluate(b, this.#epoch));
    rowsOf(kept).forEach((row, i) => this.#rows.push({ key: result.map((v) => valueAt(v, i)), row }));
    const limit = this.#spec.limit ?? Infinity;
    // A bounded sort keeps a bounded number of rows.
    if (this.#rows.length > 2 * limit + RESULT_ROWS_MAX) this.#settle(limit);
  }

  #settle(limit: number): void {
    this.#rows.sort((a, b) => this.#compare(a.key, b.key));
    if (this.#rows.length > limit) this.#rows.length = limit;
  }

  end(out: Output): void {
    this.#settle(this.#spec.limit ?? Infinity);
    for (let from = 0; from < this.#rows.length; from += RESULT_ROWS_MAX) {
      const rows = this.#rows.slice(from, from + RESULT_ROWS_MAX).map((r) => r.row);
      out.emit(batchFromRows(this.#output, rows));
    }
    this.#rows = [];
  }
}

export const sortKind: OperatorKind<SortSpec> = {
  kind: "sort",
  stateful: false,
  create: (spec, _inputs, output) => new Sort(spec, output),
  describe: (spec) =>
    `Sort [${spec.orders.map(formatOrder).join(", ")}]${spec.limit === undefined ? "" : ` limit ${spec.limit}`}`,
  stateFingerprint: () => "",
};
