/** vector_sum and vector_avg: element by element over vectors of floats; a vector with a null element does not count. All of a group have one dimension. */
import { array, FLOAT } from "../../core/data-type.ts";
import type { Value } from "../../core/value.ts";
import { requireDimension, requireVector } from "../functions/vector.ts";
import { wrongNumberOfArguments } from "../type-errors.ts";
import { type AggregateDefinition, foldAccumulator } from "./definition.ts";

/** The sums in double, and how many vectors there were. */
interface Sums {
  readonly count: number;
  readonly sums: readonly number[];
}

const vector = (name: string, summary: string, result: (s: Sums) => Value): AggregateDefinition => {
  const plus = (a: Sums, b: Sums): Sums => {
    if (a.count === 0) return b;
    if (b.count === 0) return a;
    requireDimension(name, a.sums.length, b.sums.length);
    return { count: a.count + b.count, sums: a.sums.map((x, i) => x + b.sums[i]!) };
  };
  return {
    name,
    usage: `${name}(vector)`,
    summary,
    resolve: (args, site) => {
      if (args.length !== 1) throw wrongNumberOfArguments(site, "1", args.length);
      requireVector(args, 0, site);
      return { args, type: array(FLOAT, false), nullable: true };
    },
    create: () =>
      foldAccumulator<Sums>({
        empty: () => ({ count: 0, sums: [] }),
        add: (s, [v]) =>
          v === null || (v as readonly Value[]).includes(null)
            ? s
            : plus(s, { count: 1, sums: v as readonly number[] }),
        merge: plus,
        result: (s) => (s.count === 0 ? null : result(s)),
        save: (s) => [s.count, [...s.sums]],
        load: (saved) => {
          const [count, sums] = saved as [number, number[]];
          return { count, sums: [...sums] };
        },
      }),
    ordered: true,
  };
};

export const VECTOR_AGGREGATES: readonly AggregateDefinition[] = [
  vector("vector_sum", "The sum of vectors, element by element.", (s) => s.sums.map(Math.fround)),
  vector("vector_avg", "The mean of vectors, element by element.", (s) =>
    s.sums.map((x) => Math.fround(x / s.count)),
  ),
];
