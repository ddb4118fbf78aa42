/** Arguments as JavaScript programs may give them. Each check gives its argument back, or throws an AnalysisError that says what the verb takes. */
import { parseDuration } from "../core/duration.ts";
import { AnalysisError } from "../core/errors.ts";
import type { Relation } from "../plan/relation.ts";

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

/** The relation of another frame. */
export const relationArgument = (verb: string, x: unknown): Relation => {
  const held =
    typeof x === "object" && x !== null ? (x as { readonly relation?: Relation }).relation : undefined;
  return typeof held?.kind === "string" ? held : refuse(verb, "another DataFrame", x, undefined);
};

/** The columns of `schema({ … })`. */
export const schemaArgument = <T>(verb: string, x: T): T =>
  Array.isArray((x as { readonly fields?: unknown } | null | undefined)?.fields)
    ? x
    : refuse(verb, "a schema", x, "schema({ name: t.string, price: t.long })");

export const functionArgument = <T>(verb: string, takes: string, x: T, example?: string): T =>
  typeof x === "function" ? x : refuse(verb, takes, x, example);

/** Milliseconds of a duration. Throws ConfigurationError for a text that is none. */
export const durationArgument = (verb: string, x: unknown): number =>
  typeof x === "string" || typeof x === "number"
    ? parseDuration(x)
    : refuse(verb, "a duration", x, `for example "10 seconds"`);

/** Options as the connectors take them: texts. A value that has no text (undefined, an object) is refused by its name. */
export const optionTexts = (verb: string, options: unknown): readonly (readonly [string, string])[] =>
  Object.entries(objectArgument(verb, "an object of options", options as object)).map(([name, value]) => {
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean")
      return [name, String(value)] as const;
    if (Array.isArray(value) && value.every((v) => typeof v === "string"))
      return [name, value.join(",")] as const;
    return refuse(`${verb} ${JSON.stringify(name)}`, "a text, a number or a boolean", value, undefined);
  });

export const tableName = (name: unknown): readonly string[] =>
  textArgument("table", "the name of a table or view", name).split(".");
