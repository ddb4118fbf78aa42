/** histogram_numeric: bins of varying width, the two nearest merged while there are too many (Ben-Haim and Tom-Tov, as Spark). */
import { array, type DataType, DOUBLE, field, INT, struct } from "../../core/data-type.ts";
import type { Value } from "../../core/value.ts";
import { isAnsiInterval, isDatetime, isIntegral } from "../coercion.ts";
import { decimalOfNumber, decimalToNumber } from "../decimal.ts";
import { constantOf } from "../functions/definition.ts";
import { numeric, oneOf, signature, type SignatureOptions } from "../rules.ts";
import { mismatch } from "../type-errors.ts";
import { type AggregateDefinition, type Fold, foldAccumulator } from "./definition.ts";

/** Times and intervals are put into bins as numbers. */
const measurable = oneOf(numeric, {
  name: `("DATE" or "TIMESTAMP" or "INTERVAL")`,
  accepts: (t) => isDatetime(t) || isAnsiInterval(t),
  whenNull: DOUBLE,
});

/** Two bins at least. */
const checkBins: SignatureOptions["check"] = (args, site) => {
  const bins = constantOf(site.fold?.(args[1]!) ?? args[1]);
  if (typeof bins === "number" && bins < 2)
    throw mismatch(
      "VALUE_OUT_OF_RANGE",
      site,
      args,
      `The \`nb\` must be at least 2 (current value = ${bins}).`,
    );
};

type Bin = [x: number, y: number];

/** Adds a bin in order of x, then merges the two nearest while there are more than `most`. */
const addBin = (bins: Bin[], bin: Bin, most: number): void => {
  const at = bins.findIndex((b) => b[0] >= bin[0]);
  if (at >= 0 && bins[at]![0] === bin[0]) bins[at] = [bin[0], bins[at]![1] + bin[1]];
  else bins.splice(at < 0 ? bins.length : at, 0, bin);
  while (bins.length > most) {
    let nearest = 0;
    for (let i = 1; i < bins.length - 1; i++)
      if (bins[i + 1]![0] - bins[i]![0] < bins[nearest + 1]![0] - bins[nearest]![0]) nearest = i;
    const [a, b] = [bins[nearest]!, bins[nearest + 1]!];
    const y = a[1] + b[1];
    bins.splice(nearest, 2, [(a[0] * a[1] + b[0] * b[1]) / y, y]);
  }
};

const asNumber = (v: Value, type: DataType): number =>
  type.kind === "decimal" ? decimalToNumber(v as bigint, type.scale) : Number(v);

const centre = (x: number, type: DataType): Value => {
  if (type.kind === "decimal") return decimalOfNumber(x, type.scale) ?? null;
  return isIntegral(type) || isDatetime(type) || isAnsiInterval(type) ? Math.trunc(x) : x;
};
/** Centres have the type of the values: those of integers are cut. */
const histogramFold = (most: number, type: DataType): Fold<Bin[]> => ({
  empty: () => [],
  add: (s, [v]) => {
    if (v !== null && v !== undefined) addBin(s, [asNumber(v, type), 1], most);
    return s;
  },
  merge: (s, o) => {
    for (const b of o) addBin(s, b, most);
    return s;
  },
  result: (s) => (s.length === 0 ? null : s.map(([x, y]) => [centre(x, type), y])),
  save: (s) => s.map(([x, y]) => [x, y]),
  load: (saved) => (saved as Bin[]).map(([x, y]) => [x, y]),
});

export const HISTOGRAM_AGGREGATES: readonly AggregateDefinition[] = [
  {
    name: "histogram_numeric",
    usage: "histogram_numeric(x, bins)",
    summary: "A histogram of bins with varying width: centre x and height y of each.",
    resolve: signature(
      [measurable, INT],
      (args) => array(struct([field("x", args[0]!.type), field("y", DOUBLE)]), true),
      { nullable: true, check: checkBins },
    ),
    create: (call) =>
      foldAccumulator(histogramFold(Number(constantOf(call.args[1]) ?? 10), call.args[0]!.type)),
    ordered: true,
  },
];
