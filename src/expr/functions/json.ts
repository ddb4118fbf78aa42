/** JSON: from_json, to_json, get_json_object, schema_of_json and the small ones. */
import {
  array as arrayOf,
  type DataType,
  field,
  INT,
  NULL,
  STRING,
  struct as structOf,
} from "../../core/data-type.ts";
import type { Value } from "../../core/value.ts";
import type { TypedExpr } from "../ast.ts";
import { parseSchemaText } from "../ddl.ts";
import type { BoundCall, CallSite, FunctionDefinition, TypeRule } from "../function.ts";
import { firstJson, pathSteps, textAtPath } from "../json-path.ts";
import { tryReadJson, writePrettyJson } from "../json-reader.ts";
import { fromJson, JsonMismatch, type JsonOptions, toJson } from "../json-values.ts";
import { any, map, signature } from "../rules.ts";
import { mismatch, analysisError, sqlType } from "../type-errors.ts";
import { checkSchemaText, schemaOfRule, textOnly, withOptions } from "./record-rules.ts";
import { constantOf, failure, family, strict } from "./definition.ts";
import { inferSchemaText, readingOf } from "./json-inference.ts";

const json = family("json");
type StringMap = readonly (readonly [string, string])[];

export const optionsOf = (
  entries: Value | undefined,
  call: BoundCall,
): JsonOptions & { readonly all: ReadonlyMap<string, string> } => {
  const all = new Map(((entries ?? []) as unknown as StringMap).map(([k, v]) => [k.toLowerCase(), v]));
  return {
    all,
    zone: all.get("timezone") ?? call.context.timeZone,
    timestampFormat: all.get("timestampformat"),
    timestampNtzFormat: all.get("timestampntzformat"),
    dateFormat: all.get("dateformat"),
    keepNullFields: all.get("ignorenullfields") === "false",
    sortKeys: all.get("sortkeys") === "true",
  };
};

/** The schema argument: a constant text, or a call of schema_of_json/_csv on a constant. */
export const schemaOf = (
  e: TypedExpr | undefined,
  site: CallSite,
  infer: (text: string) => string,
): DataType => {
  const text =
    constantOf(e) ??
    (e?.kind === "call" && e.fn.startsWith("schema_of_")
      ? infer(String(constantOf(e.args[0]) ?? ""))
      : undefined);
  if (typeof text !== "string")
    throw analysisError(
      "INVALID_SCHEMA.NON_STRING_LITERAL",
      `The input schema of \`${site.fn}\` is not a valid schema string: the input expression must be a string literal.`,
      site.position,
    );
  return parseSchemaText(text);
};

const nullableAll = (t: DataType): DataType => {
  if (t.kind === "struct") return structOf(t.fields.map((f) => field(f.name, nullableAll(f.type), true)));
  return t.kind === "array" ? arrayOf(nullableAll(t.element), true) : t;
};

export const CORRUPT_DEFAULT = "_corrupt_record";

/** The type of the field for texts that do not fit, if the schema has it. */
const corruptIn = (type: DataType, options: TypedExpr | undefined, site: CallSite): DataType | undefined => {
  if (type.kind !== "struct") return undefined;
  const given = options && constantOf(site.fold?.(options) ?? options);
  const entries = Array.isArray(given) ? (given as unknown as StringMap) : [];
  const name = entries.find(([k]) => k.toLowerCase() === "columnnameofcorruptrecord")?.[1] ?? CORRUPT_DEFAULT;
  return type.fields.find((f) => f.name === name)?.type;
};

/** Keys of maps are strings, at every depth. */
const keysAreText = (t: DataType): boolean => {
  if (t.kind === "array") return keysAreText(t.element);
  if (t.kind === "map") return t.key.kind === "string" && keysAreText(t.value);
  return t.kind !== "struct" || t.fields.every((f) => keysAreText(f.type));
};

/** @throws ExecutionError PARSE_MODE_UNSUPPORTED for modes other than PERMISSIVE and FAILFAST; unknown ones are PERMISSIVE */
export const checkMode = (fn: string, all: ReadonlyMap<string, string>): void => {
  if (all.get("mode")?.toUpperCase() === "DROPMALFORMED")
    throw failure(
      "PARSE_MODE_UNSUPPORTED",
      `The function \`${fn}\` doesn't support the DROPMALFORMED mode. Acceptable modes are PERMISSIVE and FAILFAST.`,
    );
};

const fromJsonRule: TypeRule = withOptions(2, (args, site) => {
  checkSchemaText(args[1], site);
  const base = signature([textOnly, STRING, map], NULL, { optional: 1, nullable: true })(args, site);
  const type = nullableAll(schemaOf(base.args[1], site, (text) => inferSchemaText(text, new Map())));
  if (!keysAreText(type))
    throw mismatch(
      "INVALID_JSON_MAP_KEY_TYPE",
      site,
      base.args,
      `Input schema "${sqlType(type)}" can only contain "STRING" as a key type for a "MAP".`,
    );
  const corrupt = corruptIn(type, base.args[2], site);
  if (corrupt !== undefined && corrupt.kind !== "string")
    throw analysisError(
      "INVALID_CORRUPT_RECORD_TYPE",
      `The column for corrupt records must have the nullable STRING type, but got "${sqlType(corrupt)}".`,
      site.position,
    );
  if (!["struct", "array", "map", "variant"].includes(type.kind))
    throw analysisError(
      "DATATYPE_MISMATCH.INVALID_JSON_SCHEMA",
      `Cannot resolve "from_json" due to data type mismatch: Input schema "${sqlType(type)}" must be a struct, an array, a map or a variant.`,
      site.position,
    );
  return { ...base, type };
});

const parseRecord = (text: string, call: BoundCall, options: Value | undefined): Value => {
  const type = call.type;
  const o = optionsOf(options, call);
  checkMode("from_json", o.all);
  if (text.trim() === "") return null;
  let partial: Value;
  try {
    const parsed = tryReadJson(text, readingOf(o.all));
    if (parsed === undefined || parsed === null) throw new JsonMismatch();
    const single = type.kind === "array" && type.element.kind === "struct" && parsed instanceof Map;
    return fromJson(single ? [parsed] : parsed, type, o);
  } catch (e) {
    if (!(e instanceof JsonMismatch)) throw e;
    partial = e.partial;
  }
  if (o.all.get("mode")?.toUpperCase() === "FAILFAST")
    throw failure(
      "MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION",
      `Malformed records are detected in record parsing: ${text}. Parse Mode: FAILFAST.`,
    );
  if (type.kind !== "struct") return null;
  const corrupt = o.all.get("columnnameofcorruptrecord") ?? CORRUPT_DEFAULT;
  const row = (partial as readonly Value[] | null) ?? type.fields.map(() => null);
  return row.map((v, i) => (type.fields[i]!.name === corrupt ? text : v));
};

const CONVERTIBLE = new Set(["struct", "array", "map", "variant", "null"]);

const toJsonRule: TypeRule = withOptions(1, (args, site) => {
  if (args[0] !== undefined && !CONVERTIBLE.has(args[0].type.kind))
    throw mismatch(
      "INVALID_JSON_SCHEMA",
      site,
      args,
      `Input schema "${sqlType(args[0].type)}" must be a struct, an array, a map or a variant.`,
    );
  return signature([any, map], STRING, { optional: 1 })(args, site);
});

/** The JSON text, over several lines with the option `pretty`. */
const jsonOf = (v: Value, type: DataType, o: ReturnType<typeof optionsOf>): string => {
  const text = toJson(v, type, o);
  return o.all.get("pretty") === "true" ? writePrettyJson(tryReadJson(text)!) : text;
};

export const JSON_FUNCTIONS: readonly FunctionDefinition[] = [
  json(
    "from_json(text, schema[, options])",
    "A JSON text as a struct, array or map; fields that do not fit are null.",
    fromJsonRule,
    strict<[string, string, Value | undefined]>(([s, , options], call) => parseRecord(s, call, options)),
    { examples: [[`from_json('{"a":1, "b":0.8}', 'a INT, b DOUBLE')`, "{1, 0.8}"]] },
  ),
  json(
    "to_json(x[, options])",
    "A struct, array, map or variant as JSON text.",
    toJsonRule,
    strict<[Value, Value | undefined]>(([v, options], call) =>
      jsonOf(v, call.argTypes[0]!, optionsOf(options, call)),
    ),
    {
      examples: [["to_json(named_struct('a', 1, 'b', 2))", '{"a":1,"b":2}']],
    },
  ),
  json(
    "get_json_object(text, path)",
    "The value at a path such as $.a[0].b as text; null when there is none.",
    signature([textOnly, textOnly], STRING, { nullable: true }),
    strict<[string, string]>(([s, p]) => {
      // A name in double quotes is for variants only.
      const steps = p.includes('["') ? undefined : pathSteps(p);
      return steps === undefined ? null : textAtPath(s, steps);
    }),
    {
      examples: [[`get_json_object('{"a":"b"}', '$.a')`, "b"]],
    },
  ),
  json(
    "schema_of_json(text[, options])",
    "The schema of a JSON text as DDL.",
    schemaOfRule,
    strict<[string, Value | undefined]>(([s, options], call) =>
      inferSchemaText(s, optionsOf(options, call).all),
    ),
    { examples: [[`schema_of_json('[{"col":0}]')`, "ARRAY<STRUCT<col: BIGINT>>"]] },
  ),
  json(
    "json_array_length(text)",
    "The number of elements of a JSON array; null for anything else.",
    signature([textOnly], INT, { nullable: true }),
    strict<[string]>(([s]) => {
      const j = firstJson(s);
      return Array.isArray(j) ? j.length : null;
    }),
    { examples: [["json_array_length('[1,2,3,4]')", "4"]] },
  ),
  json(
    "json_object_keys(text)",
    "The keys of a JSON object; null for anything else.",
    signature([textOnly], arrayOf(STRING, true), { nullable: true }),
    strict<[string]>(([s]) => {
      const j = firstJson(s);
      return j instanceof Map ? [...j.keys()] : null;
    }),
    { examples: [[`json_object_keys('{"key": "value"}')`, "[key]"]] },
  ),
];
