/**
 * A registered scalar function: listed once with its name, type rule, row form, optional compiled form and documentation. The typed API, SQL,
 * `SHOW FUNCTIONS` and the docs page all come from the registry (`src/expr/registry.ts`; one line per file of `src/expr/functions/`).
 */
import type { DataType } from "../core/data-type.ts";
import type { Value } from "../core/value.ts";
import type { TypedExpr } from "./ast.ts";
import type { EvaluationContext } from "./contract.ts";

/** Session settings a type rule or evaluation may need. */
export interface CallSite {
  readonly fn: string;
  readonly timeZone: string;
  readonly position?: TypedExpr["position"];
  /** Folds a constant argument to a literal (an argument that must be constant is refused when it is none afterwards). */
  readonly fold?: (e: TypedExpr) => TypedExpr;
}

/** The arguments with implicit casts inserted, and the result's type. */
export interface Resolution {
  readonly args: readonly TypedExpr[];
  readonly type: DataType;
  readonly nullable: boolean;
  /** What the call is rewritten to (`if`, `nvl2`, `nullif`: cases, which evaluate lazily); the other members are ignored then. */
  readonly replacement?: TypedExpr;
}

/** Throws AnalysisError (DATATYPE_MISMATCH.…, WRONG_NUM_ARGS.…) when the arguments do not fit. */
export interface TypeRule {
  (args: readonly TypedExpr[], site: CallSite): Resolution;
  /**
   * The parameters of the lambda at argument `index`, from the arguments before it (typed, in order) and the number of parameters it has.
   * Absent when the function takes no lambdas.
   */
  readonly lambdaParameters?: LambdaParameters;
}
export interface LambdaParameter {
  readonly type: DataType;
  readonly nullable: boolean;
}
export type LambdaParameters = (
  index: number,
  args: readonly TypedExpr[],
  arity: number,
  site: CallSite,
) => readonly LambdaParameter[];

/**
 * Row form. `args` are values of the coerced types; a lambda argument is a JS function of values. With `nulls: "strict"` it is never
 * called with a null (the result is null). Throws ExecutionError.
 */
export type Evaluate = (args: readonly EvaluatedArg[], call: BoundCall) => Value;
export type EvaluatedArg = Value | ((...values: Value[]) => Value);

export interface BoundCall {
  readonly argTypes: readonly DataType[];
  readonly type: DataType;
  readonly context: EvaluationContext;
  /** The call itself: the same object for all rows, for functions that keep something from row to row. */
  readonly owner?: object;
}

/**
 * Compiled form: a JS expression over the sources of its arguments, each a plain JS value of the argument's type and not null (strict functions only). `bind`
 * makes a constant available to the generated code and returns its name. undefined: no compiled form for these types, use the row form.
 */
export type Emit = (
  args: readonly string[],
  call: {
    readonly argTypes: readonly DataType[];
    readonly type: DataType;
    /** Longs in this loop are numbers: a result that is a bigint is noticed by the compiler, which runs the batch again without. */
    readonly safeLongs?: boolean;
  },
  bind: (value: unknown) => string,
) => string | undefined;

export interface FunctionDefinition {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly category:
    | "operator"
    | "conditional"
    | "math"
    | "string"
    | "time"
    | "hash"
    | "json"
    | "csv"
    | "array"
    | "map"
    | "struct"
    | "lambda"
    | "variant"
    | "url"
    | "bitwise"
    | "misc";
  /** `substring(str, pos[, len])` and one sentence. */
  readonly usage: string;
  readonly summary: string;
  /** SQL examples with results: `["upper('abc')", "ABC"]`; executed by a test. */
  readonly examples?: readonly (readonly [string, string])[];
  readonly resolve: TypeRule;
  readonly nulls: "strict" | "custom";
  readonly evaluate: Evaluate;
  readonly emit?: Emit;
  /** False for rand(), uuid(), current_timestamp(): not folded. Default true. */
  readonly deterministic?: boolean;
}
