/**
 * approx_count_distinct: HyperLogLog++ over xxhash64 with seed 42, the registers of Spark. H1: below the linear-counting threshold the estimate is Spark's; between it and
 * five times the number of registers Spark subtracts an empirical bias, where this gives the raw estimate (its error is within the same bound).
 */
import { type DataType, DOUBLE, LONG } from "../../core/data-type.ts";
import type { Value } from "../../core/value.ts";
import type { AggregateCall } from "../ast.ts";
import type { Accumulator } from "../contract.ts";
import { constantOf } from "../functions/definition.ts";
import { xxHash64 } from "../hash-values.ts";
import { any, signature, type SignatureOptions } from "../rules.ts";
import { analysisError } from "../type-errors.ts";
import { type AggregateDefinition, foldAccumulator } from "./definition.ts";

const DEVIATION_DEFAULT = 0.05;
const THRESHOLDS = [10, 20, 40, 80, 220, 400, 900, 1800, 3100, 6500, 11500, 20000, 50000, 120000, 350000];

const PRECISION_MIN = 4;
const PRECISION_MAX = 30;

const precisionOf = (deviation: number): number => Math.ceil((2 * Math.log(1.106 / deviation)) / Math.log(2));

/** A deviation that asks for fewer registers than there must be, or for more than fit, is refused. */
const checkDeviation: SignatureOptions["check"] = (args, site) => {
  if (args[1] === undefined) return;
  const deviation = deviationOf(constantOf(site.fold?.(args[1]) ?? args[1]));
  const precision = precisionOf(deviation);
  if (!(precision >= PRECISION_MIN && precision <= PRECISION_MAX))
    throw analysisError(
      "FAILED_FUNCTION_CALL",
      `Failed preparing of the function \`approx_count_distinct\` for call: its relative deviation cannot be ${deviation}.`,
      site.position,
    );
};

const alphaSquare = (m: number): number => {
  const alpha = m === 16 ? 0.673 : m === 32 ? 0.697 : m === 64 ? 0.709 : 0.7213 / (1 + 1.079 / m);
  return alpha * m * m;
};

const leadingZeros = (x: bigint): number => {
  const high = Number(x >> 32n);
  return high !== 0 ? Math.clz32(high) : 32 + Math.clz32(Number(x & 0xffffffffn));
};

const estimate = (registers: Uint8Array, precision: number): number => {
  const m = registers.length;
  let inverse = 0;
  let zeros = 0;
  for (const r of registers) {
    inverse += 2 ** -r;
    if (r === 0) zeros++;
  }
  const raw = alphaSquare(m) / inverse;
  if (zeros > 0) {
    const linear = m * Math.log(m / zeros);
    if (precision < 19 && linear <= (THRESHOLDS[precision - 4] ?? 0)) return Math.round(linear);
  }
  return Math.round(raw);
};

const hll = (type: DataType, precision: number): Accumulator => {
  const m = 1 << precision;
  const shift = BigInt(64 - precision);
  const wPadding = 1n << BigInt(precision - 1);
  const hash = xxHash64(type);
  return foldAccumulator<Uint8Array>({
    empty: () => new Uint8Array(m),
    add: (s, [v]) => {
      if (v === null) return s;
      const x = BigInt.asUintN(64, hash(v!, 42n));
      const index = Number(x >> shift);
      const rank = leadingZeros(BigInt.asUintN(64, x << BigInt(precision)) | wPadding) + 1;
      if (rank > s[index]!) s[index] = rank;
      return s;
    },
    merge: (s, o) => {
      for (let i = 0; i < m; i++) if (o[i]! > s[i]!) s[i] = o[i]!;
      return s;
    },
    result: (s) => estimate(s, precision),
    save: (s) => s.slice(),
    load: (saved) => (saved as Uint8Array).slice(),
  });
};

const deviationOf = (v: Value | undefined): number =>
  v === undefined || v === null ? DEVIATION_DEFAULT : Number(v);

export const APPROX_COUNT_AGGREGATES: readonly AggregateDefinition[] = [
  {
    name: "approx_count_distinct",
    usage: "approx_count_distinct(x[, relativeSD])",
    summary: "The estimated number of distinct values (HyperLogLog++); relativeSD defaults to 0.05.",
    resolve: signature([any, DOUBLE], LONG, { optional: 1, nullable: false, check: checkDeviation }),
    create: (call: AggregateCall) =>
      hll(call.args[0]!.type, precisionOf(deviationOf(constantOf(call.args[1])))),
    ignoresDuplicates: true,
  },
];
