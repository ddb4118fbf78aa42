/** Suggestions for names that do not exist: the nearest by edit distance. */

import { editDistance } from "../core/edit-distance.ts";

const SUGGESTIONS_MAX = 5;

/** Up to five candidates, nearest first (ties by name). `compareTo`: the part of a candidate that is compared. */
export const nearest = (
  name: string,
  candidates: readonly string[],
  compareTo: (candidate: string) => string = (c) => c,
  max = SUGGESTIONS_MAX,
): readonly string[] =>
  [...new Set(candidates)]
    .map((c) => ({ c, d: editDistance(name.toLowerCase(), compareTo(c).toLowerCase()) }))
    .sort((x, y) => x.d - y.d || (x.c < y.c ? -1 : x.c > y.c ? 1 : 0))
    .slice(0, max)
    .map((x) => x.c);
