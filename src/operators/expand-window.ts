/**
 * Sliding windows: each row once for every window [start, start + size) that its time falls in, the window as an added last column.
 * Rows with a null time fall in none. Windows start at offset + k * slide; the latest window of a row comes first, as in Spark. Stateless.
 */
import { type Batch, batchOf, rowCount } from "../core/batch.ts";
import type { Value } from "../core/value.ts";
import { takeVector, type Vector } from "../core/vector.ts";
import type { TypedExpr } from "../expr/ast.ts";
import { compileExprs } from "../expr/compile.ts";
import { formatExpr } from "./expr-text.ts";
import type { EpochContext, Operator, OperatorKind } from "./operator.ts";
import { liveRows, overRows, type OnRowError } from "./row-errors.ts";

export interface ExpandWindowSpec {
  readonly time: TypedExpr;
  readonly sizeMs: number;
  readonly slideMs: number;
  readonly offsetMs: number;
}

/** Calls `each(start)` for the windows of a time, latest first. */
export const windowStarts = (
  time: number,
  { sizeMs, slideMs, offsetMs }: ExpandWindowSpec,
  each: (start: number) => void,
): void => {
  const last = Math.floor((time - offsetMs) / slideMs) * slideMs + offsetMs;
  for (let start = last; start > time - sizeMs; start -= slideMs) each(start);
};

const expand = (batch: Batch, times: Vector, spec: ExpandWindowSpec): readonly [Int32Array, Value[]] => {
  const live = liveRows(batch);
  const n = rowCount(batch);
  const rows: number[] = [];
  const windows: Value[] = [];
  // Rows of neighbouring times share their windows: one array a window, not a row.
  const known = new Map<number, Value>();
  for (let k = 0; k < n; k++) {
    if (times.nulls !== undefined && times.nulls[k] === 1) continue;
    windowStarts(times.data[k] as number, spec, (start) => {
      let window = known.get(start);
      if (window === undefined) known.set(start, (window = [start, start + spec.sizeMs]));
      rows.push(live[k]!);
      windows.push(window);
    });
  }
  return [Int32Array.from(rows), windows];
};

export const expandWindowKind: OperatorKind<ExpandWindowSpec> = {
  kind: "expandWindow",
  stateful: false,
  create: (spec, _inputs, output): Operator => {
    const evaluate = compileExprs([spec.time]);
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
        const [taken, windows] = expand(rows, result[0]!, spec);
        if (taken.length === 0) return;
        const columns: Vector[] = rows.columns.map((v) => takeVector(v, taken));
        columns.push({ layout: "any", data: windows, nulls: undefined });
        out.emit(batchOf(output, taken.length, columns));
      },
    };
  },
  describe: (spec) =>
    `ExpandWindow ${formatExpr(spec.time)} size ${spec.sizeMs} ms slide ${spec.slideMs} ms offset ${spec.offsetMs} ms`,
  stateFingerprint: () => "",
};
