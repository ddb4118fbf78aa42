/**
 * What the children of `bench nats` do: fill a stream, run one query from NATS to NATS (or from the same rows in files), and the floors: our own reader with
 * `JSON.parse` and nothing else, `JSON.parse` over bytes in memory, and a bare publisher of the same output behind the same fence.
 *
 * Row i is a function of i alone, so that every process knows the input and the result.
 */
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SourceSpec } from "../connectors/source.ts";
import { field, LONG, STRING, TIMESTAMP } from "../core/data-type.ts";
import { type Schema, schemaOf } from "../core/schema.ts";
import { JetStreamStore } from "../log/jetstream/store.ts";
import type { NatsAccess, NatsMessage } from "../log/nats-access.ts";
import { SYSTEM_CLOCK } from "../query/system-clock.ts";
import { parseQuery } from "../sql/parser.ts";
import { type Measured, measure } from "./measure.ts";
import { runQuery, streamCatalog, withDirectory } from "./query-run.ts";

export type NatsQuery = "count" | "project";

const WINDOW_MS = 10_000;
const START_MS = 1_500_000_000_000;
const DELAY_MS = 5_000;
/** Rows of one millisecond of event time. */
const ROWS_PER_MS = 10;
const CHUNK = 10_000;
/** Rows planned into one epoch. */
const EPOCH_ROWS = 50_000;

const SCHEMA: Schema = schemaOf([field("k", STRING), field("v", LONG), field("ts", TIMESTAMP)]);

const SQL: Readonly<Record<NatsQuery, string>> = {
  count: `SELECT unix_millis(window.start) AS start, k, count(*) AS n, sum(v) AS total FROM marked
    GROUP BY window(ts, '10 seconds'), k`,
  project: "SELECT k, v * 2 AS twice, unix_millis(ts) AS at FROM rows WHERE v >= 10",
};

/** One run's input: rows, their keys, and how they lie in messages. */
export interface NatsInput {
  readonly url: string;
  readonly stream: string;
  readonly rows: number;
  readonly keys: number;
  readonly rowsPerMessage: number;
}

const keyOf = (i: number, keys: number): string => `key-${(i * 7919) % keys}`;
const valueOf = (i: number): number => i % 100;
const timeOf = (i: number): number => START_MS + Math.floor(i / ROWS_PER_MS);

/** The last row is a day later: it closes every window, and its own never closes. */
const rowText = (i: number, p: Pick<NatsInput, "rows" | "keys">): string => {
  const last = i === p.rows;
  const [k, v] = last ? ["end", 0] : [keyOf(i, p.keys), valueOf(i)];
  const ts = last ? timeOf(i) + 86_400_000 : timeOf(i);
  return `{"k":"${k}","v":${v},"ts":${ts},"page":"https://example.org/items/${i % 977}","device":"phone"}`;
};

/** Messages of the input; ndjson when a message has several rows. */
const messagesOf = function* (p: Omit<NatsInput, "url" | "stream">): Generator<Buffer> {
  for (let from = 0; from <= p.rows; from += p.rowsPerMessage) {
    const rows: string[] = [];
    for (let i = from; i < Math.min(from + p.rowsPerMessage, p.rows + 1); i++) rows.push(rowText(i, p));
    yield Buffer.from(rows.join("\n"));
  }
};

/** Hash of the lines that the query must write. */
export const expectedHash = (query: NatsQuery, p: Pick<NatsInput, "rows" | "keys">): string => {
  const lines: string[] = [];
  if (query === "project") {
    for (let i = 0; i < p.rows; i++) {
      const v = valueOf(i);
      if (v >= 10) lines.push(`{"k":"${keyOf(i, p.keys)}","twice":${v * 2},"at":${timeOf(i)}}`);
    }
    return hashOf(lines);
  }
  const groups = new Map<string, { n: number; total: number }>();
  for (let i = 0; i < p.rows; i++) {
    const key = `{"start":${Math.floor(timeOf(i) / WINDOW_MS) * WINDOW_MS},"k":"${keyOf(i, p.keys)}"`;
    const group = groups.get(key) ?? { n: 0, total: 0 };
    groups.set(key, { n: group.n + 1, total: group.total + valueOf(i) });
  }
  for (const [key, g] of groups) lines.push(`${key},"n":${g.n},"total":${g.total}}`);
  return hashOf(lines);
};

const hashOf = (lines: string[]): string => {
  const digest = createHash("sha256");
  for (const line of lines.sort()) digest.update(`${line}\n`);
  return digest.digest("hex").slice(0, 16);
};

const withNats = async <A>(url: string, use: (nats: NatsAccess) => Promise<A>): Promise<A> => {
  const store = await JetStreamStore.open({ servers: url, clock: SYSTEM_CLOCK });
  try {
    return await use(store.nats);
  } finally {
    await store.close();
  }
};

const subjectOf = (stream: string): string => stream.toLowerCase().replaceAll("_", ".");

/** Fills the stream; gives the bytes of its payloads. */
export const fillStream = (p: NatsInput): Promise<number> =>
  withNats(p.url, async (nats) => {
    const subject = subjectOf(p.stream);
    await nats.createStream({ name: p.stream, subjects: [subject] });
    let bytes = 0;
    let batch: NatsMessage[] = [];
    for (const payload of messagesOf(p)) {
      bytes += payload.length;
      batch.push({ subject, payload });
      if (batch.length < CHUNK) continue;
      await nats.publishAll(batch);
      batch = [];
    }
    await nats.publishAll(batch);
    return bytes;
  });

export interface NatsRun extends NatsInput {
  readonly query: NatsQuery;
  readonly out: string;
  readonly guarantee: "exactlyOnce" | "atLeastOnce";
  readonly partitions: number;
  /** The same rows from files instead of the stream. */
  readonly files?: boolean;
  /** Write a CPU profile of the run to this file. */
  readonly profile?: string;
}

export interface NatsOutcome extends Measured {
  readonly epochs: number;
  readonly outputs: number;
  readonly hash: string;
}

/** Files hold about as many rows as an epoch has. */
const fileSource = (p: NatsInput, directory: string): SourceSpec => {
  const files = Math.ceil((p.rows + 1) / EPOCH_ROWS);
  const messages = [...messagesOf({ ...p, rowsPerMessage: EPOCH_ROWS })];
  for (let f = 0; f < files; f++)
    writeFileSync(
      join(directory, `part-${String(f).padStart(4, "0")}.ndjson`),
      `${messages[f]!.toString()}\n`,
    );
  const options = { path: directory, maxFilesPerTrigger: "1", mode: "failFast" };
  return { format: "ndjson", options, schema: SCHEMA, pushed: [] };
};

const streamSource = (p: NatsInput): SourceSpec => ({
  format: "nats",
  options: {
    url: p.url,
    stream: p.stream,
    encoding: p.rowsPerMessage > 1 ? "ndjson" : "json",
    maxOffsetsPerTrigger: String(Math.ceil(EPOCH_ROWS / p.rowsPerMessage)),
    mode: "failFast",
  },
  schema: SCHEMA,
  pushed: [],
});

/** What the output stream holds. */
const outputOf = (
  url: string,
  stream: string,
): Promise<{ readonly outputs: number; readonly hash: string }> =>
  withNats(url, async (nats) => {
    const { firstSequence, lastSequence } = (await nats.stream(stream))!;
    const reader = nats.reader(stream, { from: firstSequence, to: lastSequence + 1 });
    const lines: string[] = [];
    for (let records = await reader.next(); records.length > 0; records = await reader.next())
      for (const r of records) lines.push(Buffer.from(r.payload).toString());
    return { outputs: lines.length, hash: hashOf(lines) };
  });

export const runNats = (p: NatsRun): Promise<NatsOutcome> =>
  withDirectory(async (directory) => {
    const subject = subjectOf(p.out);
    await withNats(p.url, (nats) => nats.createStream({ name: p.out, subjects: [subject] }));
    const catalog = streamCatalog("rows", p.files === true ? fileSource(p, directory) : streamSource(p));
    const rows = parseQuery("SELECT * FROM rows");
    const relation = { kind: "watermark", child: rows, column: ["ts"], delayMs: DELAY_MS } as const;
    catalog.define({ name: "marked", kind: "view", relation });
    const options = { url: p.url, stream: p.out, subject, guarantee: p.guarantee };
    const { rows: _, ...outcome } = await runQuery({
      name: p.query,
      relation: parseQuery(SQL[p.query]),
      catalog,
      mode: "append",
      partitions: p.partitions,
      durable: true,
      url: p.url,
      profile: p.profile,
      sink: { format: "nats", options, partitionBy: [] },
    });
    return { ...outcome, ...(await outputOf(p.url, p.out)) };
  });

/** Our own reader and `JSON.parse` of every row. */
export const readParseFloor = (p: NatsInput): Promise<Measured & { readonly rows: number }> =>
  withNats(p.url, async (nats) => {
    const { firstSequence, lastSequence } = (await nats.stream(p.stream))!;
    let rows = 0;
    const measured = await measure(async () => {
      const reader = nats.reader(p.stream, { from: firstSequence, to: lastSequence + 1 });
      for (let records = await reader.next(); records.length > 0; records = await reader.next())
        for (const r of records) rows += parsed(r.payload);
      reader.close();
    });
    return { rows, ...measured };
  });

/** `JSON.parse` of each line. */
const parsed = (payload: Uint8Array): number => {
  let rows = 0;
  const text = Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString("latin1");
  for (let start = 0; start < text.length;) {
    const newline = text.indexOf("\n", start);
    const end = newline < 0 ? text.length : newline;
    if (JSON.parse(text.slice(start, end)) !== null) rows++;
    start = end + 1;
  }
  return rows;
};

/** `JSON.parse` of the same bytes, already in memory. */
export const parseBytesFloor = async (p: NatsInput): Promise<Measured & { readonly rows: number }> => {
  const messages = [...messagesOf(p)];
  let rows = 0;
  const measured = await measure(() => {
    for (const m of messages) rows += parsed(m);
    return Promise.resolve();
  });
  return { rows, ...measured };
};

/** The messages that the projection writes, in memory already, through the same fence: predicted sequences and a header that names the row. */
export const publishFloor = (
  p: NatsInput & { readonly out: string; readonly guarantee: NatsRun["guarantee"] },
): Promise<Measured & { readonly outputs: number }> =>
  withNats(p.url, async (nats) => {
    const subject = subjectOf(p.out);
    await nats.createStream({ name: p.out, subjects: [subject] });
    const fenced = p.guarantee === "exactlyOnce";
    const messages: NatsMessage[] = [];
    for (let i = 0; i < p.rows; i++) {
      const v = valueOf(i);
      if (v < 10) continue;
      const payload = Buffer.from(`{"k":"${keyOf(i, p.keys)}","twice":${v * 2},"at":${timeOf(i)}}`);
      const row = `project/00000000-0000-4000-8000-000000000000/0/1/${messages.length}`;
      messages.push(fenced ? { subject, payload, headers: [["Mr-Row", row]] } : { subject, payload });
    }
    const measured = await measure(
      async () => void (await nats.publishAll(messages, fenced ? { expectLast: 0 } : {})),
    );
    return { outputs: messages.length, ...measured };
  });
