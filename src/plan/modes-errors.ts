/** Refusals of streaming queries: Spark's sentence and class (none where Spark has none), the operator, the remedy. */
import type { OutputMode } from "../connectors/sink.ts";
import { AnalysisError } from "../core/errors.ts";
import { operatorLine } from "./explain-logical.ts";
import type { LogicalPlan } from "./logical.ts";

export interface ModeContext {
  readonly outputMode: OutputMode;
  readonly compatibility: "extended" | "spark";
  /** Whether the query has a streaming aggregate. */
  readonly aggregated: boolean;
}

/** `remedy` completes "To run it: …". */
export const refuse = (p: LogicalPlan, rule: string, remedy: string, errorClass?: string): never => {
  const head = errorClass === undefined ? "" : `[${errorClass}] `;
  throw new AnalysisError(
    `${head}${rule}. Operator: ${operatorLine(p)}. To run it: ${remedy}.`.replace("..", "."),
    {
      hint: remedy,
      ...(errorClass === undefined ? {} : { errorClass }),
    },
  );
};

/** STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION */
export const refuseMode = (p: LogicalPlan, context: ModeContext, operation: string, remedy: string): never =>
  refuse(
    p,
    `Invalid streaming output mode: ${context.outputMode}. This output mode is not supported for ${operation} on streaming DataFrames/DataSets`,
    remedy,
    "STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION",
  );

export const capitalised = (mode: OutputMode): string => mode[0]!.toUpperCase() + mode.slice(1);
