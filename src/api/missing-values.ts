/** `df.na`: Spark's DataFrameNaFunctions. */
import type { DataType } from "../core/data-type.ts";
import { INT } from "../core/data-type.ts";
import { AnalysisError } from "../core/errors.ts";
import type { Expr } from "../expr/ast.ts";
import type { Relation } from "../plan/relation.ts";
import { kindOf, listArgument, objectArgument } from "./arguments.ts";
import { call, column } from "./expression-builder.ts";
import type { DataFrame, FrameMaker } from "./data-frame.ts";
import type { FrameCore } from "./frame-core.ts";
import type { Filled, Flags } from "./frame-types.ts";
import { checkNames } from "./frame-items.ts";
import { lift, literal } from "./literal.ts";
import type { Base, Flat, Keys, LiteralIn } from "./tags.ts";

type Scalar = number | string | boolean;
type Widened<V> = V extends string ? string : V extends number ? number : boolean;

const NUMERIC = ["byte", "short", "int", "long", "float", "double", "decimal"];
const takes = (type: DataType, value: unknown): boolean =>
  typeof value === "number" ? NUMERIC.includes(type.kind) : type.kind === typeof value;

/** Null or NaN, as Spark counts missing values. */
const missing = (name: string, type: DataType): Expr => {
  const isNull = call("isnull", [column(name)]);
  return type.kind === "float" || type.kind === "double"
    ? call("or", [isNull, call("isnan", [column(name)])])
    : isNull;
};

const checkScalar = (verb: string, x: unknown): void => {
  if (!["number", "string", "boolean", "object"].includes(typeof x) || x === null)
    throw new AnalysisError(`${verb} takes numbers, texts and booleans, not ${kindOf(x)}`);
};

export class MissingValues<S, F extends Flags> {
  readonly #frame: FrameCore;
  readonly #make: FrameMaker;

  constructor(frame: FrameCore, make: FrameMaker) {
    this.#frame = frame;
    this.#make = make;
  }

  #to<S2>(relation: Relation): DataFrame<S2, F> {
    return this.#make(relation);
  }

  #check(verb: string, names: readonly string[] = []): void {
    checkNames(verb, names, this.#frame.columns);
  }

  /** In place of null and NaN: one value for all columns of its type, or a value per column: `fill({ price: 0 })`. */
  fill<const V extends Scalar | { readonly [K in Keys<S>]?: LiteralIn<S[K]> }, K extends Keys<S> = Keys<S>>(
    value: V,
    columns?: readonly K[],
  ): DataFrame<Flat<Filled<Pick<S, K>, V> & Omit<S, K>>, F> {
    const { schema } = this.#frame;
    checkScalar(
      "na.fill",
      typeof value === "object"
        ? objectArgument("na.fill", "a value, or an object of values by column", value)
        : value,
    );
    this.#check("na.fill", typeof value === "object" ? Object.keys(value) : columns);
    const values = typeof value === "object" ? new Map<string, unknown>(Object.entries(value)) : undefined;
    const filled = schema.fields
      .filter((f) =>
        values === undefined
          ? takes(f.type, value) && (columns?.includes(f.name as K) ?? true)
          : values.has(f.name),
      )
      .map(({ name, type }) => {
        const replacement = lift(values === undefined ? value : values.get(name));
        const to: Expr = { kind: "cast", child: replacement, to: type, tryCast: false };
        const expr: Expr = { kind: "case", branches: [[missing(name, type), to]], otherwise: column(name) };
        return [
          name,
          type.kind === "float" || type.kind === "double"
            ? call("coalesce", [expr, to])
            : call("coalesce", [column(name), to]),
        ] as const;
      });
    return this.#to({ kind: "withColumns", child: this.#frame.relation, columns: filled });
  }

  /** Rows without missing values: `any` (default) drops a row with one, `all` one that has nothing else, a number one with fewer values than that. */
  drop<const H extends "any" | "all" | number = "any", K extends Keys<S> = Keys<S>>(
    how?: H,
    columns?: readonly K[],
  ): DataFrame<H extends "any" ? { readonly [P in keyof S]: P extends K ? Base<S[P]> : S[P] } : S, F> {
    if (how !== undefined && how !== "any" && how !== "all" && !Number.isSafeInteger(how))
      throw new AnalysisError(`na.drop takes "any", "all" or a whole number, not ${kindOf(how)}`);
    this.#check("na.drop", columns);
    const fields = this.#frame.schema.fields.filter((f) => columns?.includes(f.name as K) ?? true);
    if (fields.length === 0) throw new AnalysisError("na.drop: no columns to look at");
    const present = fields.map((f) => call("not", [missing(f.name, f.type)]));
    const counted = present.map((p): Expr => ({
      kind: "case",
      branches: [[p, literal(1, INT)]],
      otherwise: literal(0, INT),
    }));
    const least = how === undefined || how === "any" ? fields.length : how === "all" ? 1 : (how as number);
    const sum = counted.reduce((a, b) => call("+", [a, b]));
    const condition =
      least === fields.length
        ? present.reduce((a, b) => call("and", [a, b]))
        : call(">=", [sum, literal(least, INT)]);
    return this.#to({ kind: "filter", child: this.#frame.relation, condition });
  }

  /** Other values for some values: `replace([["N/A", "none"]], ["channel"])`, in all columns of the type when none is named. */
  replace<V extends Scalar, K extends Keys<S> = Keys<S>>(
    pairs: readonly (readonly [from: V, to: Widened<NoInfer<V>> | null])[],
    columns?: readonly K[],
  ): DataFrame<S, F> {
    for (const pair of listArgument("na.replace", "a list of pairs", pairs, 'na.replace([["N/A", "none"]])'))
      checkScalar("na.replace", listArgument("na.replace", "a list of pairs", pair)[0]);
    this.#check("na.replace", columns);
    const fields = this.#frame.schema.fields.filter(
      (f) => (columns?.includes(f.name as K) ?? true) && pairs.every(([from]) => takes(f.type, from)),
    );
    const replaced = fields.map(({ name, type }) => {
      const branches = pairs.map(
        ([from, to]) =>
          [
            call("=", [column(name), lift(from)]),
            { kind: "cast", child: lift(to), to: type, tryCast: false } satisfies Expr,
          ] as const,
      );
      return [name, { kind: "case", branches, otherwise: column(name) } satisfies Expr] as const;
    });
    return this.#to({ kind: "withColumns", child: this.#frame.relation, columns: replaced });
  }
}
