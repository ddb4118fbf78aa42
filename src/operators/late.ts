/**
 * `df.late()`: the rows that the stateful operator below refused as late, instead of its results. The chain delivers them here (`Output.late`); this
 * operator only passes them on.
 */
import { batchOf } from "../core/batch.ts";
import type { Operator, OperatorKind } from "./operator.ts";

export const LATE_KIND = "late";

export interface LateSpec {
  /** Ordinals of the output's columns among those of the stateful operator's input. */
  readonly columns: readonly number[];
}

export const lateKind: OperatorKind<LateSpec> = {
  kind: LATE_KIND,
  stateful: false,
  create: ({ columns }, _inputs, output): Operator => ({
    process: (batch, _port, out) =>
      out.emit(
        batchOf(
          output,
          batch.length,
          columns.map((c) => batch.columns[c]!),
          batch.selection,
        ),
      ),
  }),
  describe: () => "Late rows of",
  stateFingerprint: () => "",
};
