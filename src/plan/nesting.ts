/** Plans and expressions are walked recursively: one so deep that the stack does not hold it is an error of the query, not of the engine. */
import { AnalysisError } from "../core/errors.ts";

/** Calls `f`. Throws AnalysisError FAILED_TO_PARSE_TOO_COMPLEX where it would run out of stack. */
export const withinStack = <R>(f: () => R): R => {
  try {
    return f();
  } catch (e) {
    if (!(e instanceof RangeError && e.message.includes("call stack"))) throw e;
    throw new AnalysisError(
      "[FAILED_TO_PARSE_TOO_COMPLEX] The query is nested too deep: thousands of verbs or operators one above the other.",
      {
        errorClass: "FAILED_TO_PARSE_TOO_COMPLEX",
        hint: "add many columns by one withColumns, combine many conditions in a balanced way, or write what is done so far to a table and go on from there",
        cause: e,
      },
    );
  }
};
