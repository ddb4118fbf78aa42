/** Functions of numbers, strings and bytes, conditional functions and hashes, under Spark's names (functions.scala; ANSI). */
import type { Expr, Typed, TypeOf, Value } from "./expression.ts";
import { aliased, call, expressionOf } from "./expression-builder.ts";
import {
  type BinArg,
  type BoolArg,
  type CoalesceOf,
  type CommonOf,
  type IntArg,
  type NullableFn,
  type NumArg,
  type SameFn,
  scalar,
  type StrArg,
  type StrictFn,
  type TotalFn,
} from "./function-types.ts";
import { lift } from "./literal.ts";
import type { Base, NumericIn, Opt, OptIf, StructTag } from "./tags.ts";

type Num = readonly [NumArg];
type Str = readonly [StrArg];

// Conditional
/** The first value that is not null. */
export const coalesce: <const A extends readonly Value[]>(...values: A) => Expr<CoalesceOf<A>> =
  scalar("coalesce");
type Fallback = <const X extends Value, const Y extends Value>(x: X, y: Y) => Expr<CoalesceOf<[X, Y]>>;
export const nvl: Fallback = scalar("nvl");
export const ifnull: Fallback = scalar("nvl");
/** Null where both are equal. */
export const nullif: <const X extends Value>(x: X, y: Value) => Expr<Opt<TypeOf<X>>> = scalar("nullif");
/** `y` where `x` is NaN. */
export const nanvl: StrictFn<readonly [NumArg, NumArg], "double"> = scalar("nanvl");
export const isnull: TotalFn<readonly [Typed<unknown>], "boolean"> = scalar("isnull");
export const isnotnull: TotalFn<readonly [Typed<unknown>], "boolean"> = scalar("isnotnull");
export const isnan: TotalFn<Num, "boolean"> = scalar("isnan");
export const not: StrictFn<readonly [BoolArg], "boolean"> = scalar("not");
type Extreme = <const A extends readonly [Value, Value, ...Value[]]>(...values: A) => Expr<CommonOf<A>>;
/** The greatest value that is not null. */
export const greatest: Extreme = scalar("greatest");
export const least: Extreme = scalar("least");

// Numbers
export const abs: SameFn<Typed<NumericIn>> = scalar("abs");
export const negate: SameFn<Typed<NumericIn>> = scalar("negative");
export const negative = negate;
type Real = StrictFn<Num, "double">;
export const sqrt: Real = scalar("sqrt");
export const cbrt: Real = scalar("cbrt");
export const exp: Real = scalar("exp");
export const expm1: Real = scalar("expm1");
/** Null of what has no logarithm. */
export const ln: NullableFn<Num, "double"> = scalar("ln");
export const log: NullableFn<readonly [NumArg, NumArg?], "double"> = scalar("log");
export const log10: NullableFn<Num, "double"> = scalar("log10");
export const log2: NullableFn<Num, "double"> = scalar("log2");
export const log1p: NullableFn<Num, "double"> = scalar("log1p");
export const sin: Real = scalar("sin");
export const cos: Real = scalar("cos");
export const tan: Real = scalar("tan");
export const cot: Real = scalar("cot");
export const asin: Real = scalar("asin");
export const acos: Real = scalar("acos");
export const atan: Real = scalar("atan");
export const sinh: Real = scalar("sinh");
export const cosh: Real = scalar("cosh");
export const tanh: Real = scalar("tanh");
export const degrees: Real = scalar("degrees");
export const radians: Real = scalar("radians");
export const rint: Real = scalar("rint");
export const signum: Real = scalar("sign");
export const sign = signum;
export const pow: StrictFn<readonly [NumArg, NumArg], "double"> = scalar("power");
export const power = pow;
export const atan2: StrictFn<readonly [NumArg, NumArg], "double"> = scalar("atan2");
export const hypot: StrictFn<readonly [NumArg, NumArg], "double"> = scalar("hypot");
/** The whole number below: long; of a decimal a decimal. */
type Whole = <const X extends Typed<NumericIn>>(
  x: X,
) => Expr<OptIf<TypeOf<X>, Base<TypeOf<X>> extends "decimal" | "untyped" ? Base<TypeOf<X>> : "long">>;
export const floor: Whole = scalar("floor");
export const ceil: Whole = scalar("ceil");
export const ceiling = ceil;
/** Half up. */
export const round: SameFn<Typed<NumericIn>, readonly [number?]> = scalar("round");
/** Half even. */
export const bround: SameFn<Typed<NumericIn>, readonly [number?]> = scalar("bround");
/** The remainder, never negative for a positive divisor. */
export const pmod: <const X extends Typed<NumericIn>>(x: X, y: X | NumArg) => Expr<TypeOf<X>> =
  scalar("pmod");
export const factorial: NullableFn<readonly [IntArg], "long"> = scalar("factorial");
export const bin: StrictFn<readonly [IntArg], "string"> = scalar("bin");
export const conv: NullableFn<readonly [StrArg, IntArg, IntArg], "string"> = scalar("conv");
export const hex: StrictFn<readonly [NumArg | BinArg], "string"> = scalar("hex");
export const unhex: NullableFn<Str, "binary"> = scalar("unhex");
export const shiftleft: SameFn<Typed<NumericIn>, readonly [IntArg]> = scalar("shiftleft");
export const shiftright: SameFn<Typed<NumericIn>, readonly [IntArg]> = scalar("shiftright");
export const bit_count: StrictFn<readonly [NumArg], "int"> = scalar("bit_count");
type Tried = NullableFn<readonly [NumArg, NumArg], "untyped">;
/** Null in place of an overflow. */
export const try_add: Tried = scalar("try_add");
export const try_subtract: Tried = scalar("try_subtract");
export const try_multiply: Tried = scalar("try_multiply");
/** Null in place of a division by zero. */
export const try_divide: NullableFn<readonly [NumArg, NumArg], "double"> = scalar("try_divide");

// Strings
type Text = StrictFn<Str, "string">;
export const upper: Text = scalar("upper");
export const ucase = upper;
export const lower: Text = scalar("lower");
export const lcase = lower;
export const initcap: Text = scalar("initcap");
export const trim: Text = scalar("trim");
export const ltrim: Text = scalar("ltrim");
export const rtrim: Text = scalar("rtrim");
export const reverse: Text = scalar("reverse");
export const soundex: Text = scalar("soundex");
export const length: StrictFn<readonly [BinArg], "int"> = scalar("length");
export const char_length = length;
export const octet_length: StrictFn<readonly [BinArg], "int"> = scalar("octet_length");
export const ascii: StrictFn<Str, "int"> = scalar("ascii");
export const concat: StrictFn<readonly StrArg[], "string"> = scalar("concat");
/** Joins what is not null. */
export const concat_ws: StrictFn<readonly [string, ...(StrArg | Typed<unknown>)[]], "string"> =
  scalar("concat_ws");
/** From `pos` (1 is the first character, negative from the end). */
export const substring: StrictFn<readonly [StrArg, IntArg, IntArg?], "string"> = scalar("substring");
export const substr = substring;
export const substring_index: StrictFn<readonly [StrArg, StrArg, IntArg], "string"> =
  scalar("substring_index");
export const left: StrictFn<readonly [StrArg, IntArg], "string"> = scalar("left");
export const right: StrictFn<readonly [StrArg, IntArg], "string"> = scalar("right");
export const lpad: StrictFn<readonly [StrArg, IntArg, StrArg?], "string"> = scalar("lpad");
export const rpad: StrictFn<readonly [StrArg, IntArg, StrArg?], "string"> = scalar("rpad");
export const repeat: StrictFn<readonly [StrArg, IntArg], "string"> = scalar("repeat");
export const replace: StrictFn<readonly [StrArg, StrArg, StrArg?], "string"> = scalar("replace");
export const translate: StrictFn<readonly [StrArg, StrArg, StrArg], "string"> = scalar("translate");
export const overlay: StrictFn<readonly [StrArg, StrArg, IntArg, IntArg?], "string"> = scalar("overlay");
export const split: StrictFn<readonly [StrArg, StrArg, IntArg?], { readonly array: "string" }> =
  scalar("split");
export const split_part: StrictFn<readonly [StrArg, StrArg, IntArg], "string"> = scalar("split_part");
export const contains: StrictFn<readonly [StrArg, StrArg], "boolean"> = scalar("contains");
export const startswith: StrictFn<readonly [StrArg, StrArg], "boolean"> = scalar("startswith");
export const endswith: StrictFn<readonly [StrArg, StrArg], "boolean"> = scalar("endswith");
/** Position of `part`, from 1; 0 when it is absent. */
export const instr: StrictFn<readonly [StrArg, StrArg], "int"> = scalar("instr");
export const locate: StrictFn<readonly [StrArg, StrArg, IntArg?], "int"> = scalar("locate");
export const levenshtein: StrictFn<readonly [StrArg, StrArg, IntArg?], "int"> = scalar("levenshtein");
export const rlike: StrictFn<readonly [StrArg, StrArg], "boolean"> = scalar("rlike");
export const regexp_like = rlike;
export const regexp_replace: StrictFn<readonly [StrArg, StrArg, StrArg], "string"> = scalar("regexp_replace");
/** The group of the first match; the empty text when there is none. */
export const regexp_extract: StrictFn<readonly [StrArg, StrArg, IntArg?], "string"> =
  scalar("regexp_extract");
export const regexp_extract_all: StrictFn<readonly [StrArg, StrArg, IntArg?], { readonly array: "string" }> =
  scalar("regexp_extract_all");
export const regexp_count: StrictFn<readonly [StrArg, StrArg], "int"> = scalar("regexp_count");
export const regexp_substr: NullableFn<readonly [StrArg, StrArg], "string"> = scalar("regexp_substr");
/** printf of Java. */
export const format_string: NullableFn<readonly [string, ...Value[]], "string"> = scalar("format_string");
export const printf = format_string;
export const format_number: NullableFn<readonly [NumArg, IntArg | string], "string"> =
  scalar("format_number");
export const encode: StrictFn<readonly [StrArg, StrArg], "binary"> = scalar("encode");
export const decode: StrictFn<readonly [BinArg, StrArg], "string"> = scalar("decode");
export const base64: StrictFn<readonly [BinArg], "string"> = scalar("base64");
export const unbase64: StrictFn<Str, "binary"> = scalar("unbase64");
export const url_encode: StrictFn<Str, "string"> = scalar("url_encode");
export const url_decode: StrictFn<Str, "string"> = scalar("url_decode");
export const parse_url: NullableFn<readonly [StrArg, StrArg, StrArg?], "string"> = scalar("parse_url");

// Hashes
export const md5: StrictFn<readonly [BinArg], "string"> = scalar("md5");
export const sha1: StrictFn<readonly [BinArg], "string"> = scalar("sha1");
export const sha2: NullableFn<readonly [BinArg, number], "string"> = scalar("sha2");
export const crc32: StrictFn<readonly [BinArg], "long"> = scalar("crc32");
export const hash: TotalFn<readonly [Typed<unknown>, ...Typed<unknown>[]], "int"> = scalar("hash");
export const xxhash64: TotalFn<readonly [Typed<unknown>, ...Typed<unknown>[]], "long"> = scalar("xxhash64");

// Structs
/** A struct of fields: `struct({ a: c.x, b: lit(1) })`, or of named columns. */
export const struct = <const O extends { readonly [name: string]: Value }>(
  fields: O,
): Expr<StructTag<{ readonly [K in keyof O]: TypeOf<O[K]> }>> =>
  expressionOf(
    call(
      "struct",
      Object.entries(fields).map(([name, x]) => aliased(lift(x), name)),
    ),
  );
export const named_struct = struct;
/** The name of an expression's type. */
export const type_of: TotalFn<readonly [Typed<unknown>], "string"> = scalar("typeof");
export const raise_error: NullableFn<Str, "void"> = scalar("raise_error");

/** Every function of the registry by its SQL name, untyped: `fn.array_sort(c.xs)`, `fn["typeof"](c.x)`. Unknown names are found by the analyser. */
export const fn: { readonly [name: string]: (...args: readonly Value[]) => Expr<"untyped"> } = new Proxy(
  Object.create(null) as object,
  {
    get: (_target, name) => (typeof name === "symbol" || name === "then" ? undefined : scalar(name)),
  },
) as never;
