/**
 * Variance, skewness, kurtosis, covariance, correlation and linear regression by the streaming formulas that Spark uses, so that results agree to the last bit
 * for the same order of rows. M1: pairs count only where both values are there.
 */
import { DOUBLE, LONG } from "../../core/data-type.ts";
import type { Value } from "../../core/value.ts";
import { signature } from "../rules.ts";
import { type AggregateDefinition, type Fold, foldAccumulator } from "./definition.ts";

/** n, mean, and the sums of the 2nd to 4th powers of deviations. */
type Moments = [n: number, mean: number, m2: number, m3: number, m4: number];

const addMoment = (s: Moments, x: number): Moments => {
  const [n0, mean, m2, m3, m4] = s;
  const n = n0 + 1;
  const delta = x - mean;
  const deltaN = delta / n;
  const new2 = m2 + delta * (delta - deltaN);
  const delta2 = delta * delta;
  const deltaN2 = deltaN * deltaN;
  const new3 = m3 - 3 * deltaN * new2 + delta * (delta2 - deltaN2);
  const new4 = m4 - 4 * deltaN * new3 - 6 * deltaN2 * new2 + delta * (delta * delta2 - deltaN * deltaN2);
  return [n, mean + deltaN, new2, new3, new4];
};

const mergeMoments = (a: Moments, b: Moments): Moments => {
  if (b[0] === 0) return a;
  if (a[0] === 0) return b;
  const [n1, mean1, a2, a3, a4] = a;
  const [n2, mean2, b2, b3, b4] = b;
  const n = n1 + n2;
  const delta = mean2 - mean1;
  const deltaN = delta / n;
  const m2 = a2 + b2 + delta * deltaN * n1 * n2;
  const m3 = a3 + b3 + deltaN * deltaN * delta * n1 * n2 * (n1 - n2) + 3 * deltaN * (n1 * b2 - n2 * a2);
  const m4 =
    a4 +
    b4 +
    deltaN * deltaN * deltaN * delta * n1 * n2 * (n1 * n1 - n1 * n2 + n2 * n2) +
    6 * deltaN * deltaN * (n1 * n1 * b2 + n2 * n2 * a2) +
    4 * deltaN * (n1 * b3 - n2 * a3);
  return [n, mean1 + deltaN * n2, m2, m3, m4];
};

const momentFold = (result: (m: Moments) => Value): Fold<Moments> => ({
  empty: () => [0, 0, 0, 0, 0],
  add: (s, [x]) => (x === null ? s : addMoment(s, x as number)),
  merge: mergeMoments,
  result: (s) => (s[0] === 0 ? null : result(s)),
  save: (s) => s,
  load: (s) => s as unknown as Moments,
});

const moment = (
  name: string,
  summary: string,
  result: (m: Moments) => Value,
  aliases: readonly string[] = [],
): AggregateDefinition => ({
  name,
  aliases,
  usage: `${name}(x)`,
  summary,
  resolve: signature([DOUBLE], DOUBLE, { nullable: true }),
  create: () => foldAccumulator(momentFold(result)),
});

/** Of pairs (x, y): n, both means, the sums of squared deviations of each and of their products. */
interface Pairs {
  readonly n: number;
  readonly x: number;
  readonly y: number;
  readonly xx: number;
  readonly yy: number;
  readonly xy: number;
}

/** `central`: the deviations by the formula of variances (regr_*), else by the one of corr: they differ in the last bit. */
const addPair = (s: Pairs, x: number, y: number, central: boolean): Pairs => {
  const n = s.n + 1;
  const dx = x - s.x;
  const dy = y - s.y;
  const meanX = s.x + dx / n;
  const meanY = s.y + dy / n;
  return {
    n,
    x: meanX,
    y: meanY,
    xx: s.xx + dx * (central ? dx - dx / n : x - meanX),
    yy: s.yy + dy * (central ? dy - dy / n : y - meanY),
    xy: s.xy + dx * (y - meanY),
  };
};

const mergePairs = (a: Pairs, b: Pairs): Pairs => {
  if (b.n === 0) return a;
  if (a.n === 0) return b;
  const n = a.n + b.n;
  const dx = b.x - a.x;
  const dy = b.y - a.y;
  const [dxN, dyN] = [dx / n, dy / n];
  return {
    n,
    x: a.x + dxN * b.n,
    y: a.y + dyN * b.n,
    xx: a.xx + b.xx + dx * dxN * a.n * b.n,
    yy: a.yy + b.yy + dy * dyN * a.n * b.n,
    xy: a.xy + b.xy + dx * dyN * a.n * b.n,
  };
};

/** Regressions are called with (y, x). */
const pairFold = (result: (s: Pairs) => Value, regression: boolean): Fold<Pairs> => ({
  empty: () => ({ n: 0, x: 0, y: 0, xx: 0, yy: 0, xy: 0 }),
  add: (s, [a, b]) => {
    if (a === null || b === null) return s;
    const [x, y] = (regression ? [b, a] : [a, b]) as [number, number];
    return addPair(s, x, y, regression);
  },
  merge: mergePairs,
  result,
  save: (s) => [s.n, s.x, s.y, s.xx, s.yy, s.xy],
  load: (saved) => {
    const [n, x, y, xx, yy, xy] = saved as [number, number, number, number, number, number];
    return { n, x, y, xx, yy, xy };
  },
});

const pair = (
  name: string,
  parameters: string,
  summary: string,
  result: (s: Pairs) => Value,
): AggregateDefinition => ({
  name,
  usage: `${name}(${parameters})`,
  summary,
  resolve: signature([DOUBLE, DOUBLE], DOUBLE, { nullable: true }),
  create: () => foldAccumulator(pairFold(result, name.startsWith("regr_"))),
});

const orNull =
  (f: (s: Pairs) => Value) =>
  (s: Pairs): Value =>
    s.n === 0 ? null : f(s);

export const MOMENT_AGGREGATES: readonly AggregateDefinition[] = [
  moment(
    "stddev_samp",
    "Sample standard deviation; null below two values.",
    ([n, , m2]) => (n === 1 ? null : Math.sqrt(m2 / (n - 1))),
    ["stddev", "std"],
  ),
  moment("stddev_pop", "Population standard deviation.", ([n, , m2]) => Math.sqrt(m2 / n)),
  moment(
    "var_samp",
    "Sample variance; null below two values.",
    ([n, , m2]) => (n === 1 ? null : m2 / (n - 1)),
    ["variance"],
  ),
  moment("var_pop", "Population variance.", ([n, , m2]) => m2 / n),
  moment("skewness", "Skewness; null when all values are equal.", ([n, , m2, m3]) =>
    m2 === 0 ? null : (Math.sqrt(n) * m3) / Math.sqrt(m2 * m2 * m2),
  ),
  moment("kurtosis", "Excess kurtosis; null when all values are equal.", ([n, , m2, , m4]) =>
    m2 === 0 ? null : (n * m4) / (m2 * m2) - 3,
  ),
  pair(
    "covar_pop",
    "x, y",
    "Population covariance.",
    orNull((s) => s.xy / s.n),
  ),
  pair("covar_samp", "x, y", "Sample covariance; null below two pairs.", (s) =>
    s.n < 2 ? null : s.xy / (s.n - 1),
  ),
  pair("corr", "x, y", "Pearson's correlation; null when a side is constant.", (s) =>
    s.n < 2 || s.xx * s.yy === 0 ? null : s.xy / Math.sqrt(s.xx * s.yy),
  ),
  pair(
    "regr_avgx",
    "y, x",
    "Mean of x over the pairs.",
    orNull((s) => s.x),
  ),
  pair(
    "regr_avgy",
    "y, x",
    "Mean of y over the pairs.",
    orNull((s) => s.y),
  ),
  pair(
    "regr_sxx",
    "y, x",
    "Sum of squared deviations of x.",
    orNull((s) => s.xx),
  ),
  pair(
    "regr_syy",
    "y, x",
    "Sum of squared deviations of y.",
    orNull((s) => s.yy),
  ),
  pair(
    "regr_sxy",
    "y, x",
    "Sum of products of deviations.",
    orNull((s) => s.xy),
  ),
  pair(
    "regr_slope",
    "y, x",
    "Slope of the regression line.",
    orNull((s) => (s.xx === 0 ? null : s.xy / s.xx)),
  ),
  pair(
    "regr_intercept",
    "y, x",
    "Intercept of the regression line.",
    orNull((s) => (s.xx === 0 ? null : s.y - (s.xy / s.xx) * s.x)),
  ),
  pair(
    "regr_r2",
    "y, x",
    "Coefficient of determination.",
    orNull((s) => {
      if (s.xx === 0) return null;
      if (s.yy === 0) return 1;
      const corr = s.xy / Math.sqrt(s.xx * s.yy);
      return corr * corr;
    }),
  ),
  {
    ...pair("regr_count", "y, x", "Number of pairs.", (s) => s.n),
    resolve: signature([DOUBLE, DOUBLE], LONG, { nullable: false }),
  },
];
