/** What the command line says about an error, and the exit code it means. A stack trace is shown only with `--log-level debug`. */
import { ConfigurationError, DataDirectoryInUseError, MillraceError } from "../core/errors.ts";
import { describeError } from "../node/log-output.ts";

/** 2: the call was wrong; 1: what was called failed. */
export const exitCodeOf = (error: unknown): number =>
  error instanceof ConfigurationError || error instanceof DataDirectoryInUseError ? 2 : 1;

const reported = new WeakSet<object>();

/** Whether an error has been printed: a query's failure, which the program that awaits it throws again. */
export const wasReported = (error: unknown): boolean =>
  typeof error === "object" && error !== null && reported.has(error);

/** Where the error's class is explained; classes that Spark keeps for itself (`_LEGACY…`) are not. */
const pageOf = (error: unknown): string => {
  const errorClass = error instanceof MillraceError ? error.errorClass?.split(".")[0] : undefined;
  return errorClass === undefined || errorClass.startsWith("_")
    ? ""
    : `  see docs/errors.md#${errorClass.toLowerCase()}\n`;
};

/** Prints an error once, however many promises reject with it. */
export const report = (error: unknown): void => {
  if (typeof error === "object" && error !== null) {
    if (reported.has(error)) return;
    reported.add(error);
  }
  const debug = process.env["MILLRACE_LOG_LEVEL"] === "debug";
  const named = error instanceof MillraceError && exitCodeOf(error) !== 2;
  const name = named && !debug ? `${error.name}: ` : "";
  process.stderr.write(`millrace: ${name}${describeError(error, debug)}\n${pageOf(error)}`);
};
