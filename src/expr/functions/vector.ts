/**
 * Vectors of floats: vector_norm, vector_normalize, vector_inner_product, vector_cosine_similarity, vector_l2_distance. V1: an argument is ARRAY<FLOAT> as it is, never
 * cast. V2: a null element gives null. V3: sums are made in double and rounded to float once, at the end.
 */
import { array as arrayOf, type DataType, FLOAT } from "../../core/data-type.ts";
import type { Value } from "../../core/value.ts";
import type { TypedExpr } from "../ast.ts";
import type { CallSite, FunctionDefinition, TypeRule } from "../function.ts";
import { unexpectedInput, wrongNumberOfArguments } from "../type-errors.ts";
import { failure, family, strict } from "./definition.ts";

const vectors = family("array");
const VECTOR = arrayOf(FLOAT, true);

type Vector = readonly (number | null)[];
type Floats = readonly number[];

/** Whether every element is there (V2). */
const whole = (v: Vector): v is Floats => !v.includes(null);

/** V1. @throws AnalysisError DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE */
export const requireVector = (args: readonly TypedExpr[], index: number, site: CallSite): void => {
  const t = args[index]!.type;
  if (t.kind !== "array" || t.element.kind !== "float")
    throw unexpectedInput(site, args, index, `"ARRAY<FLOAT>"`);
};

/** @throws ExecutionError VECTOR_DIMENSION_MISMATCH */
export const requireDimension = (fn: string, expected: number, actual: number): void => {
  if (expected !== actual)
    throw failure(
      "VECTOR_DIMENSION_MISMATCH",
      `Vectors passed to \`${fn}\` must have the same dimension, but got ${expected} and ${actual}.`,
    );
};

const pairRule: TypeRule = (args, site) => {
  if (args.length !== 2) throw wrongNumberOfArguments(site, "2", args.length);
  requireVector(args, 0, site);
  requireVector(args, 1, site);
  return { args, type: FLOAT, nullable: true };
};

const normRule =
  (type: DataType): TypeRule =>
  (args, site) => {
    if (args.length < 1 || args.length > 2) throw wrongNumberOfArguments(site, "[1, 2]", args.length);
    requireVector(args, 0, site);
    if (args[1] !== undefined && args[1].type.kind !== "float")
      throw unexpectedInput(site, args, 1, `"FLOAT"`);
    return { args, type, nullable: true };
  };

const sum = (v: Floats, f: (x: number, i: number) => number): number =>
  v.reduce((total, x, i) => total + f(x, i), 0);

const norm = (v: Floats, degree: number): number => {
  if (degree === 1) return sum(v, Math.abs);
  if (degree === 2) return Math.sqrt(sum(v, (x) => x * x));
  if (degree === Infinity) return v.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  throw failure(
    "INVALID_VECTOR_NORM_DEGREE",
    `The degree ${degree} of a vector norm is not supported: it is one of 1.0, 2.0 and float('inf').`,
  );
};

const pair = (
  name: string,
  summary: string,
  f: (a: Floats, b: Floats) => number | null,
  example: readonly [string, string],
): FunctionDefinition =>
  vectors(
    `${name}(a, b)`,
    summary,
    pairRule,
    strict<[Vector, Vector]>(([a, b]) => {
      requireDimension(name, a.length, b.length);
      const found = whole(a) && whole(b) ? f(a, b) : null;
      return found === null ? null : Math.fround(found);
    }),
    { examples: [example] },
  );

const product = (a: Floats, b: Floats): number => sum(a, (x, i) => x * b[i]!);

export const VECTOR_FUNCTIONS: readonly FunctionDefinition[] = [
  vectors(
    "vector_norm(vector[, degree])",
    "The norm of a vector of floats; the degree is 1.0, 2.0 (the default) or float('inf').",
    normRule(FLOAT),
    strict<[Vector, number | undefined]>(([v, degree]) =>
      whole(v) ? Math.fround(norm(v, degree ?? 2)) : null,
    ),
    { examples: [["vector_norm(array(3.0F, 4.0F), 1.0F)", "7.0"]] },
  ),
  vectors(
    "vector_normalize(vector[, degree])",
    "The vector divided by its norm; null when that is 0.",
    normRule(VECTOR),
    strict<[Vector, number | undefined]>(([v, degree]): Value => {
      if (!whole(v)) return null;
      const length = norm(v, degree ?? 2);
      return length === 0 && v.length > 0 ? null : v.map((x) => Math.fround(x / length));
    }),
    { examples: [["vector_normalize(array(3.0F, 4.0F), float('inf'))", "[0.75, 1.0]"]] },
  ),
  pair("vector_inner_product", "The sum of the products of two vectors' elements.", product, [
    "vector_inner_product(array(1.0F, 2.0F), array(3.0F, 4.0F))",
    "11.0",
  ]),
  pair(
    "vector_cosine_similarity",
    "The cosine of the angle between two vectors; null when one has no length.",
    (a, b) => {
      const lengths = Math.sqrt(product(a, a) * product(b, b));
      return lengths === 0 ? null : product(a, b) / lengths;
    },
    ["vector_cosine_similarity(array(1.0F, 0.0F), array(0.0F, 1.0F))", "0.0"],
  ),
  pair(
    "vector_l2_distance",
    "The Euclidean distance of two vectors.",
    (a, b) => Math.sqrt(sum(a, (x, i) => (x - b[i]!) ** 2)),
    ["vector_l2_distance(array(1.0F, 2.0F), array(4.0F, 6.0F))", "5.0"],
  ),
];
