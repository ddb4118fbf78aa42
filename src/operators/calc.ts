/**
 * A fused chain of filters and projections: one generated loop over the batch. Stateless.
 */
import { rowCount } from "../core/batch.ts";
import type { CalcStep } from "../expr/contract.ts";
import { compileCalc } from "../expr/compile.ts";
import { formatExpr } from "./expr-text.ts";
import type { EpochContext, Operator, OperatorKind } from "./operator.ts";
import { overRows, type OnRowError } from "./row-errors.ts";

export interface CalcSpec {
  readonly steps: readonly CalcStep[];
}

const describeStep = (s: CalcStep): string =>
  s.kind === "filter"
    ? `filter(${formatExpr(s.condition)})`
    : `project(${s.exprs.map((e, i) => `${formatExpr(e)} AS ${s.names[i]}`).join(", ")})`;

export const calcKind: OperatorKind<CalcSpec> = {
  kind: "calc",
  stateful: false,
  create: (spec, [input]): Operator => {
    const calc = compileCalc(input!, spec.steps);
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
        const { result } = overRows(batch, onRowError, (b) => calc.run(b, epoch));
        if (rowCount(result) > 0) out.emit(result);
      },
    };
  },
  describe: (spec) => `Calc [${spec.steps.map(describeStep).join(", ")}]`,
  stateFingerprint: () => "",
};
