/** Suggestions for names that do not exist: the nearest by edit distance. */

/** Levenshtein distance. */
export const editDistance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
};

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
