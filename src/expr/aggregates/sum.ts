/**
 * `sum` and `avg`. S1: an integer sum is exact: a double while within ±2^53, a bigint beyond; overflow is judged on the result, so that it does not depend on
 * the order of rows. S2: a double sum adds in the order of rows; partial sums are saved bit for bit.
 */
import {
  DAY_TIME_INTERVAL,
  type DataType,
  decimal,
  DOUBLE,
  LONG,
  typeName,
  YEAR_MONTH_INTERVAL,
} from "../../core/data-type.ts";
import { canonicalLong, type Value } from "../../core/value.ts";
import type { Vector } from "../../core/vector.ts";
import type { Accumulator } from "../contract.ts";
import { isIntegral } from "../coercion.ts";
import { divideHalfUp, fitsPrecision, pow10 } from "../decimal.ts";
import { ansiInterval, numeric, oneOf, signature, type TypeClass } from "../rules.ts";
import { arithmeticOverflow, intervalOverflow } from "../runtime-errors.ts";
import { type AggregateDefinition, type Fold, foldAccumulator, grown, isTaken } from "./definition.ts";

/** Timestamps are added as seconds since the epoch. */
const summable = oneOf(numeric, ansiInterval);
const addable: TypeClass = {
  ...summable,
  implicit: (t) => (t.kind === "timestamp" ? DOUBLE : summable.implicit?.(t)),
};

type Decimal = DataType & { kind: "decimal" };

/** Adds the rows of a vector to double sums; shared by sum(double) and avg. */
const addDoubles = (
  sums: Float64Array,
  counts: Float64Array,
  groups: Int32Array,
  n: number,
  v: Vector,
  mask: Uint8Array | undefined,
): void => {
  if (v.layout === "i64") {
    for (let k = 0; k < n; k++) {
      if (!isTaken(v, k, mask)) continue;
      sums[groups[k]!]! += Number(v.data[k]);
      counts[groups[k]!]!++;
    }
    return;
  }
  const data = v.data as Float64Array | Int32Array;
  if (v.nulls === undefined && mask === undefined) {
    for (let k = 0; k < n; k++) {
      const g = groups[k]!;
      sums[g]! += data[k]!;
      counts[g]!++;
    }
    return;
  }
  for (let k = 0; k < n; k++) {
    if (!isTaken(v, k, mask)) continue;
    sums[groups[k]!]! += data[k]!;
    counts[groups[k]!]!++;
  }
};

const doubleAccumulator = (result: (sum: number, count: number) => Value): Accumulator => {
  let sums = new Float64Array(16);
  let counts = new Float64Array(16);
  return {
    ensure: (groups) => {
      sums = grown(sums, groups);
      counts = grown(counts, groups);
    },
    update: (groups, n, args, mask) => addDoubles(sums, counts, groups, n, args[0]!, mask),
    save: (g) => [sums[g]!, counts[g]!],
    load: (g, saved) => {
      [sums[g], counts[g]] = saved as [number, number];
    },
    merge: (g, saved) => {
      const [s, c] = saved as [number, number];
      sums[g]! += s;
      counts[g]! += c;
    },
    result: (g) => (counts[g] === 0 ? null : result(sums[g]!, counts[g]!)),
    clear: (g) => {
      sums[g] = 0;
      counts[g] = 0;
    },
  };
};

const SAFE = Number.MAX_SAFE_INTEGER;
const LONG_BOUND = 1n << 63n;

/** S1. `finish` checks and shapes the exact sum. */
const exactAccumulator = (finish: (sum: number | bigint) => Value): Accumulator => {
  let sums = new Float64Array(16);
  let seen = new Uint8Array(16);
  /** The sums that left ±2^53. */
  const large = new Map<number, bigint>();
  const addSlow = (g: number, x: number | bigint): void => {
    const exact = (large.get(g) ?? BigInt(sums[g]!)) + BigInt(x);
    if (exact <= BigInt(SAFE) && exact >= -BigInt(SAFE)) {
      large.delete(g);
      sums[g] = Number(exact);
    } else {
      large.set(g, exact);
      sums[g] = 0;
    }
  };
  const add = (g: number, x: number | bigint): void => {
    seen[g] = 1;
    if (typeof x === "number" && (large.size === 0 || !large.has(g))) {
      const s = sums[g]! + x;
      if (s <= SAFE && s >= -SAFE) {
        sums[g] = s;
        return;
      }
    }
    addSlow(g, x);
  };
  const exact = (g: number): number | bigint => (large.size === 0 ? sums[g]! : (large.get(g) ?? sums[g]!));
  return {
    ensure: (groups) => {
      sums = grown(sums, groups);
      seen = grown(seen, groups);
    },
    update: (groups, n, args, mask) => {
      const v = args[0]!;
      const data = v.data as Float64Array | Int32Array | BigInt64Array;
      let k = 0;
      if (v.nulls === undefined && mask === undefined && v.layout !== "i64" && large.size === 0) {
        const numbers = data as Float64Array;
        for (; k < n; k++) {
          const g = groups[k]!;
          const s = sums[g]! + numbers[k]!;
          if (s > SAFE || s < -SAFE) break;
          seen[g] = 1;
          sums[g] = s;
        }
      }
      for (; k < n; k++) if (isTaken(v, k, mask)) add(groups[k]!, data[k]!);
    },
    save: (g) => {
      if (seen[g] === 0) return null;
      const s = exact(g);
      return typeof s === "bigint" ? String(s) : s;
    },
    load: (g, saved) => {
      large.delete(g);
      sums[g] = 0;
      seen[g] = 0;
      if (saved !== null) add(g, typeof saved === "string" ? BigInt(saved) : (saved as number));
    },
    merge: (g, saved) => {
      if (saved !== null) add(g, typeof saved === "string" ? BigInt(saved) : (saved as number));
    },
    result: (g) => (seen[g] === 0 ? null : finish(exact(g))),
    clear: (g) => {
      large.delete(g);
      sums[g] = 0;
      seen[g] = 0;
    },
  };
};

interface Exact {
  sum: bigint;
  count: number;
}

/** Sums of bigints (decimals) and intervals with their count. */
const exactFold = (finish: (s: Exact) => Value): Fold<Exact> => ({
  empty: () => ({ sum: 0n, count: 0 }),
  add: (s, [v]) => {
    if (v === null) return s;
    s.sum += BigInt(v as bigint | number);
    s.count++;
    return s;
  },
  merge: (s, o) => ({ sum: s.sum + o.sum, count: s.count + o.count }),
  result: (s) => (s.count === 0 ? null : finish(s)),
  save: (s) => [String(s.sum), s.count],
  load: (saved) => {
    const [sum, count] = saved as [string, number];
    return { sum: BigInt(sum), count };
  },
});

const sumType = (t: DataType): DataType => {
  if (isIntegral(t)) return LONG;
  if (t.kind === "decimal") return decimal(Math.min(38, t.precision + 10), t.scale);
  return t.kind === "float" || t.kind === "double" ? DOUBLE : t;
};

/** Whether a sum is an interval: 32 bits of months, 64 of microseconds. */
const fitsInterval = (sum: bigint, t: DataType): boolean =>
  BigInt.asIntN(t.kind === "yearMonthInterval" ? 32 : 64, sum) === sum;

const intervalBeyond = (lenient: boolean): null => {
  if (lenient) return null;
  throw intervalOverflow();
};

/** `lenient`: overflow gives null (try_sum). */
const sumAccumulator = (from: DataType, to: DataType, lenient: boolean): Accumulator => {
  const overflow = (): Value => {
    if (lenient) return null;
    throw arithmeticOverflow(`sum of ${typeName(from)}`, "try_sum");
  };
  if (to.kind === "double") return doubleAccumulator((s) => s);
  if (to.kind === "decimal")
    return foldAccumulator(exactFold((s) => (fitsPrecision(s.sum, to.precision) ? s.sum : overflow())));
  if (to.kind === "yearMonthInterval" || to.kind === "dayTimeInterval")
    return exactAccumulator((s) => (fitsInterval(BigInt(s), to) ? Number(s) : intervalBeyond(lenient)));
  return exactAccumulator((s) => {
    if (typeof s === "number") return s + 0;
    return s >= LONG_BOUND || s < -LONG_BOUND ? overflow() : canonicalLong(s);
  });
};

const avgType = (t: DataType): DataType => {
  if (t.kind === "decimal") return decimal(Math.min(38, t.precision + 4), Math.min(38, t.scale + 4));
  if (t.kind === "dayTimeInterval") return DAY_TIME_INTERVAL;
  return t.kind === "yearMonthInterval" ? YEAR_MONTH_INTERVAL : DOUBLE;
};

const avgAccumulator = (from: DataType, to: DataType, lenient: boolean): Accumulator => {
  if (to.kind === "double") return doubleAccumulator((s, n) => s / n);
  if (to.kind !== "decimal")
    return foldAccumulator(
      exactFold((s) =>
        fitsInterval(s.sum, to) ? Number(divideHalfUp(s.sum, BigInt(s.count))) : intervalBeyond(lenient),
      ),
    );
  const shift = pow10((to as Decimal).scale - (from as Decimal).scale);
  return foldAccumulator(
    exactFold((s) => {
      const mean = divideHalfUp(s.sum * shift, BigInt(s.count));
      if (fitsPrecision(mean, to.precision)) return mean;
      if (lenient) return null;
      throw arithmeticOverflow("avg", "try_avg");
    }),
  );
};

const sumOf = (name: string, summary: string, lenient: boolean): AggregateDefinition => ({
  name,
  usage: `${name}(x)`,
  summary,
  resolve: signature([addable], (args) => sumType(args[0]!.type), { nullable: true }),
  create: (call) => sumAccumulator(call.args[0]!.type, call.type, lenient),
});
const avgOf = (
  name: string,
  summary: string,
  lenient: boolean,
  aliases: readonly string[],
): AggregateDefinition => ({
  name,
  aliases,
  usage: `${name}(x)`,
  summary,
  resolve: signature([addable], (args) => avgType(args[0]!.type), { nullable: true }),
  create: (call) => avgAccumulator(call.args[0]!.type, call.type, lenient),
});

export const SUM_AGGREGATES: readonly AggregateDefinition[] = [
  sumOf("sum", "The sum; null without values. Integers give bigint, decimals ten more digits.", false),
  sumOf("try_sum", "The sum; null on overflow.", true),
  avgOf("avg", "The mean; null without values. Decimals give four more digits.", false, ["mean"]),
  avgOf("try_avg", "The mean; null on overflow.", true, []),
];
