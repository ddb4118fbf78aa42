/**
 * Where the time of the slow rows went (`bench latency --trace`): each result's newest input row is followed from when it was due to when its result was read, by the
 * times that the generator, the broker, the actors and the reader noted. Parts follow one another without a gap and add up to the row's age. Collections of
 * garbage, and times when a process wanted to run and had no core, lie across parts and are told beside them.
 *
 * Epochs are followed the same way, from the plan entry to the commit, in a table of their own.
 */
import { PerformanceObserver } from "node:perf_hooks";
import type { NatsAccess } from "../log/nats-access.ts";
import type { NodeServices } from "../query/services.ts";
import { type CoreWaits, waitedBetween } from "./latency-cores.ts";
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
  /** Epochs that began before it are left out, as results are. */
  readonly fromMs: number;
  readonly rate: number;
  readonly sent: Sent;
  readonly stored: ReadonlyMap<number, number>;
  readonly engine: EngineTimes;
  readonly results: readonly TracedResult[];
  readonly pauses: Readonly<Record<string, readonly Pause[]>>;
  readonly cores: CoreWaits;
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

type Span = readonly [fromMs: number, toMs: number];

/** What lies across the parts: collections of garbage, and waits for a core. */
const beside = (t: Trace, all: readonly Span[], slow: readonly Span[]): readonly ReportRow[] => {
  const line = (part: string, of: (span: Span) => number): ReportRow => ({
    part,
    allMs: mean(all.map(of)),
    slowMs: mean(slow.map(of)),
  });
  return [
    ...Object.entries({ engine: t.engine.pauses, ...t.pauses }).map(([process, pauses]) =>
      line(`garbage, ${process}`, ([from, to]) => overlap(pauses, from, to)),
    ),
    ...Object.keys(t.cores.waited).map((process) =>
      line(`without a core, ${process}`, ([from, to]) => waitedBetween(t.cores, process, from, to)),
    ),
  ];
};

const longestFirst = <T>(items: readonly T[], length: (item: T) => number): T[] =>
  [...items].sort((a, b) => length(b) - length(a));

const hundredth = <T>(sorted: readonly T[]): readonly T[] =>
  sorted.slice(0, Math.max(1, Math.ceil(sorted.length / 100)));

/** Ends of the parts of an epoch, in order, behind its beginning. */
const EPOCH_PARTS = [
  ["source, reads and sends", "0/sent"],
  ["exchange", "1/input"],
  ["stage", "1/sent"],
  ["waiting for the commit before", "1/delivered"],
  ["sink, until stored", "1/sinkCommitted"],
  ["state", "1/committed"],
] as const;
/** As EPOCH_DEPTH: the epoch that waits for the commit of this one. */
const NEXT = 2;

/** A line per part of the epochs: the mean over all of them, and over the longest of a hundred. */
export const explainedEpochs = (t: Trace): readonly ReportRow[] => {
  const at = (point: string, epoch: number): number => t.engine.points[point]?.[epoch] ?? Number.NaN;
  const whole = Object.keys(t.engine.points["1/committed"] ?? {})
    .map(Number)
    .map((epoch) => [
      at("0/begin", epoch),
      ...EPOCH_PARTS.map(([, point]) => at(point, epoch)),
      at("0/begin", epoch + NEXT),
    ])
    .filter((times) => !times.some(Number.isNaN) && times[0]! >= t.fromMs);
  const end = EPOCH_PARTS.length;
  const length = (times: readonly number[]): number => times[end]! - times[0]!;
  const slow = hundredth(longestFirst(whole, length));
  const line = (part: string, of: (times: readonly number[]) => number): ReportRow => ({
    part,
    allMs: mean(whole.map(of)),
    slowMs: mean(slow.map(of)),
  });
  const spans = (of: readonly (readonly number[])[]): Span[] => of.map((times) => [times[0]!, times[end]!]);
  const rows = t.results.length;
  return [
    ...EPOCH_PARTS.map(([name], k) => line(name, (times) => times[k + 1]! - times[k]!)),
    line(`an epoch, of ${Math.round(rows / Math.max(1, whole.length))} results`, length),
    line("commit log, plan of the next but one", (times) => times[end + 1]! - times[end]!),
    ...beside(t, spans(whole), spans(slow)),
  ];
};

/** A line per part: its mean over all results, and over the slowest of a hundred. */
export const explained = (t: Trace): readonly ReportRow[] => {
  const whole = t.results.filter((r) => endsOf(t, r).every((x) => !Number.isNaN(x)));
  const age = (r: TracedResult): number => r[3] - r[0];
  const slow = hundredth(longestFirst(whole, age));
  const part = (of: readonly TracedResult[], k: number): number =>
    mean(of.map((r) => endsOf(t, r)[k]! - (k === 0 ? r[0] : endsOf(t, r)[k - 1]!)));
  const spans = (of: readonly TracedResult[]): Span[] => of.map((r) => [r[0], r[3]]);
  return [
    ...PARTS.map((name, k): ReportRow => ({ part: name, allMs: part(whole, k), slowMs: part(slow, k) })),
    { part: "age", allMs: mean(whole.map(age)), slowMs: mean(slow.map(age)) },
    ...beside(t, spans(whole), spans(slow)),
  ];
};
