/** Relations of verbs that take more than frames and expressions: their arguments checked. Throws AnalysisError. */
import { AnalysisError } from "../core/errors.ts";
import type { Expr } from "../expr/ast.ts";
import type { Relation } from "../plan/relation.ts";
import { durationArgument, kindOf, objectArgument, textArgument } from "./arguments.ts";
import { given, namedExpr, nameMap } from "./frame-items.ts";

const A_COLUMN = "the name of a column";

/** Of one column that is named beside its value, or of an object. */
const entriesOf = (verb: string, given: unknown): readonly (readonly [string, unknown])[] =>
  given instanceof Map
    ? [...(given as ReadonlyMap<string, unknown>)]
    : Object.entries(objectArgument(`${verb}s`, "an object by the names of columns", given as object));

export const withColumns = (child: Relation, columns: unknown, c: unknown): Relation => ({
  kind: "withColumns",
  child,
  columns: entriesOf("withColumn", given(columns, c)).map(
    ([name, x]) => [textArgument("withColumn", A_COLUMN, name), namedExpr(x, c)] as const,
  ),
});

export const renamed = (child: Relation, names: unknown): Relation => {
  const entries = entriesOf("withColumnRenamed", names);
  // One name of `withColumnsRenamed` may be left open.
  for (const [from, to] of entries)
    if (to !== undefined || names instanceof Map)
      for (const name of [from, to]) textArgument("withColumnRenamed", A_COLUMN, name);
  return { kind: "renamed", child, names: nameMap(entries as readonly (readonly [string, string])[]) };
};

export const sampled = (child: Relation, fraction: unknown, seed: unknown): Relation => {
  if (typeof fraction !== "number" || !(fraction >= 0 && fraction <= 1))
    throw new AnalysisError(
      `sample: the fraction must be from 0 to 1, not ${typeof fraction === "number" ? fraction : kindOf(fraction)}`,
    );
  if (!Number.isSafeInteger(seed))
    throw new AnalysisError(`sample: the seed must be a whole number, not ${kindOf(seed)}`);
  return { kind: "sample", child, fraction, seed: seed as number };
};

export const watermarked = (child: Relation, column: string, delay: unknown): Relation => {
  const name = textArgument("withWatermark", A_COLUMN, column, 'withWatermark("ts", "10 seconds")');
  return { kind: "watermark", child, column: [name], delayMs: durationArgument("withWatermark", delay) };
};

export const exploded = (child: Relation, array: Expr, name: string, outer: boolean): Relation => {
  const call: Expr = { kind: "call", fn: "explode", args: [array] };
  const columns = [textArgument("explode", "the name of the new column", name)];
  return { kind: "generate", child, call, outer, columns };
};

export const named = (child: Relation, name: string): Relation => ({
  kind: "alias",
  child,
  name: textArgument("alias", "a name", name),
});
