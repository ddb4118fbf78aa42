/**
 * The registry of scalar functions: one line per file of src/expr/functions. Names are unique over all files, aliases included
 * (asserted here, when first used); lookups ignore case. Aggregates have their own registry (src/expr/aggregates/registry.ts).
 */
import type { FunctionDefinition } from "./function.ts";
import { ACCESS_FUNCTIONS } from "./functions/access.ts";
import { BIT_OPERATOR_FUNCTIONS } from "./functions/bit-operators.ts";
import { BITWISE_FUNCTIONS } from "./functions/bitwise.ts";
import { COMPARISON_FUNCTIONS } from "./functions/comparison.ts";
import { CONDITIONAL_FUNCTIONS } from "./functions/conditional.ts";
import { LOGIC_FUNCTIONS } from "./functions/logic.ts";
import { MATH_FUNCTIONS } from "./functions/math.ts";
import { OPERATOR_FUNCTIONS } from "./functions/operators.ts";
import { PATTERN_FUNCTIONS } from "./functions/pattern.ts";
import { ROUNDING_FUNCTIONS } from "./functions/rounding.ts";
import { SEARCH_FUNCTIONS } from "./functions/search.ts";
import { STRING_FUNCTIONS } from "./functions/string.ts";
import { WINDOW_FUNCTIONS } from "./functions/window.ts";
import { ARRAY_FUNCTIONS } from "./functions/array.ts";
import { ARRAY_SET_FUNCTIONS } from "./functions/array-set.ts";
import { DATETIME_ARITHMETIC_FUNCTIONS } from "./functions/datetime-arithmetic.ts";
import { DATETIME_CONVERT_FUNCTIONS } from "./functions/datetime-convert.ts";
import { DATETIME_FIELD_FUNCTIONS } from "./functions/datetime-fields.ts";
import { LAMBDA_FUNCTIONS } from "./functions/lambda.ts";
import { MAP_FUNCTIONS } from "./functions/map.ts";
import { QUOTE_FUNCTIONS } from "./functions/quote.ts";
import { REGEXP_FUNCTIONS } from "./functions/regexp.ts";
import { SEQUENCE_FUNCTIONS } from "./functions/sequence.ts";
import { DIGEST_FUNCTIONS } from "./functions/digest.ts";
import { ENCODING_FUNCTIONS } from "./functions/encoding.ts";
import { BITMAP_FUNCTIONS } from "./functions/bitmap.ts";
import { VECTOR_FUNCTIONS } from "./functions/vector.ts";
import { DECIMAL_FORMAT_FUNCTIONS } from "./functions/decimal-format.ts";
import { URL_FUNCTIONS } from "./functions/url.ts";
import { INTROSPECTION_FUNCTIONS } from "./functions/introspection.ts";
import { NUMBER_FORMAT_FUNCTIONS } from "./functions/number-format.ts";
import { JSON_FUNCTIONS } from "./functions/json.ts";
import { CSV_FUNCTIONS } from "./functions/csv.ts";
import { RANDOM_FUNCTIONS } from "./functions/random.ts";
import { CAST_FUNCTIONS } from "./functions/cast-functions.ts";
import { CRYPTO_FUNCTIONS } from "./functions/crypto.ts";
import { BASE32_FUNCTIONS } from "./functions/base32.ts";
import { VARIANT_FUNCTIONS } from "./functions/variant.ts";
import { VARIANT_EDIT_FUNCTIONS } from "./functions/variant-edit.ts";
import { TIME_TYPE_FUNCTIONS } from "./functions/time-type.ts";
import { TIME_BUCKET_FUNCTIONS } from "./functions/time-bucket.ts";

const FILES: readonly (readonly FunctionDefinition[])[] = [
  ACCESS_FUNCTIONS,
  BIT_OPERATOR_FUNCTIONS,
  BITWISE_FUNCTIONS,
  COMPARISON_FUNCTIONS,
  CONDITIONAL_FUNCTIONS,
  LOGIC_FUNCTIONS,
  MATH_FUNCTIONS,
  OPERATOR_FUNCTIONS,
  PATTERN_FUNCTIONS,
  ROUNDING_FUNCTIONS,
  SEARCH_FUNCTIONS,
  STRING_FUNCTIONS,
  WINDOW_FUNCTIONS,
  ARRAY_FUNCTIONS,
  ARRAY_SET_FUNCTIONS,
  DATETIME_ARITHMETIC_FUNCTIONS,
  DATETIME_CONVERT_FUNCTIONS,
  DATETIME_FIELD_FUNCTIONS,
  LAMBDA_FUNCTIONS,
  MAP_FUNCTIONS,
  QUOTE_FUNCTIONS,
  REGEXP_FUNCTIONS,
  SEQUENCE_FUNCTIONS,
  DIGEST_FUNCTIONS,
  ENCODING_FUNCTIONS,
  URL_FUNCTIONS,
  DECIMAL_FORMAT_FUNCTIONS,
  BITMAP_FUNCTIONS,
  VECTOR_FUNCTIONS,
  INTROSPECTION_FUNCTIONS,
  NUMBER_FORMAT_FUNCTIONS,
  JSON_FUNCTIONS,
  CSV_FUNCTIONS,
  CAST_FUNCTIONS,
  CRYPTO_FUNCTIONS,
  BASE32_FUNCTIONS,
  VARIANT_FUNCTIONS,
  VARIANT_EDIT_FUNCTIONS,
  TIME_TYPE_FUNCTIONS,
  TIME_BUCKET_FUNCTIONS,
  RANDOM_FUNCTIONS,
];

let byName: Map<string, FunctionDefinition> | undefined;

const register = (): Map<string, FunctionDefinition> => {
  const names = new Map<string, FunctionDefinition>();
  for (const definition of FILES.flat()) {
    for (const name of [definition.name, ...(definition.aliases ?? [])]) {
      const key = name.toLowerCase();
      if (names.has(key)) throw new Error(`the function ${key} is registered twice`);
      names.set(key, definition);
    }
  }
  return names;
};

const registered = (): Map<string, FunctionDefinition> => (byName ??= register());

/** The definition of a function by name or alias, in any case. */
export const lookupFunction = (name: string): FunctionDefinition | undefined =>
  registered().get(name.toLowerCase());

/** Every name and alias, sorted: what SHOW FUNCTIONS lists of the scalar ones. */
export const functionNames = (): readonly string[] => [...registered().keys()].sort();

/** Every definition once, in the order of the files: for the documentation page and the typed API. */
export const functionDefinitions = (): readonly FunctionDefinition[] => FILES.flat();
