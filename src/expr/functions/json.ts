/** JSON: from_json, to_json, get_json_object, schema_of_json and the small ones. Variant functions too: both read JSON. */
import {
  array as arrayOf,
  BOOLEAN,
  type DataType,
  decimal,
  DOUBLE,
  field,
  INT,
  LONG,
  NULL,
  STRING,
  VARIANT,
  BOOLEAN as BOOL,
  struct as structOf,
} from "../../core/data-type.ts";
import type { Value } from "../../core/value.ts";
import type { TypedExpr } from "../ast.ts";
import { castFunction } from "../cast.ts";
import { castAllowed, commonType } from "../coercion.ts";
import { parseSchemaText, parseTypeText } from "../ddl.ts";
import { DECIMAL_PRECISION_MAX, parseDecimalText } from "../decimal.ts";
import type { BoundCall, CallSite, FunctionDefinition, TypeRule } from "../function.ts";
import {
  type Json,
  jsonText,
  parsePath,
  type PathStep,
  tryParseJson,
  valuesAt,
  tryParseFirst,
} from "../json-path.ts";
import { fromJson, JsonMismatch, type JsonOptions, toJson } from "../json-values.ts";
import { array, map, oneOf, signature, struct, variant } from "../rules.ts";
import { ExecutionError } from "../../core/errors.ts";
import { mismatch, analysisError, sqlType } from "../type-errors.ts";
import { checkSchemaText, schemaOfRule, textOnly, withOptions } from "./record-rules.ts";
import { fromVariant, toVariant } from "../variant.ts";
import { schemaText, variantSchema } from "../variant-schema.ts";
import { constantOf, custom, failure, family, strict } from "./definition.ts";

const json = family("json");
const variants = family("variant");
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

const inferText = (text: string): string => sqlType(inferJson(tryParseJson(text) ?? null));

/** Numbers without the zeros in front of them; texts stay. */
const withoutLeadingZeros = (text: string): string =>
  text.replace(
    /("(?:[^"\\]|\\.)*")|(?<![\d.])(-?)0+(?=\d)/g,
    (_, s?: string, sign?: string) => s ?? sign ?? "",
  );

const inferWith = (text: string, all: ReadonlyMap<string, string>): string => {
  const on = (name: string): boolean => all.get(name)?.toLowerCase() === "true";
  const parsed = tryParseJson(on("allownumericleadingzeros") ? withoutLeadingZeros(text) : text);
  if (parsed === undefined)
    throw failure(
      "MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION",
      `Malformed records are detected in record parsing: ${text}.`,
    );
  return sqlType(inferJson(parsed, { strings: on("primitivesasstring"), decimals: on("prefersdecimal") }));
};

const fromJsonRule: TypeRule = withOptions(2, (args, site) => {
  checkSchemaText(args[1], site);
  const base = signature([textOnly, STRING, map], NULL, { optional: 1, nullable: true })(args, site);
  const type = nullableAll(schemaOf(base.args[1], site, inferText));
  if (!["struct", "array", "map", "variant"].includes(type.kind))
    throw analysisError(
      "DATATYPE_MISMATCH.INVALID_JSON_SCHEMA",
      `Cannot resolve "from_json" due to data type mismatch: Input schema "${sqlType(type)}" must be a struct, an array, a map or a variant.`,
      site.position,
    );
  return { ...base, type };
});

const CORRUPT_DEFAULT = "_corrupt_record";

const parseRecord = (text: string, call: BoundCall, options: Value | undefined): Value => {
  const type = call.type;
  const o = optionsOf(options, call);
  if (text.trim() === "") return null;
  let partial: Value;
  try {
    const parsed = tryParseJson(text);
    if (parsed === undefined) throw new JsonMismatch();
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

/** `strings`: numbers and booleans are strings; `decimals`: fractions are decimals. */
interface Preferences {
  readonly strings?: boolean;
  readonly decimals?: boolean;
}

const BIGGEST = 2n ** 63n;
/** The type that Spark infers: fields by name, integers bigint, others double, null string. */
const inferJson = (j: Json, prefer: Preferences = {}): DataType => {
  if (j === null || typeof j === "string") return STRING;
  if (prefer.strings && typeof j !== "object") return STRING;
  if (prefer.decimals && typeof j === "number" && !Number.isInteger(j)) {
    const { unscaled, scale } = parseDecimalText(String(j))!;
    const digits = Math.max(String(unscaled).replace("-", "").length, scale);
    if (digits <= DECIMAL_PRECISION_MAX && scale >= 0) return decimal(digits, scale);
  }
  if (typeof j === "boolean") return BOOLEAN;
  if (typeof j === "bigint")
    return j < BIGGEST && j >= -BIGGEST ? LONG : decimal(Math.min(38, String(j).replace("-", "").length), 0);
  if (typeof j === "number") return Number.isInteger(j) ? LONG : DOUBLE;
  if (Array.isArray(j)) {
    const known = j.filter((x) => x !== null).map((x) => inferJson(x, prefer));
    return arrayOf(known.length === 0 ? STRING : known.reduce(merged));
  }
  return structOf(
    [...j].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([k, x]) => field(k, inferJson(x, prefer))),
  );
};
const merged = (a: DataType, b: DataType): DataType => {
  if (a.kind === "struct" && b.kind === "struct") {
    const names = [...new Set([...a.fields, ...b.fields].map((f) => f.name))].toSorted();
    return structOf(
      names.map((n) => {
        const [x, y] = [a.fields.find((f) => f.name === n), b.fields.find((f) => f.name === n)];
        return field(n, x && y ? merged(x.type, y.type) : (x ?? y)!.type);
      }),
    );
  }
  const strings = (a.kind === "string") !== (b.kind === "string");
  return strings ? STRING : (commonType([a, b]) ?? STRING);
};

const PATHS_MAX = 1000;
const paths = new Map<string, readonly PathStep[] | undefined>();
const stepsOf = (path: string): readonly PathStep[] | undefined => {
  if (!paths.has(path)) {
    if (paths.size >= PATHS_MAX) paths.clear();
    paths.set(path, parsePath(path));
  }
  return paths.get(path);
};

/** One value bare; several (behind `[*]`) as an array. */
const getJson = (text: string, path: string): Value => {
  const steps = stepsOf(path);
  const parsed = steps === undefined ? undefined : tryParseJson(text);
  if (parsed === undefined) return null;
  const found = valuesAt(parsed, steps!);
  if (found.length === 0) return null;
  return found.length === 1 ? jsonText(found[0]!) : jsonText(found);
};

const convertible = oneOf(struct, array, map, variant);

const jsonFunctions: readonly FunctionDefinition[] = [
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
    withOptions(1, signature([convertible, map], STRING, { optional: 1 })),
    strict<[Value, Value | undefined]>(([v, options], call) =>
      toJson(v, call.argTypes[0]!, optionsOf(options, call)),
    ),
    {
      examples: [["to_json(named_struct('a', 1, 'b', 2))", '{"a":1,"b":2}']],
    },
  ),
  json(
    "get_json_object(text, path)",
    "The value at a path such as $.a[0].b as text; null when there is none.",
    signature([textOnly, textOnly], STRING, { nullable: true }),
    strict<[string, string]>(([s, p]) => getJson(s, p)),
    {
      examples: [[`get_json_object('{"a":"b"}', '$.a')`, "b"]],
    },
  ),
  json(
    "schema_of_json(text[, options])",
    "The schema of a JSON text as DDL.",
    schemaOfRule,
    strict<[string, Value | undefined]>(([s, options], call) => inferWith(s, optionsOf(options, call).all)),
    { examples: [[`schema_of_json('[{"col":0}]')`, "ARRAY<STRUCT<col: BIGINT>>"]] },
  ),
  json(
    "json_array_length(text)",
    "The number of elements of a JSON array; null for anything else.",
    signature([textOnly], INT, { nullable: true }),
    strict<[string]>(([s]) => {
      const j = tryParseJson(s);
      return Array.isArray(j) ? j.length : null;
    }),
    { examples: [["json_array_length('[1,2,3,4]')", "4"]] },
  ),
  json(
    "json_object_keys(text)",
    "The keys of a JSON object; null for anything else.",
    signature([textOnly], arrayOf(STRING, true), { nullable: true }),
    strict<[string]>(([s]) => {
      const j = tryParseJson(s);
      return j instanceof Map ? [...j.keys()] : null;
    }),
    { examples: [[`json_object_keys('{"key": "value"}')`, "[key]"]] },
  ),
];

const parseVariant = (text: string, lenient: boolean): Value => {
  const j = tryParseFirst(text);
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
  const steps = stepsOf(path);
  if (steps === undefined || steps.some((s) => s.kind === "all"))
    throw failure(
      "INVALID_VARIANT_GET_PATH",
      `The path \`${path}\` is not a valid variant extraction path. A valid path should start with \`$\` and is followed by zero or more segments like \`[123]\`, \`.name\`, \`['name']\`.`,
    );
  const found = valuesAt(fromVariant(v), steps);
  if (found.length === 0) return null;
  const value = toVariant(found[0]!);
  if (call.type.kind === "variant") return value;
  if (found[0] === null) return null;
  try {
    return castFunction(VARIANT, call.type, { timeZone: call.context.timeZone })(value);
  } catch (e) {
    if (!(e instanceof ExecutionError)) throw e;
    if (lenient) return null;
    throw failure(
      "INVALID_VARIANT_CAST",
      `The variant value \`${jsonText(found[0]!)}\` cannot be cast into "${sqlType(call.type)}". Please use \`try_variant_get\` instead.`,
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

const variantFunctions: readonly FunctionDefinition[] = [
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
    signature([variant], BOOL, { nullable: false }),
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
      return toVariant(tryParseJson(toJson(v, call.argTypes[0]!, o)) ?? null);
    }),
  ),
];

export const JSON_FUNCTIONS: readonly FunctionDefinition[] = [...jsonFunctions, ...variantFunctions];
