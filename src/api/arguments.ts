/** Arguments as JavaScript programs may give them. Each check gives its argument back, or throws an AnalysisError that says what the verb takes. */
import { parseDuration } from "../core/duration.ts";
import { AnalysisError } from "../core/errors.ts";

/** What a value is, for messages: never its content. */
export const kindOf = (x: unknown): string =>
  x === null ? "null" : Array.isArray(x) ? "a list" : x === undefined ? "undefined" : `a ${typeof x}`;

const refuse = (verb: string, takes: string, x: unknown, example: string | undefined): never => {
  throw new AnalysisError(
    `${verb} takes ${takes}, not ${kindOf(x)}`,
    example === undefined ? {} : { hint: example },
  );
};

/** A text that is not empty. */
export const textArgument = (verb: string, takes: string, x: unknown, example?: string): string =>
  typeof x === "string" && x !== "" ? x : refuse(verb, takes, x === "" ? undefined : x, example);

export const objectArgument = <T>(verb: string, takes: string, x: T, example?: string): T & object =>
  typeof x === "object" && x !== null && !Array.isArray(x) ? x : refuse(verb, takes, x, example);

export const listArgument = <T>(
  verb: string,
  takes: string,
  x: readonly T[],
  example?: string,
): readonly T[] => (Array.isArray(x) ? x : refuse(verb, takes, x, example));

export const functionArgument = <T>(verb: string, takes: string, x: T, example?: string): T =>
  typeof x === "function" ? x : refuse(verb, takes, x, example);

/** Milliseconds of a duration. Throws ConfigurationError for a text that is none. */
export const durationArgument = (verb: string, x: unknown): number =>
  typeof x === "string" || typeof x === "number"
    ? parseDuration(x)
    : refuse(verb, "a duration", x, `for example "10 seconds"`);
