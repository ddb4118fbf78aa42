/** The `emit` option of `agg`: groups given before they close too. */
import { AnalysisError } from "../core/errors.ts";
import type { Relation } from "../plan/relation.ts";
import { durationArgument, objectArgument, textArgument } from "./arguments.ts";
import type { Duration } from "./tags.ts";

/**
 * Early rows of an aggregate in append mode (extension): an open group is given with what it has so far, and once more when it closes. `marker` names a column
 * behind the others: false in early rows, true in a group's last row. `every`: a group is given at most once per this much time of the epochs' clock, when
 * it changed; without it, in every epoch that changes it.
 */
export interface EmitOptions<M extends string> {
  readonly marker: M;
  readonly every?: Duration;
}

/** What `agg` puts into the relation; undefined without the option. Throws AnalysisError. */
export const emitOf = (
  options: { readonly emit?: EmitOptions<string> } | undefined,
): Pick<Extract<Relation, { kind: "emit" }>, "marker" | "everyMs"> | undefined => {
  const example = 'agg(…, { emit: { marker: "final" } })';
  if (options === undefined) return undefined;
  const { emit } = objectArgument("agg", "options as an object", options, example);
  if (emit === undefined) return undefined;
  const { marker, every } = objectArgument("agg: emit", "an object with a marker", emit, example);
  const everyMs = every === undefined ? undefined : durationArgument("agg: emit.every", every);
  if (everyMs !== undefined && !(everyMs > 0))
    throw new AnalysisError(`agg: emit.every must be above zero, but is ${everyMs} ms`);
  return { marker: textArgument("agg: emit.marker", "the name of a column", marker, example), everyMs };
};
