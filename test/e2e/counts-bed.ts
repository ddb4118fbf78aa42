/**
 * What the end-to-end tests of the windowed counts share: input in four streams, out of order by less than the watermark's delay; the rows it must give,
 * computed here by a few plain lines; and the comparison.
 */
import type { NatsAccess, NatsRecord } from "../../src/log/nats-access.ts";
import { JetStreamStore } from "../../src/log/jetstream/store.ts";
import { type Broker, type BrokerOptions, startBroker } from "../support/broker.ts";
import { systemClock } from "../support/system-clock.ts";
import type { Hooks } from "../support/temporary.ts";

const STREAMS = 4;
const WINDOW_MS = 10_000;
/** Event time between two rows. */
const STEP_MS = 10;
/**
 * Rows are displaced by less than this, and blocks of BLOCK_ROWS are published together: both fit into the watermark's 5 s, so no row is late as Spark
 * counts, however the streams run apart while a block is on its way.
 */
const DISPLACED_MS = 2_000;
const BLOCK_ROWS = 200;
const START_MS = Date.parse("2024-05-01T12:00:00Z");

export interface Event {
  readonly k: string;
  readonly v: number;
  readonly ts: number;
}

/** A small generator with a seed (mulberry32). */
export const seeded = (seed: number) => (): number => {
  seed = (seed + 0x6d2b79f5) | 0;
  let x = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
  return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
};

export const makeEvents = (rows: number, seed: number, keys = 40): readonly Event[] => {
  const random = seeded(seed);
  return Array.from({ length: rows }, (_, i) => ({
    k: `k${Math.floor(random() * keys)}`,
    v: Math.floor(random() * 1_000),
    ts: START_MS + i * STEP_MS - Math.floor(random() * DISPLACED_MS),
  }));
};

export interface OutRow {
  readonly start: string;
  readonly k: string;
  readonly n: number;
  readonly total: number;
}

const idOf = (r: { readonly start: string; readonly k: string }): string => `${r.start} ${r.k}`;

/** Every window of every key. */
export const expectedRows = (events: readonly Event[]): ReadonlyMap<string, OutRow> => {
  const out = new Map<string, OutRow>();
  for (const { k, v, ts } of events) {
    const start = new Date(Math.floor(ts / WINDOW_MS) * WINDOW_MS).toISOString();
    const id = idOf({ start, k });
    const { n, total } = out.get(id) ?? { n: 0, total: 0 };
    out.set(id, { start, k, n: n + 1, total: total + v });
  }
  return out;
};

export interface Bed {
  readonly broker: Broker;
  readonly store: JetStreamStore;
  readonly nats: NatsAccess;
}

/** A broker with the four input streams and the output stream. */
export const countsBed = async (t: Hooks, options: BrokerOptions = {}): Promise<Bed> => {
  const broker = await startBroker({ ...options, t });
  const store = await JetStreamStore.open({ servers: broker.url, clock: systemClock });
  t.after(() => store.close());
  const { nats } = store;
  for (let i = 0; i < STREAMS; i++) await nats.createStream({ name: `IN_${i}`, subjects: [`in.${i}.>`] });
  await nats.createStream({ name: "OUT", subjects: ["out.>"], atomic: true });
  return { broker, store, nats };
};

const encoder = new TextEncoder();

const put = async (
  nats: NatsAccess,
  rows: readonly Event[],
  stream: (i: number) => number,
): Promise<void> => {
  const parts: Event[][] = Array.from({ length: STREAMS }, () => []);
  rows.forEach((e, i) => parts[stream(i)]!.push(e));
  await Promise.all(
    parts.map((part, i) =>
      publishOnce(
        nats,
        `IN_${i}`,
        part.map((e) => ({
          subject: `in.${i}.rows`,
          payload: encoder.encode(JSON.stringify({ ...e, ts: new Date(e.ts).toISOString() })),
        })),
      ),
    ),
  );
};

/** Stores the messages once each though the broker dies in between: this test alone writes the stream, so its last sequence says what is there. */
const publishOnce = async (
  nats: NatsAccess,
  stream: string,
  messages: readonly { readonly subject: string; readonly payload: Uint8Array }[],
): Promise<void> => {
  const last = async (): Promise<number> => (await nats.stream(stream))!.lastSequence;
  const start = await last();
  for (let stored = start; stored < start + messages.length;) {
    try {
      stored = await nats.publishAll(messages.slice(stored - start), { expectLast: stored });
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
      stored = await last();
    }
  }
};

/** Publishes in blocks at `perSecond` rows a second; all at once when none is given. */
export const publish = async (
  nats: NatsAccess,
  events: readonly Event[],
  perSecond = Infinity,
  stop?: AbortSignal,
  onStored: (block: readonly Event[]) => void = () => {},
): Promise<void> => {
  const begin = performance.now();
  for (let i = 0; i < events.length && stop?.aborted !== true; i += BLOCK_ROWS) {
    const block = events.slice(i, i + BLOCK_ROWS);
    await put(nats, block, (n) => n % STREAMS);
    onStored(block);
    const early = begin + ((i + BLOCK_ROWS) / perSecond) * 1_000 - performance.now();
    if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
  }
};

/** The last window's key: it stays open, so it is no row in append mode. */
const END = "end";

/** A row in every stream, late enough to close every window. */
export const publishEnd = async (nats: NatsAccess, events: readonly Event[]): Promise<void> => {
  const ts = events.reduce((max, e) => Math.max(max, e.ts), 0) + 10 * WINDOW_MS;
  await put(
    nats,
    Array.from({ length: STREAMS }, () => ({ k: END, v: 0, ts })),
    (i) => i,
  );
};

export interface Stored {
  readonly row: OutRow;
  readonly sequence: number;
}

/** All rows of the output stream, without those of the closing rows. */
export const outputRows = async (nats: NatsAccess): Promise<readonly Stored[]> => {
  const { firstSequence, lastSequence } = (await nats.stream("OUT"))!;
  const reader = nats.reader("OUT", { from: firstSequence, to: lastSequence + 1 });
  const out: Stored[] = [];
  for (;;) {
    const records: readonly NatsRecord[] = await reader.next();
    if (records.length === 0) break;
    for (const r of records)
      out.push({ row: JSON.parse(Buffer.from(r.payload).toString()), sequence: r.sequence });
  }
  reader.close();
  return out.filter(({ row }) => row.k !== END);
};

export interface Verdict {
  readonly checked: number;
  readonly lost: number;
  readonly doubled: number;
  readonly wrong: number;
  /** Update mode: a value that is below one before. */
  readonly back: number;
  /** The first few findings, for people. */
  readonly examples: readonly string[];
}

/** In append mode every expected row once and no other; in update mode the last value of each, values never going back. */
export const verdictOn = (
  expected: ReadonlyMap<string, OutRow>,
  rows: readonly Stored[],
  mode: "append" | "update",
): Verdict => {
  const found = { lost: 0, doubled: 0, wrong: 0, back: 0 };
  const examples: string[] = [];
  const note = (kind: keyof typeof found, text: string): void => {
    found[kind]++;
    if (examples.length < 12) examples.push(`${kind}: ${text}`);
  };
  const last = new Map<string, OutRow>();
  for (const { row, sequence } of rows) {
    const before = last.get(idOf(row));
    last.set(idOf(row), row);
    const text = `${JSON.stringify(row)} at ${sequence}`;
    if (!expected.has(idOf(row))) note("wrong", `${text}: no such window`);
    if (before === undefined) continue;
    if (mode === "append") note("doubled", text);
    else if (row.n < before.n) note("back", `${text} after ${JSON.stringify(before)}`);
    // An update says something new.
    else if (row.n === before.n) note("doubled", text);
  }
  for (const [id, row] of expected) {
    const value = last.get(id);
    if (value === undefined) note("lost", id);
    else if (value.n !== row.n || value.total !== row.total)
      note("wrong", `${JSON.stringify(value)} instead of ${JSON.stringify(row)}`);
  }
  return { checked: expected.size, ...found, examples };
};

/** Whether the rows are all there; what is doubled or wrong is left to the verdict. */
export const complete = async (
  nats: NatsAccess,
  expected: ReadonlyMap<string, OutRow>,
  mode: "append" | "update",
): Promise<boolean> => {
  const info = await nats.stream("OUT");
  if (info === undefined || info.messages < expected.size) return false;
  if (mode === "append") return true;
  const { lost, wrong } = verdictOn(expected, await outputRows(nats), mode);
  return lost === 0 && wrong === 0;
};
