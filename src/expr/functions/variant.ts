/** Variants: parse_json, variant_get, schema_of_variant and their kin; those that change variants are in variant-edit.ts. */
import { BOOLEAN, type DataType, STRING, VARIANT } from "../../core/data-type.ts";
import { ExecutionError } from "../../core/errors.ts";
import type { Value } from "../../core/value.ts";
import { castFunction } from "../cast.ts";
import { castAllowed } from "../coercion.ts";
import { parseTypeText } from "../ddl.ts";
import type { BoundCall, FunctionDefinition, TypeRule } from "../function.ts";
import { pathSteps, valueAtPath } from "../json-path.ts";
import { tryReadJson, writeJson } from "../json-reader.ts";
import { type JsonOptions, toJson } from "../json-values.ts";
import { array, map, oneOf, signature, struct, variant } from "../rules.ts";
import { mismatch, analysisError, sqlType } from "../type-errors.ts";
import { fromVariant, toVariant } from "../variant.ts";
import { schemaText, variantSchema } from "../variant-schema.ts";
import { constantOf, custom, failure, family, strict } from "./definition.ts";
import { textOnly } from "./record-rules.ts";

const variants = family("variant");

const parseVariant = (text: string, lenient: boolean): Value => {
  const j = tryReadJson(text, { firstOnly: true, duplicateKeys: "refused" });
  if (j !== undefined) return toVariant(j);
  if (lenient) return null;
  throw failure(
    "MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION",
    `Malformed records are detected in record parsing: ${text}. Parse Mode: FAILFAST.`,
  );
};

const variantRule: TypeRule = (args, site) => {
  const base = signature([variant, textOnly, STRING], VARIANT, { optional: 1, nullable: true })(args, site);
  if (base.args.length === 2) return base;
  const text = constantOf(site.fold?.(base.args[2]!) ?? base.args[2]);
  if (typeof text !== "string")
    throw analysisError(
      "INVALID_SCHEMA.NON_STRING_LITERAL",
      `The type of \`${site.fn}\` must be a string literal.`,
      site.position,
    );
  const type = parseTypeText(text);
  if (!castAllowed(VARIANT, type))
    throw mismatch("CAST_WITHOUT_SUGGESTION", site, args, `cannot cast "VARIANT" to "${sqlType(type)}".`);
  return { ...base, type };
};

const variantGet = (v: Value, path: string, call: BoundCall, lenient: boolean): Value => {
  const steps = pathSteps(path);
  if (steps === undefined || steps.some((s) => s.kind === "all"))
    throw failure(
      "INVALID_VARIANT_GET_PATH",
      `The path \`${path}\` is not a valid variant extraction path. A valid path should start with \`$\` and is followed by zero or more segments like \`[123]\`, \`.name\`, \`['name']\`.`,
    );
  const found = valueAtPath(fromVariant(v), steps);
  if (found === undefined) return null;
  const value = toVariant(found);
  if (call.type.kind === "variant") return value;
  if (found === null) return null;
  try {
    return castFunction(VARIANT, call.type, { timeZone: call.context.timeZone })(value);
  } catch (e) {
    if (!(e instanceof ExecutionError)) throw e;
    if (lenient) return null;
    throw failure(
      "INVALID_VARIANT_CAST",
      `The variant value \`${typeof found === "string" ? found : writeJson(found)}\` cannot be cast into "${sqlType(call.type)}". Please use \`try_variant_get\` instead.`,
    );
  }
};

const getting = (name: string, lenient: boolean): FunctionDefinition =>
  variants(
    `${name}(variant, path[, type])`,
    `The value of a variant at a path, cast to a type${lenient ? "; null where it does not fit" : ""}.`,
    variantRule,
    strict<[Value, string]>(([v, p], call) => variantGet(v, p, call, lenient)),
    {
      examples: [[`${name}(parse_json('{"a": 1}'), '$.a', 'int')`, "1"]],
    },
  );

/** Keys of maps are strings, at every depth. */
const keysAreText = (t: DataType): boolean => {
  if (t.kind === "array") return keysAreText(t.element);
  if (t.kind === "map") return t.key.kind === "string" && keysAreText(t.value);
  return t.kind !== "struct" || t.fields.every((f) => keysAreText(f.type));
};

const objectRule: TypeRule = (args, site) => {
  const base = signature([oneOf(struct, array, map, variant)], VARIANT)(args, site);
  if (!keysAreText(base.args[0]!.type))
    throw mismatch(
      "CAST_WITHOUT_SUGGESTION",
      site,
      args,
      `cannot cast "${sqlType(base.args[0]!.type)}" to "VARIANT".`,
    );
  return base;
};

export const VARIANT_FUNCTIONS: readonly FunctionDefinition[] = [
  variants(
    "parse_json(text)",
    "A JSON text as a variant.",
    signature([textOnly], VARIANT),
    strict<[string]>(([s]) => parseVariant(s, false)),
    { examples: [[`to_json(parse_json('{"a":1,"b":0.8}'))`, '{"a":1,"b":0.8}']] },
  ),
  variants(
    "try_parse_json(text)",
    "parse_json; null where the text is no JSON.",
    signature([textOnly], VARIANT, { nullable: true }),
    strict<[string]>(([s]) => parseVariant(s, true)),
  ),
  getting("variant_get", false),
  getting("try_variant_get", true),
  variants(
    "is_variant_null(variant)",
    "Whether a variant is the JSON null (false for a SQL null).",
    signature([variant], BOOLEAN, { nullable: false }),
    custom<[Value]>(([v]) => v !== null && fromVariant(v) === null),
    { examples: [["is_variant_null(parse_json('null'))", "true"]] },
  ),
  variants(
    "schema_of_variant(variant)",
    "The schema of a variant.",
    signature([variant], STRING),
    strict<[Value]>(([v]) => schemaText(variantSchema(fromVariant(v)))),
    { examples: [["schema_of_variant(parse_json('null'))", "VOID"]] },
  ),
  variants(
    "to_variant_object(x)",
    "A struct, array or map as a variant.",
    objectRule,
    strict<[Value]>(([v], call) => {
      const o: JsonOptions = { zone: call.context.timeZone, keepNullFields: true };
      return toVariant(tryReadJson(toJson(v, call.argTypes[0]!, o)) ?? null);
    }),
  ),
];
