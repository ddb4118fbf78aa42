/** `t` and `schema`: the declaration of columns, as values for the engine and as types for TypeScript. */
import { objectArgument } from "./arguments.ts";
import {
  array,
  BINARY,
  BOOLEAN,
  BYTE,
  type DataType,
  DATE,
  DAY_TIME_INTERVAL,
  decimal,
  DOUBLE,
  field,
  FLOAT,
  INT,
  LONG,
  map,
  SHORT,
  STRING,
  struct,
  TIMESTAMP,
  TIMESTAMP_NTZ,
  VARIANT,
  YEAR_MONTH_INTERVAL,
} from "../core/data-type.ts";
import { AnalysisError } from "../core/errors.ts";
import { type Schema, schemaOf } from "../core/schema.ts";
import type { ArrayTag, Base, MapTag, Opt, StructTag } from "./tags.ts";

declare const DECLARED: unique symbol;

/** The declaration of a column's type. Not nullable unless `nullable()` says so. */
export interface TypeDef<D> {
  readonly [DECLARED]: D;
  readonly type: DataType;
  readonly isNullable: boolean;
  /** The same type, for columns that may be null. */
  nullable(): TypeDef<Opt<D>>;
}
/** A schema with its columns as types. */
export interface TypedSchema<S> extends Schema {
  readonly [DECLARED]: S;
}
export type Definitions = { readonly [name: string]: TypeDef<unknown> };
export type DeclaredType<F> = F extends TypeDef<infer D> ? D : never;
/** The columns of a declared schema: `ColumnsOf<typeof bids>`. */
export type ColumnsOf<X> = X extends { readonly [DECLARED]: infer S } ? S : never;

class Definition {
  readonly type: DataType;
  readonly isNullable: boolean;
  constructor(type: DataType, isNullable: boolean) {
    this.type = type;
    this.isNullable = isNullable;
    Object.freeze(this);
  }
  nullable(): Definition {
    return new Definition(this.type, true);
  }
}
const define = <D>(type: DataType): TypeDef<D> => new Definition(type, false) as unknown as TypeDef<D>;

const refuse = (what: string): never => {
  throw new AnalysisError(`${what} is not a type; use those of \`t\`, such as t.string or t.long.nullable()`);
};

const fieldsOf = (definitions: Definitions): ReturnType<typeof field>[] =>
  Object.entries(
    objectArgument("schema", "an object of types", definitions, "schema({ name: t.string })"),
  ).map(([name, d]) =>
    (d as unknown) instanceof Definition ? field(name, d.type, d.isNullable) : refuse(`the column ${name}`),
  );

const checked = (d: TypeDef<unknown>): TypeDef<unknown> =>
  (d as unknown) instanceof Definition ? d : refuse("the element");

/**
 * The columns of a source, in the order of the object. JavaScript puts names that are whole numbers first.
 * Throws AnalysisError for what is no type of `t`.
 */
export const schema = <F extends Definitions>(
  definitions: F,
): TypedSchema<{ readonly [K in keyof F]: DeclaredType<F[K]> }> =>
  schemaOf(fieldsOf(definitions)) as TypedSchema<{ readonly [K in keyof F]: DeclaredType<F[K]> }>;

const LONG_AS_BIGINT: DataType = Object.freeze({ kind: "long", bigint: true });

/** The types of columns: Spark's, with the JS type that user code sees. */
export const t = Object.freeze({
  boolean: define<"boolean">(BOOLEAN),
  /** 8 bits: number. */
  byte: define<"byte">(BYTE),
  /** 16 bits: number. */
  short: define<"short">(SHORT),
  /** 32 bits: number. */
  int: define<"int">(INT),
  /** 64 bits: number; a value outside ±2^53 given to user code is an UnsafeIntegerError. */
  long: define<"long">(LONG),
  /** 64 bits: bigint in user code; SQL's bigint as `long` is. */
  bigint: define<"bigint">(LONG_AS_BIGINT),
  float: define<"float">(FLOAT),
  double: define<"double">(DOUBLE),
  /** Exact: its digits as a string. `precision` 1 to 38, `scale` 0 to `precision`. */
  decimal: (precision = 10, scale = 0): TypeDef<"decimal"> => {
    if (![precision, scale].every(Number.isSafeInteger))
      throw new AnalysisError("decimal takes whole numbers for precision and scale", {
        hint: "t.decimal(10, 2)",
      });
    if (!(precision >= 1 && precision <= 38 && scale >= 0 && scale <= precision))
      throw new AnalysisError(
        `decimal(${precision},${scale}): 1 <= precision <= 38, 0 <= scale <= precision`,
      );
    return define(decimal(precision, scale));
  },
  string: define<"string">(STRING),
  binary: define<"binary">(BINARY),
  /** An instant: Date. */
  timestamp: define<"timestamp">(TIMESTAMP),
  /** Local time without a zone: Date of the fields read as UTC. */
  timestamp_ntz: define<"timestamp_ntz">(TIMESTAMP_NTZ),
  date: define<"date">(DATE),
  /** Days to seconds: microseconds. */
  interval: define<"interval">(DAY_TIME_INTERVAL),
  /** Years and months: months. */
  yearMonthInterval: define<"yearMonthInterval">(YEAR_MONTH_INTERVAL),
  /** Any JSON value. */
  variant: define<"variant">(VARIANT),
  struct: <F extends Definitions>(
    fields: F,
  ): TypeDef<StructTag<{ readonly [K in keyof F]: DeclaredType<F[K]> }>> => define(struct(fieldsOf(fields))),
  array: <D>(element: TypeDef<D>): TypeDef<ArrayTag<D>> =>
    define(array(checked(element).type, element.isNullable)),
  map: <K, V>(key: TypeDef<K>, value: TypeDef<V>): TypeDef<MapTag<Base<K>, V>> =>
    define(map(checked(key).type, checked(value).type, value.isNullable)),
});
