/**
 * Access into nested values. `item` is `base[key]`: an array's element from 0 (outside: INVALID_ARRAY_INDEX) or a map's value (absent: null).
 * `array_field` is a struct field taken of every element of an array.
 */
import { array as arrayOf, type DataType, INT } from "../../core/data-type.ts";
import type { Value } from "../../core/value.ts";
import { coerce } from "../coercion.ts";
import type { Evaluate, FunctionDefinition, TypeRule } from "../function.ts";
import { executionError } from "../runtime-errors.ts";
import {
  analysisError,
  describeTyped,
  mismatch,
  sqlType,
  unexpectedInput,
  wrongNumberOfArguments,
} from "../type-errors.ts";
import { equalValues } from "../value-order.ts";

const itemRule: TypeRule = (args, site) => {
  if (args.length !== 2) throw wrongNumberOfArguments(site, "2", args.length);
  const [base, key] = args as [(typeof args)[0], (typeof args)[0]];
  if (base.type.kind === "null") return { args: [base, key], type: base.type, nullable: true };
  const keyType: DataType | undefined =
    base.type.kind === "array" ? INT : base.type.kind === "map" ? base.type.key : undefined;
  if (keyType === undefined)
    throw analysisError(
      "INVALID_EXTRACT_BASE_FIELD_TYPE",
      `Can't extract a value from "${describeTyped(base)}". Need a complex type [STRUCT, ARRAY, MAP] but got "${sqlType(base.type)}".`,
      site.position,
    );
  // An array's index may be any integral type; a string is none.
  const integral = ["byte", "short", "int", "long", "null"].includes(key.type.kind);
  const coerced = base.type.kind === "array" && !integral ? undefined : coerce(key, keyType);
  if (coerced === undefined)
    throw base.type.kind === "array" || key.type.kind !== "string"
      ? unexpectedInput(site, args, 1, base.type.kind === "array" ? `"INTEGRAL"` : `"${sqlType(keyType)}"`)
      : mismatch(
          "CAST_WITHOUT_SUGGESTION",
          site,
          args,
          `cannot cast "${sqlType(key.type)}" to "${sqlType(keyType)}".`,
        );
  const t = base.type as Extract<DataType, { kind: "array" | "map" }>;
  return { args: [base, coerced], type: t.kind === "array" ? t.element : t.value, nullable: true };
};

const item: Evaluate = ([base, key], call) => {
  const type = call.argTypes[0]!;
  if (type.kind === "map") {
    const equal = equalValues(type.key);
    const entry = (base as readonly (readonly [Value, Value])[]).find(([k]) => equal(k, key as Value));
    return entry === undefined ? null : entry[1];
  }
  const list = base as readonly Value[];
  const i = key as number;
  if (i < 0 || i >= list.length)
    throw executionError(
      "INVALID_ARRAY_INDEX",
      `The index ${i} is out of bounds. The array has ${list.length} elements. ` +
        "Use the SQL function `get()` to tolerate accessing element at invalid index and return NULL instead.",
    );
  return list[i]!;
};

/** The index is a literal put there by the type checker. */
const arrayFieldRule: TypeRule = (args, site) => {
  const [base, index] = args;
  if (base?.type.kind !== "array" || base.type.element.kind !== "struct" || index?.kind !== "literal")
    throw wrongNumberOfArguments(site, "2", args.length);
  const f = base.type.element.fields[index.value as number]!;
  return { args, type: arrayOf(f.type, base.type.containsNull || f.nullable), nullable: base.nullable };
};

export const ACCESS_FUNCTIONS: readonly FunctionDefinition[] = [
  {
    name: "item",
    category: "operator",
    usage: "base[key]",
    summary: "An array's element (from 0) or a map's value.",
    resolve: itemRule,
    nulls: "strict",
    evaluate: item,
  },
  {
    name: "array_field",
    category: "operator",
    usage: "array.name",
    summary: "A field of every struct of an array.",
    resolve: arrayFieldRule,
    nulls: "strict",
    evaluate: ([base, index]) =>
      (base as readonly (readonly Value[] | null)[]).map((s) => (s === null ? null : s[index as number]!)),
  },
];
