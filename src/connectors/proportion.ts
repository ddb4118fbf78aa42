/** Division of a rate limit among splits, in proportion to what waits in each. */

/**
 * How much of each split's `waiting` is taken so that the sum is at most `limit`. Largest remainders get what rounding leaves, so that
 * the limit is used up; ties go to the earlier split.
 */
export const proportion = (waiting: readonly number[], limit: number): number[] => {
  const total = waiting.reduce((a, b) => a + b, 0);
  if (total <= limit) return [...waiting];
  const exact = waiting.map((w) => (w * limit) / total);
  const taken = exact.map(Math.floor);
  let left = limit - taken.reduce((a, b) => a + b, 0);
  const order = exact.map((x, i) => [x - taken[i]!, i] as const).sort(([a, i], [b, j]) => b - a || i - j);
  for (const [, i] of order) {
    if (left === 0) break;
    if (taken[i]! < waiting[i]!) {
      taken[i]!++;
      left--;
    }
  }
  return taken;
};
