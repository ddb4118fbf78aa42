/** What the JSON and CSV functions ask of their arguments: texts that are texts already, constant ones for schemas, options as `map('name', 'value')`. */
import { STRING } from "../../core/data-type.ts";
import type { TypedExpr } from "../ast.ts";
import type { CallSite, TypeRule } from "../function.ts";
import { map, signature, type TypeClass } from "../rules.ts";
import { analysisError, mismatch, sqlType } from "../type-errors.ts";
import { constantOf } from "./definition.ts";

/** A string or null: nothing is cast to one. */
export const textOnly: TypeClass = {
  name: `"STRING"`,
  accepts: (t) => t.kind === "string",
  whenNull: STRING,
};

/** Refuses options that are no map of strings. */
const checkOptions = (options: TypedExpr | undefined, site: CallSite): void => {
  const t = options?.type;
  if (t === undefined || t.kind === "null") return;
  if (t.kind !== "map")
    throw analysisError(
      "INVALID_OPTIONS.NON_MAP_FUNCTION",
      "Invalid options: Must use the `map()` function for options.",
      site.position,
    );
  if (
    (t.key.kind !== "string" && t.key.kind !== "null") ||
    (t.value.kind !== "string" && t.value.kind !== "null")
  )
    throw analysisError(
      "INVALID_OPTIONS.NON_STRING_TYPE",
      `Invalid options: A type of keys and values in \`map()\` must be string, but got "${sqlType(t)}".`,
      site.position,
    );
};

/** `rule`, after a look at the options at `index`. */
export const withOptions =
  (index: number, rule: TypeRule): TypeRule =>
  (args, site) => {
    checkOptions(args[index], site);
    return rule(args, site);
  };

/** schema_of_json and schema_of_csv: a constant text that is not null, and options. */
export const schemaOfRule: TypeRule = withOptions(1, (args, site) => {
  const r = signature([textOnly, map], STRING, { optional: 1 })(args, site);
  const given = args[0]!;
  const text = constantOf(site.fold?.(given) ?? given);
  if (text === undefined)
    throw mismatch("NON_FOLDABLE_INPUT", site, args, 'the input should be a foldable "STRING" expression.');
  if (text === null) throw mismatch("UNEXPECTED_NULL", site, args, "the input must not be null.");
  return r;
});

/** Refuses a schema that is no text. */
export const checkSchemaText = (e: TypedExpr | undefined, site: CallSite): void => {
  if (e === undefined || e.type.kind === "string") return;
  throw analysisError(
    "INVALID_SCHEMA.NON_STRING_LITERAL",
    `The input schema of \`${site.fn}\` is not a valid schema string: the input expression must be a string literal.`,
    e.position ?? site.position,
  );
};
