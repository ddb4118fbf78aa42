/**
 * How the files of this folder declare functions: `const math = family("math")`, then `math("sqrt(x)", "Square root.", rule, plain(Math.sqrt))`.
 * The name is the usage up to its bracket.
 */
import { ExecutionError } from "../../core/errors.ts";
import { canonicalLong, type Value } from "../../core/value.ts";
import type { TypedExpr } from "../ast.ts";
import { castFunction } from "../cast.ts";
import type { BoundCall, Emit, Evaluate, FunctionDefinition, TypeRule } from "../function.ts";

interface Body {
  readonly nulls: "strict" | "custom";
  readonly evaluate: Evaluate;
  readonly emit?: Emit;
}
type More = Partial<Pick<FunctionDefinition, "aliases" | "examples" | "deterministic" | "emit">>;

/** A pure function of non-null arguments that never gives null: the compiled form calls it directly. */
export const plain = (f: (...args: never[]) => Value): Body => {
  const call = f as unknown as (...args: unknown[]) => Value;
  return {
    nulls: "strict",
    evaluate: (args) => call(...args),
    emit: (args, _, bind) => `${bind(call)}(${args.join(", ")})`,
  };
};

/** A function of non-null arguments that may give null or needs the call (types, zone, clock). */
export const strict = <A extends readonly unknown[]>(f: (args: A, call: BoundCall) => Value): Body => ({
  nulls: "strict",
  evaluate: f as unknown as Evaluate,
});

/** A function that sees its nulls. */
export const custom = <A extends readonly unknown[]>(f: (args: A, call: BoundCall) => Value): Body => ({
  nulls: "custom",
  evaluate: f as unknown as Evaluate,
});

export const family =
  (category: FunctionDefinition["category"]) =>
  (usage: string, summary: string, resolve: TypeRule, body: Body, more: More = {}): FunctionDefinition => ({
    name: usage.split("(")[0]!.trim(),
    category,
    usage,
    summary,
    resolve,
    ...body,
    ...more,
  });

/** An ExecutionError of a class; the message begins with it, as Spark's do. */
export const failure = (errorClass: string, message: string): ExecutionError =>
  new ExecutionError(`[${errorClass}] ${message}`, { errorClass });

export const overflow = (instead = ""): ExecutionError =>
  failure(
    "ARITHMETIC_OVERFLOW",
    `overflow.${instead === "" ? "" : ` Use '${instead}' to tolerate overflow and return NULL instead.`}`,
  );

const LONG_MIN = -(2n ** 63n);
const LONG_MAX = 2n ** 63n - 1n;

/** The canonical long of an exact integer. @throws ExecutionError ARITHMETIC_OVERFLOW */
export const longOf = (x: bigint, instead = ""): number | bigint => {
  if (x < LONG_MIN || x > LONG_MAX) throw overflow(instead);
  return canonicalLong(x);
};

/** Java's `(long) double`: truncated, saturated, NaN is 0. */
export const saturatedLong = (x: number): number | bigint => {
  if (Number.isNaN(x)) return 0;
  const t = Math.trunc(x);
  if (Number.isSafeInteger(t)) return t + 0;
  if (t >= 2 ** 63) return LONG_MAX;
  return t < -(2 ** 63) ? LONG_MIN : canonicalLong(BigInt(t));
};

/** The value of an argument that is made of literals, casts, negations and arrays only; undefined for anything else. */
export const constantOf = (e: TypedExpr | undefined): Value | undefined => {
  if (e === undefined) return undefined;
  if (e.kind === "literal") return e.value;
  if (e.kind === "cast") {
    const v = constantOf(e.child);
    if (v === undefined || v === null) return v;
    return castFunction(e.child.type, e.type, { timeZone: "UTC", tryCast: e.tryCast })(v);
  }
  if (e.kind !== "call") return undefined;
  const args = e.args.map(constantOf);
  if (args.some((a) => a === undefined)) return undefined;
  if (e.fn === "array") return args as Value[];
  const v = args[0];
  const negation = args.length === 1 && (e.fn === "negative" || e.fn === "-");
  return negation && (typeof v === "number" || typeof v === "bigint") ? -v : undefined;
};

/** A function would make a value that no process could hold. `n`: elements or characters. */
export const tooLong = (n: number, fn: string): Error =>
  failure(
    "COLLECTION_SIZE_LIMIT_EXCEEDED.PARAMETER",
    `Can't create array with ${n} elements which exceeding the array size limit, the value returned by the parameter(s) \`count\` in the function \`${fn}\` is too large.`,
  );
