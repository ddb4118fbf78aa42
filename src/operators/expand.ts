/** GROUPING SETS: every row once for each list of expressions, in the order of the lists. Stateless. */
import { batchOf, rowCount } from "../core/batch.ts";
import type { Value } from "../core/value.ts";
import { valueAt, vectorOf } from "../core/vector.ts";
import type { TypedExpr } from "../expr/ast.ts";
import { compileExprs } from "../expr/compile.ts";
import { formatExpr } from "./expr-text.ts";
import type { EpochContext, Operator, OperatorKind } from "./operator.ts";
import { overRows, type OnRowError } from "./row-errors.ts";

export interface ExpandSpec {
  /** All of the same length and types as the output. */
  readonly projections: readonly (readonly TypedExpr[])[];
}

export const expandKind: OperatorKind<ExpandSpec> = {
  kind: "expand",
  stateful: false,
  create: (spec, _inputs, output): Operator => {
    const evaluate = compileExprs(spec.projections.flat());
    const width = output.fields.length;
    const sets = spec.projections.length;
    let epoch: EpochContext;
    let onRowError: OnRowError;
    return {
      open: (context) => {
        onRowError = context.onRowError;
      },
      begin: (context) => {
        epoch = context;
      },
      process: (batch, _port, out) => {
        const { batch: rows, result } = overRows(batch, onRowError, (b) => evaluate(b, epoch));
        const n = rowCount(rows);
        if (n === 0) return;
        // Row by row, not list by list: the order must not depend on where batches end (O1).
        const columns = output.fields.map((f, c) => {
          const values: Value[] = new Array(n * sets);
          for (let s = 0; s < sets; s++) {
            const from = result[s * width + c]!;
            for (let i = 0; i < n; i++) values[i * sets + s] = valueAt(from, i);
          }
          return vectorOf(f.type, values);
        });
        out.emit(batchOf(output, n * sets, columns));
      },
    };
  },
  describe: (spec) =>
    `Expand [${spec.projections.map((p) => `(${p.map(formatExpr).join(", ")})`).join(", ")}]`,
  stateFingerprint: () => "",
};
