/**
 * Where the time of the slow rows went (`bench latency --trace`): each result's newest input row is followed from when it was due to when its result was read, by the
 * times that the generator, the broker, the actors and the reader noted. Parts follow one another without a gap and add up to the row's age. Collections of
 * garbage lie across parts and are told beside them.
 */
import { PerformanceObserver } from "node:perf_hooks";
import type { NatsAccess } from "../log/nats-access.ts";
import type { NodeServices } from "../query/services.ts";
import { IN, now, type Sent } from "./latency-load.ts";
import type { TracedResult } from "./latency-reader.ts";
import type { ReportRow } from "./report.ts";

/** A collection of garbage that stopped a process. */
export type Pause = readonly [fromMs: number, toMs: number];

/** Notes the collections of this process from now on. */
export const watchPauses = (): Pause[] => {
  const pauses: Pause[] = [];
  new PerformanceObserver((list) => {
    for (const e of list.getEntries()) {
      const from = performance.timeOrigin + e.startTime;
      pauses.push([from, from + e.duration]);
    }
  }).observe({ entryTypes: ["gc"] });
  return pauses;
};

/** `<stage>/<point>` → epoch → when, and what stopped the process. */
export interface EngineTimes {
  readonly points: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly pauses: readonly Pause[];
}

export class EngineTrace {
  readonly #points: Record<string, Record<string, number>> = {};
  readonly #pauses = watchPauses();

  readonly probe: NonNullable<NodeServices["probe"]> = ({ stage }, point, epoch) => {
    (this.#points[`${stage}/${point}`] ??= {})[epoch] = now();
  };

  get times(): EngineTimes {
    return { points: this.#points, pauses: this.#pauses };
  }
}

/** When the broker had each input row, by when the row was due. */
export const storedTimes = async (nats: NatsAccess): Promise<ReadonlyMap<number, number>> => {
  const times = new Map<number, number>();
  const to = (await nats.stream(IN))!.lastSequence + 1;
  const reader = nats.blocks(IN, { from: 1, to });
  for (let blocks = await reader.next(); blocks.length > 0; blocks = await reader.next())
    for (const block of blocks)
      for (let i = 0; i < block.length; i++) {
        const { timestamp, payload } = block.record(i);
        for (const [, at] of Buffer.from(payload)
          .toString()
          .matchAll(/"at":([\d.]+)/g))
          times.set(Number(at), timestamp);
      }
  reader.close();
  return times;
};

export interface Trace {
  readonly rate: number;
  readonly sent: Sent;
  readonly stored: ReadonlyMap<number, number>;
  readonly engine: EngineTimes;
  readonly results: readonly TracedResult[];
  readonly pauses: Readonly<Record<string, readonly Pause[]>>;
}

/** Ends of the parts, in order; each begins where the one before ends. */
const PARTS = [
  "generator",
  "to the broker",
  "delivery, and until an epoch begins",
  "source",
  "exchange",
  "stage",
  "waiting for the commit before",
  "sink, to the broker",
  "reader",
] as const;

/** The first beat that had sent row `i`. */
const sentAt = (beats: Sent["beats"], i: number): number => {
  let [low, high] = [0, beats.length - 1];
  while (low < high) {
    const mid = (low + high) >> 1;
    if (beats[mid]![0] > i) high = mid;
    else low = mid + 1;
  }
  return beats[low]?.[1] ?? Number.NaN;
};

const endsOf = (t: Trace, [due, epoch, storedOut, read]: TracedResult): number[] => {
  const at = (point: string): number => t.engine.points[point]?.[epoch] ?? Number.NaN;
  const sent = sentAt(t.sent.beats, Math.round(((due - t.sent.startMs) * t.rate) / 1000));
  const ends = [
    sent,
    t.stored.get(due) ?? Number.NaN,
    at("0/begin"),
    at("0/sent"),
    at("1/input"),
    at("1/sent"),
  ];
  return [...ends, at("1/delivered"), storedOut, read];
};

const overlap = (pauses: readonly Pause[], from: number, to: number): number => {
  let ms = 0;
  for (const [a, b] of pauses) ms += Math.max(0, Math.min(b, to) - Math.max(a, from));
  return ms;
};

const mean = (xs: readonly number[]): number =>
  Number((xs.reduce((a, b) => a + b, 0) / Math.max(1, xs.length)).toFixed(2));

/** How long epochs took from the plan entry to the commit: their mean, and that of the longest hundredth. */
const epochRow = ({ engine, sent }: Trace): ReportRow => {
  const [begun, committed] = [engine.points["0/begin"] ?? {}, engine.points["1/committed"] ?? {}];
  const lengths = Object.entries(committed)
    .map(([epoch, at]) => at - (begun[epoch] ?? Number.NaN))
    .filter((ms) => !Number.isNaN(ms))
    .sort((a, b) => b - a);
  const input = Math.round(sent.rows / Math.max(1, lengths.length));
  const longest = lengths.slice(0, Math.ceil(lengths.length / 100));
  return { part: `an epoch, of ${input} input rows`, allMs: mean(lengths), slowMs: mean(longest) };
};

/** A line per part: its mean over all results, and over the slowest of a hundred. */
export const explained = (t: Trace): readonly ReportRow[] => {
  const whole = t.results.filter((r) => endsOf(t, r).every((x) => !Number.isNaN(x)));
  const slowest = [...whole].sort((a, b) => b[3] - b[0] - (a[3] - a[0]));
  const groups = { all: whole, slow: slowest.slice(0, Math.max(1, Math.ceil(whole.length / 100))) };
  const part = (of: readonly TracedResult[], k: number): number =>
    mean(of.map((r) => endsOf(t, r)[k]! - (k === 0 ? r[0] : endsOf(t, r)[k - 1]!)));
  const rows: ReportRow[] = PARTS.map((name, k) => ({
    part: name,
    allMs: part(groups.all, k),
    slowMs: part(groups.slow, k),
  }));
  for (const [process, pauses] of Object.entries({ engine: t.engine.pauses, ...t.pauses }))
    rows.push({
      part: `garbage, ${process}`,
      allMs: mean(groups.all.map((r) => overlap(pauses, r[0], r[3]))),
      slowMs: mean(groups.slow.map((r) => overlap(pauses, r[0], r[3]))),
    });
  rows.push(epochRow(t));
  const age = (r: TracedResult): number => r[3] - r[0];
  return [...rows, { part: "age", allMs: mean(groups.all.map(age)), slowMs: mean(groups.slow.map(age)) }];
};
