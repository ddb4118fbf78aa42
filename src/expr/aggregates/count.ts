/** `count(*)`, `count(a, b)`, `count_if(condition)`: rows in Float64Array counters. */
import { BOOLEAN, LONG } from "../../core/data-type.ts";
import type { Vector } from "../../core/vector.ts";
import type { Accumulator } from "../contract.ts";
import { any, signature } from "../rules.ts";
import { type AggregateDefinition, grown } from "./definition.ts";

/** Rows where any argument is null as a mask to leave out; undefined when there are none. */
const nullsOf = (args: readonly Vector[], n: number): Uint8Array | undefined => {
  const masks = args.flatMap((v) => (v.nulls === undefined ? [] : [v.nulls]));
  if (masks.length < 2) return masks[0];
  const out = new Uint8Array(n);
  for (const m of masks) for (let k = 0; k < n; k++) out[k]! |= m[k]!;
  return out;
};

type Skip = (args: readonly Vector[], n: number) => Uint8Array | undefined;

const counter = (skip: Skip): Accumulator => {
  let counts = new Float64Array(16);
  return {
    ensure: (groups) => {
      counts = grown(counts, groups);
    },
    update: (groups, n, args, mask) => {
      const left = skip(args, n);
      if (left === undefined && mask === undefined) for (let k = 0; k < n; k++) counts[groups[k]!]!++;
      else
        for (let k = 0; k < n; k++)
          if ((left === undefined || left[k] === 0) && (mask === undefined || mask[k] === 1))
            counts[groups[k]!]!++;
    },
    save: (g) => counts[g]!,
    load: (g, saved) => {
      counts[g] = Number(saved);
    },
    merge: (g, saved) => {
      counts[g]! += Number(saved);
    },
    result: (g) => counts[g]!,
    clear: (g) => {
      counts[g] = 0;
    },
  };
};

/** Null and false are left out. */
const untrue: Skip = ([v], n) => {
  const out = new Uint8Array(n);
  const data = v!.data as Uint8Array;
  for (let k = 0; k < n; k++) out[k] = data[k] === 1 && v!.nulls?.[k] !== 1 ? 0 : 1;
  return out;
};

export const COUNT_AGGREGATES: readonly AggregateDefinition[] = [
  {
    name: "count",
    usage: "count(*) | count(a, …)",
    summary: "Rows; with arguments, rows where none of them is null.",
    resolve: (args, site) =>
      args.length === 0
        ? { args, type: LONG, nullable: false }
        : signature([any], LONG, { variadic: true, nullable: false })(args, site),
    create: () => counter(nullsOf),
  },
  {
    name: "count_if",
    usage: "count_if(condition)",
    summary: "Rows where the condition is true.",
    resolve: signature([BOOLEAN], LONG, { nullable: false }),
    create: () => counter(untrue),
  },
];
