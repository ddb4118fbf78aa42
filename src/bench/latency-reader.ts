/** The process that reads the results of the latency benchmark. It keeps what arrives and decodes it when its parent says that all was sent. */
import { once } from "node:events";
import { JetStreamStore } from "../log/jetstream/store.ts";
import { SYSTEM_CLOCK } from "../query/system-clock.ts";
import { type Arrival, collect, counted, IN, type OUT, resultsOf } from "./latency-load.ts";
import { type Pause, watchPauses } from "./latency-trace.ts";

/** What the parent says when all was sent: how many rows must be counted, and which arrivals are measured. */
export interface Expected {
  readonly rows: number;
  readonly fromMs: number;
  readonly toMs: number;
}

/** A result of a traced run: when its newest input was due, its epoch, when the broker had it, when it was read. */
export type TracedResult = readonly [dueMs: number, epoch: number, storedMs: number, readMs: number];

export interface Readings {
  readonly correct: boolean;
  /** Milliseconds, ascending. */
  readonly ages: readonly number[];
  /** Of what came before the measured time. */
  readonly coldAges: readonly number[];
  readonly traced: readonly TracedResult[];
  readonly pauses: readonly Pause[];
}

/** `<query>/<query id>/<partition>/<epoch>/<row>…` */
const epochOf = (header: string | undefined): number => Number(header?.split("/")[3] ?? 0);

export const readResults = async (p: {
  readonly url: string;
  /** IN: the rows themselves, for what the machine and the broker do without an engine. */
  readonly stream: typeof IN | typeof OUT;
  readonly trace: boolean;
}): Promise<Readings> => {
  const store = await JetStreamStore.open({ servers: p.url, clock: SYSTEM_CLOCK });
  const pauses = p.trace ? watchPauses() : [];
  const end = new AbortController();
  const arrivals: Arrival[] = [];
  const collected = collect(store.nats, end.signal, (a) => void arrivals.push(a), p.stream);
  process.stdout.write("ready\n");
  const [line] = (await once(process.stdin, "data")) as [Buffer];
  const { rows, fromMs, toMs } = JSON.parse(line.toString()) as Expected;
  const counts = new Map<string, number>();
  const ages: number[] = [];
  const coldAges: number[] = [];
  const traced: TracedResult[] = [];
  let read = 0;
  const correct = await counted(counts, rows, () => {
    for (; read < arrivals.length; read++) {
      const arrival = arrivals[read]!;
      const { block, atMs } = arrival;
      const measured = atMs >= fromMs && atMs < toMs;
      for (const [{ k, n, at }, i] of resultsOf(arrival)) {
        counts.set(k, p.stream === IN ? (counts.get(k) ?? 0) + 1 : n);
        if (measured) ages.push(atMs - at);
        else if (atMs < fromMs) coldAges.push(atMs - at);
        if (!measured || !p.trace) continue;
        const { headers, timestamp } = block.record(i);
        traced.push([at, epochOf(headers?.find(([name]) => name === "Mr-Row")?.[1]), timestamp, atMs]);
      }
    }
  });
  end.abort();
  await collected;
  await store.close();
  for (const list of [ages, coldAges]) list.sort((a, b) => a - b);
  return { correct, ages, coldAges, traced, pauses };
};
