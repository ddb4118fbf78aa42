/** The sets of keys that rollup, cube and groupingSets aggregate by. */
import { AnalysisError } from "../core/errors.ts";

const CUBE_KEYS_MAX = 10;

/** (a, b, c), (a, b), (a), (). */
export const rollupSets = <K extends string>(keys: readonly K[]): readonly (readonly K[])[] =>
  Array.from({ length: keys.length + 1 }, (_, i) => keys.slice(0, keys.length - i));

/** Every subset. */
export const cubeSets = <K extends string>(keys: readonly K[]): readonly (readonly K[])[] => {
  if (keys.length > CUBE_KEYS_MAX)
    throw new AnalysisError(
      `cube of ${keys.length} keys would be ${2 ** keys.length} grouping sets; ${CUBE_KEYS_MAX} keys at most`,
    );
  return Array.from({ length: 2 ** keys.length }, (_, bits) =>
    keys.filter((_k, i) => (bits & (1 << (keys.length - 1 - i))) === 0),
  );
};

/** Keys of all sets, in the order of their first mention. */
export const keysOfSets = <K extends string>(sets: readonly (readonly K[])[]): readonly K[] => {
  if (!Array.isArray(sets) || sets.some((s) => !Array.isArray(s)))
    throw new AnalysisError('groupingSets takes lists of names: groupingSets([["a", "b"], ["a"], []])');
  return [...new Set(sets.flat())];
};
