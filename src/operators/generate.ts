/**
 * Table-generating functions (src/expr/generators). Output: the row's columns, then the generated ones. With `outer` a
 * row that generates nothing comes out once with nulls. Stateless.
 */
import { type Batch, batchOf, rowCount } from "../core/batch.ts";
import { AnalysisError } from "../core/errors.ts";
import type { Row } from "../core/value.ts";
import { takeVector, valueAt, vectorOf } from "../core/vector.ts";
import type { TypedExpr } from "../expr/ast.ts";
import { compileExprs } from "../expr/compile.ts";
import { generatorDefinition } from "../expr/generators.ts";
import { formatExpr } from "./expr-text.ts";
import type { EpochContext, Operator, OperatorKind } from "./operator.ts";
import { liveRows, overRows, type OnRowError } from "./row-errors.ts";

export interface GenerateSpec {
  readonly fn: string;
  /** As the generator's `resolve` gave them. */
  readonly args: readonly TypedExpr[];
  readonly outer: boolean;
}

export const generateKind: OperatorKind<GenerateSpec> = {
  kind: "generate",
  stateful: false,
  create: (spec, [input], output): Operator => {
    const evaluate = compileExprs(spec.args);
    const definition = generatorDefinition(spec.fn);
    if (definition === undefined)
      throw new AnalysisError(`there is no table-generating function ${spec.fn}`, {
        errorClass: "UNRESOLVABLE_TABLE_VALUED_FUNCTION",
      });
    const width = input!.fields.length;
    const generated = output.fields.slice(width);
    const nothing: Row = generated.map(() => null);
    let epoch: EpochContext;
    let onRowError: OnRowError;
    const rowsFrom = (batch: Batch): { batch: Batch; result: readonly (readonly Row[])[] } =>
      overRows(batch, onRowError, (b) => {
        const vectors = evaluate(b, epoch);
        return Array.from({ length: rowCount(b) }, (_, i) => {
          const rows = definition.generate(vectors.map((v) => valueAt(v, i)));
          return rows.length === 0 && spec.outer ? [nothing] : rows;
        });
      });
    return {
      open: (context) => {
        onRowError = context.onRowError;
      },
      begin: (context) => {
        epoch = context;
      },
      process: (batch, _port, out) => {
        const { batch: kept, result } = rowsFrom(batch);
        const live = liveRows(kept);
        const rows = result.flat();
        if (rows.length === 0) return;
        const from = Int32Array.from(result.flatMap((made, i) => made.map(() => live[i]!)));
        const columns = [
          ...kept.columns.map((v) => takeVector(v, from)),
          ...generated.map((f, c) =>
            vectorOf(
              f.type,
              rows.map((r) => r[c]!),
            ),
          ),
        ];
        out.emit(batchOf(output, rows.length, columns));
      },
    };
  },
  describe: (spec) =>
    `Generate ${spec.outer ? "outer " : ""}${spec.fn}(${spec.args.map(formatExpr).join(", ")})`,
  stateFingerprint: () => "",
};
