/**
 * Combinators that declare the type rule of a function: `signature([string, int], STRING)`. A parameter is a concrete type
 * (implicitly cast to, per ANSI) or a class of types (`numeric`, `array`, `orderable`, …). Errors are Spark's:
 * WRONG_NUM_ARGS.WITHOUT_SUGGESTION, DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE, DATATYPE_MISMATCH.DATA_DIFF_TYPES.
 */
import {
  array as arrayOf,
  BINARY,
  type DataType,
  DATE,
  DAY_TIME_INTERVAL,
  DOUBLE,
  INT,
  map as mapOf,
  NULL,
  sameType,
  STRING,
  struct as structOf,
  TIMESTAMP,
} from "../core/data-type.ts";
import type { TypedExpr } from "./ast.ts";
import {
  castTo,
  coerce,
  isAtomic,
  commonType,
  commonTypeOfColumn,
  decimalOf,
  isAnsiInterval,
  isDatetime,
  isIntegral,
  isNumeric,
  isOrderable,
} from "./coercion.ts";
import { DECIMAL_DEFAULT } from "./decimal.ts";
import type { CallSite, LambdaParameter, Resolution, TypeRule } from "./function.ts";
import {
  analysisError,
  differentTypes,
  mismatch,
  sqlType,
  unexpectedInput,
  wrongNumberOfArguments,
} from "./type-errors.ts";

/** A class of types a parameter accepts. */
export interface TypeClass {
  /** As messages show it: `"NUMERIC"`. */
  readonly name: string;
  readonly accepts: (t: DataType) => boolean;
  /** What an argument of another type is cast to implicitly, if it may be. */
  readonly implicit?: (t: DataType) => DataType | undefined;
  /** What a bare NULL becomes. */
  readonly whenNull: DataType;
  /** A bare NULL is refused: its elements have no type. */
  readonly typedOnly?: boolean;
}
/** A lambda parameter of a higher-order function. */
export interface LambdaSpec {
  /** Types of the lambda's parameters from the arguments before it; `arity` is how many it declares. */
  readonly lambda: (args: readonly TypedExpr[], arity: number) => readonly LambdaParameter[];
  readonly arity: readonly number[];
  /** What the body must (be cast to) return; absent: anything. */
  readonly returns?: DataType | ((args: readonly TypedExpr[]) => DataType);
  /** The body must have the type `returns` as it is, nested types and nulls excepted: no cast. */
  readonly exact?: boolean;
}
export type Parameter = DataType | TypeClass | LambdaSpec;

const isClass = (p: Parameter): p is TypeClass => "accepts" in p;
const isLambda = (p: Parameter): p is LambdaSpec => "lambda" in p;

const classOf = (
  name: string,
  accepts: (t: DataType) => boolean,
  whenNull: DataType,
  implicit?: (t: DataType) => DataType | undefined,
): TypeClass => ({ name: `"${name}"`, accepts, whenNull, ...(implicit ? { implicit } : {}) });

const kindIs =
  (...kinds: DataType["kind"][]) =>
  (t: DataType): boolean =>
    kinds.includes(t.kind);

export const any: TypeClass = classOf("ANY", () => true, NULL);
export const numeric: TypeClass = classOf("NUMERIC", isNumeric, DOUBLE, (t) =>
  t.kind === "string" ? DOUBLE : undefined,
);
export const integral: TypeClass = classOf("INTEGRAL", isIntegral, INT);
/** Any decimal; other numbers become the decimal that holds them. */
export const decimalLike: TypeClass = classOf("DECIMAL", kindIs("decimal"), DECIMAL_DEFAULT, (t) =>
  t.kind === "string" ? DECIMAL_DEFAULT : isNumeric(t) ? decimalOf(t) : undefined,
);
export const timestampLike: TypeClass = classOf(
  "TIMESTAMP",
  kindIs("timestamp", "timestamp_ntz"),
  TIMESTAMP,
  (t) => (t.kind === "date" || t.kind === "string" ? TIMESTAMP : undefined),
);
export const dateLike: TypeClass = classOf("DATE", kindIs("date"), DATE, (t) =>
  isDatetime(t) || t.kind === "string" ? DATE : undefined,
);
export const ansiInterval: TypeClass = classOf("ANSI INTERVAL", isAnsiInterval, DAY_TIME_INTERVAL);
export const array: TypeClass = classOf("ARRAY", kindIs("array"), arrayOf(NULL));
/** An array, and no bare NULL. */
export const typedArray: TypeClass = { ...array, typedOnly: true };
export const map: TypeClass = classOf("MAP", kindIs("map"), mapOf(NULL, NULL));
export const struct: TypeClass = classOf("STRUCT", kindIs("struct"), structOf([]));
export const variant: TypeClass = classOf("VARIANT", kindIs("variant"), { kind: "variant" });
export const arrayOrMap: TypeClass = {
  ...classOf("ARRAY", kindIs("array", "map"), arrayOf(NULL)),
  name: `("ARRAY" or "MAP")`,
};
export const orderable: TypeClass = classOf("ORDERABLE", isOrderable, NULL);
/** A string as it is, binary as it is, any other atomic type cast to string. */
export const stringOrBinary: TypeClass = {
  name: `("STRING" or "BINARY")`,
  accepts: kindIs("string", "binary"),
  whenNull: STRING,
  implicit: (t) => implicitTo(t, STRING),
};
/** Binary; strings become their UTF-8 bytes. */
export const binary: TypeClass = classOf("BINARY", kindIs("binary"), BINARY, (t) =>
  t.kind === "string" ? BINARY : undefined,
);

const implicitTo = (from: DataType, to: DataType): DataType | undefined =>
  coerce({ kind: "literal", value: 0, type: from, nullable: false }, to) === undefined ? undefined : to;

/** The first of several parameters that takes the argument as it is, else the first it can be cast to (Spark's TypeCollection). */
export const oneOf = (...options: readonly (DataType | TypeClass)[]): TypeClass => ({
  name: `(${options.map((o) => (isClass(o) ? o.name : `"${sqlType(o)}"`)).join(" or ")})`,
  accepts: (t) =>
    options.some((o) => {
      if (isClass(o)) return o.accepts(t);
      return o.kind === "array" ? sameType(o, t) : o.kind === t.kind && implicitTo(t, o) !== undefined;
    }),
  implicit: (t) => {
    for (const o of options) {
      const to = isClass(o) ? o.implicit?.(t) : implicitTo(t, o);
      if (to !== undefined) return to;
    }
    return undefined;
  },
  whenNull: isClass(options[0]!) ? options[0].whenNull : options[0]!,
});

/** A lambda argument. `parameters` gives the types of its parameters; `arity` how many it may declare. */
export const lambda = (
  parameters: LambdaSpec["lambda"],
  arity: number | readonly number[],
  returns?: LambdaSpec["returns"],
  exact = false,
): LambdaSpec => ({
  lambda: parameters,
  arity: typeof arity === "number" ? [arity] : arity,
  ...(returns === undefined ? {} : { returns, exact }),
});

type Lambda = Extract<TypedExpr, { kind: "lambda" }>;

/** Variables of lambdas that were written as a plain value: no body reads them. */
const UNREAD_VARIABLE = 1_000;

/** Any expression is a lambda that does not look at its parameters: `transform(a, 42)`. */
const asLambda = (p: LambdaSpec, args: readonly TypedExpr[], index: number): Lambda => {
  const body = args[index]!;
  if (body.kind === "lambda") return body;
  const parameters = p.lambda(args.slice(0, index), p.arity[0]!).map(({ type, nullable }, i) => ({
    kind: "variable" as const,
    id: UNREAD_VARIABLE + i,
    name: "_",
    type,
    nullable,
  }));
  return { kind: "lambda", parameters, body, type: body.type, nullable: body.nullable };
};

const coerceLambda = (
  p: LambdaSpec,
  args: readonly TypedExpr[],
  index: number,
  site: CallSite,
): TypedExpr => {
  const arg = asLambda(p, args, index);
  const wanted = typeof p.returns === "function" ? p.returns(args) : p.returns;
  if (wanted === undefined) return arg;
  const kept = p.exact !== true || !isAtomic(wanted) || sameType(arg.body.type, wanted);
  const body = kept || arg.body.type.kind === "null" ? coerce(arg.body, wanted) : undefined;
  if (body === undefined)
    throw unexpectedInput(site, args.with(index, arg.body), index, `"${sqlType(wanted)}"`);
  return { ...arg, body, type: body.type, nullable: body.nullable };
};

const unordered = (site: CallSite, args: readonly TypedExpr[], index: number): Error =>
  mismatch(
    "INVALID_ORDERING_TYPE",
    site,
    args,
    `The \`${site.fn}\` does not support ordering on type "${sqlType(args[index]!.type)}".`,
  );

/** The argument as the parameter wants it. Throws DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE. */
export const coerceArgument = (
  p: Parameter,
  args: readonly TypedExpr[],
  index: number,
  site: CallSite,
): TypedExpr => {
  const arg = args[index]!;
  if (isLambda(p)) return coerceLambda(p, args, index, site);
  if (isClass(p)) {
    if (arg.type.kind === "null" && p.typedOnly === true) throw unexpectedInput(site, args, index, p.name);
    if (arg.type.kind === "null") return p === any || p === orderable ? arg : castTo(arg, p.whenNull);
    if (p.accepts(arg.type)) return arg;
    const to = p.implicit?.(arg.type);
    if (to === undefined)
      throw p === orderable ? unordered(site, args, index) : unexpectedInput(site, args, index, p.name);
    return castTo(arg, to);
  }
  const coerced = coerce(arg, p);
  if (coerced === undefined) throw unexpectedInput(site, args, index, `"${sqlType(p)}"`);
  return coerced;
};

export interface SignatureOptions {
  /** How many of the last parameters may be left out. */
  readonly optional?: number;
  /** The last parameter repeats, zero or more times (with `optional: 0`, the fixed ones are those before it). */
  readonly variadic?: boolean;
  /** Nullability of the result; default: null when any argument may be. `true`/`false` fix it. */
  readonly nullable?: boolean | ((args: readonly TypedExpr[]) => boolean);
  /** A last look at the coerced arguments: further casts (return new arguments) or errors. */
  readonly check?: (args: readonly TypedExpr[], site: CallSite) => readonly TypedExpr[] | void;
}

const countText = (least: number, most: number): string =>
  most === Infinity ? `> ${least - 1}` : least === most ? String(least) : `[${rangeText(least, most)}]`;
const rangeText = (a: number, b: number): string =>
  Array.from({ length: b - a + 1 }, (_, i) => a + i).join(", ");

const nullableOf = (args: readonly TypedExpr[], option: SignatureOptions["nullable"]): boolean => {
  if (typeof option === "boolean") return option;
  if (option !== undefined) return option(args);
  return args.some((a) => a.kind !== "lambda" && a.nullable);
};

/** A function with the given parameters. `returns` is a type, or is computed from the coerced arguments. */
export const signature = (
  parameters: readonly Parameter[],
  returns: DataType | ((args: readonly TypedExpr[]) => DataType),
  options: SignatureOptions = {},
): TypeRule => {
  const most = options.variadic ? Infinity : parameters.length;
  const least = parameters.length - (options.variadic ? 1 : (options.optional ?? 0));
  const parameterAt = (i: number): Parameter => parameters[Math.min(i, parameters.length - 1)]!;
  const rule = (raw: readonly TypedExpr[], site: CallSite): Resolution => {
    if (raw.length < least || raw.length > most)
      throw wrongNumberOfArguments(site, countText(least, most), raw.length);
    let args: readonly TypedExpr[] = raw;
    for (let i = 0; i < raw.length; i++) args = args.with(i, coerceArgument(parameterAt(i), args, i, site));
    args = options.check?.(args, site) ?? args;
    const type = typeof returns === "function" ? returns(args) : returns;
    return { args, type, nullable: nullableOf(args, options.nullable) };
  };
  if (!parameters.some(isLambda)) return rule;
  return Object.assign(rule, {
    lambdaParameters: (index: number, before: readonly TypedExpr[], arity: number, site: CallSite) => {
      const p = parameterAt(index);
      if (!isLambda(p)) throw unexpectedInput(site, before, index, isClass(p) ? p.name : `"${sqlType(p)}"`);
      const bare = before.findIndex(
        (a, i) => a.type.kind === "null" && [array, map].includes(parameterAt(i) as TypeClass),
      );
      if (bare >= 0) throw unexpectedInput(site, before, bare, (parameterAt(bare) as TypeClass).name);
      if (!p.arity.includes(arity))
        throw analysisError(
          "INVALID_LAMBDA_FUNCTION_CALL.NUM_ARGS_MISMATCH",
          `Invalid lambda function call. A higher order function expects ${p.arity.join(" or ")} arguments, but got ${arity}.`,
          site.position,
        );
      return p.lambda(before, arity);
    },
  });
};

export interface SameOptions {
  /** At least this many arguments; default 1. */
  readonly least?: number;
  readonly most?: number;
  /** Strings meet strings only. */
  readonly withoutStrings?: boolean;
  /** The common type must belong to it. */
  readonly of?: TypeClass;
  readonly nullable?: SignatureOptions["nullable"];
  readonly returns?: (common: DataType, args: readonly TypedExpr[]) => DataType;
}

/** All arguments from `from` on are cast to their common type, which is the result's (coalesce, greatest, array, …). */
export const same =
  (from = 0, options: SameOptions = {}): TypeRule =>
  (raw, site) => {
    const least = options.least ?? from + 1;
    const most = options.most ?? Infinity;
    if (raw.length < least || raw.length > most)
      throw wrongNumberOfArguments(site, countText(least, most), raw.length);
    const meet = options.withoutStrings === true ? commonTypeOfColumn : commonType;
    const common = meet(raw.slice(from).map((a) => a.type));
    if (common === undefined) throw differentTypes(site, raw);
    if (options.of && common.kind !== "null" && !options.of.accepts(common))
      throw options.of === orderable
        ? unordered(site, raw, from)
        : unexpectedInput(site, raw, from, options.of.name);
    const args = raw.map((a, i) => (i < from ? a : castTo(a, common)));
    return {
      args,
      type: options.returns?.(common, args) ?? common,
      nullable: nullableOf(args, options.nullable),
    };
  };
