/** Functions over whole rows as the plan holds them. */
import { AnalysisError } from "../core/errors.ts";
import type { Schema } from "../core/schema.ts";
import type { RowFunction } from "../plan/relation.ts";
import { durationArgument, objectArgument } from "./arguments.ts";
import type { Duration } from "./tags.ts";

/** How `mapAsync` calls its function. */
export interface AsyncOptions {
  /** Calls at a time. */
  readonly concurrency?: number;
  /** Longest a call may take. */
  readonly timeout?: Duration;
  /** Further attempts after one that failed. Default 0. */
  readonly retries?: number;
  /** Wait before another attempt. */
  readonly retryDelay?: Duration;
}

const checked = (verb: string, f: unknown, output: Schema): void => {
  if (typeof f !== "function")
    throw new AnalysisError(`${verb} takes a function of a row`, {
      hint: `${verb}(schema({ … }), row => …); filterRows(row => …)`,
    });
  if (!Array.isArray((output as Partial<Schema> | undefined)?.fields))
    throw new AnalysisError(`${verb} needs the schema of what it gives`, {
      hint: `${verb}(schema({ … }), row => …)`,
    });
};

const functionName = (f: (...args: never[]) => unknown, verb: string): string =>
  f.name === "" ? verb : f.name;

export const rowFunction = (
  mode: "map" | "flatMap" | "filter",
  apply: (row: never) => unknown,
  output: Schema,
): RowFunction => {
  const verb = mode === "filter" ? "filterRows" : mode;
  checked(verb, apply, output);
  return { name: functionName(apply, verb), mode, apply, output };
};

export const asyncFunction = (
  apply: (row: never) => unknown,
  output: Schema,
  asked: AsyncOptions,
): RowFunction => {
  checked("mapAsync", apply, output);
  const { concurrency, timeout, retries, retryDelay } = objectArgument(
    "mapAsync",
    "options as an object",
    asked,
  );
  for (const [name, value, least] of [
    ["concurrency", concurrency, 1],
    ["retries", retries, 0],
  ] as const)
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= least))
      throw new AnalysisError(`mapAsync: ${name} must be a whole number from ${least}`);
  const timeoutMs = timeout === undefined ? undefined : durationArgument("mapAsync: timeout", timeout);
  const retryDelayMs =
    retryDelay === undefined ? undefined : durationArgument("mapAsync: retryDelay", retryDelay);
  if (timeoutMs !== undefined && !(timeoutMs > 0))
    throw new AnalysisError(`mapAsync: the timeout must be above zero, but is ${timeoutMs} ms`);
  if (retryDelayMs !== undefined && !(retryDelayMs >= 0))
    throw new AnalysisError(`mapAsync: retryDelay must not be negative, but is ${retryDelayMs} ms`);
  const options = {
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(retries === undefined ? {} : { retries }),
    ...(retryDelayMs === undefined ? {} : { retryDelayMs }),
  };
  return { name: functionName(apply, "mapAsync"), mode: "mapAsync", apply, output, options };
};
