/** What the tests of the NATS connectors share: a broker, rows in, rows out. */
import type { TestContext } from "node:test";
import { batchFromRows, rowsOf } from "../../src/core/batch.ts";
import * as T from "../../src/core/data-type.ts";
import { type Schema, schemaOf } from "../../src/core/schema.ts";
import type { Row } from "../../src/core/value.ts";
import { natsSinkFactory } from "../../src/connectors/nats-sink.ts";
import { natsSourceFactory } from "../../src/connectors/nats-source.ts";
import type { SinkContext, SinkSpec, SinkWriter } from "../../src/connectors/sink.ts";
import type {
  Options,
  Source,
  SourceContext,
  SourceEnumerator,
  SplitRange,
} from "../../src/connectors/source.ts";
import { JetStreamStore } from "../../src/log/jetstream/store.ts";
import type { NatsAccess } from "../../src/log/nats-access.ts";
import { type Broker, startBroker } from "../support/broker.ts";
import { systemClock } from "../support/system-clock.ts";

export const SCHEMA = schemaOf([T.field("k", T.STRING), T.field("v", T.LONG)]);

export interface Bed {
  readonly broker: Broker;
  readonly store: JetStreamStore;
  readonly nats: NatsAccess;
}

export const bed = async (t: TestContext, path: string, maxPayload?: number): Promise<Bed> => {
  const broker = await startBroker({ t, path, ...(maxPayload === undefined ? {} : { maxPayload }) });
  const store = await JetStreamStore.open({ servers: broker.url, clock: systemClock });
  t.after(() => store.close());
  return { broker, store, nats: store.nats };
};

export const put = async (nats: NatsAccess, subject: string, payloads: readonly unknown[]): Promise<void> => {
  await nats.publishAll(
    payloads.map((p) => ({
      subject,
      payload: new Uint8Array(Buffer.from(typeof p === "string" ? p : JSON.stringify(p))),
    })),
  );
};

export const sourceOn = (
  bed: Bed,
  options: Options,
  schema?: Schema,
  mode: "batch" | "stream" = "stream",
): Source => {
  natsSourceFactory.validate(options, mode);
  return natsSourceFactory.create(
    { format: "nats", options, schema: schema ?? natsSourceFactory.defaultSchema(options), pushed: [] },
    {
      store: bed.store,
      clock: systemClock,
      queryName: "q",
      sourceId: "s0",
      timeZone: "UTC",
    } as SourceContext,
    mode,
  );
};
export const read = async (s: Source, ranges: readonly SplitRange[]): Promise<Row[]> => {
  const rows: Row[] = [];
  const reader = s.reader();
  for (const range of ranges)
    for await (const batch of reader.read(range, new AbortController().signal)) rows.push(...rowsOf(batch));
  await reader.close();
  return rows;
};
export const opened = async (
  s: Source,
  state?: Parameters<SourceEnumerator["open"]>[0],
): Promise<SourceEnumerator> => {
  const e = s.enumerator();
  await e.open(state);
  return e;
};

export interface Writer {
  readonly alive?: () => boolean;
  readonly queryId?: string;
  readonly partition?: number;
}
export const writerOn = (b: Bed, options: Options, w: Writer = {}, schema = SCHEMA): SinkWriter => {
  const spec: SinkSpec = { format: "nats", options, partitionBy: [] };
  natsSinkFactory.validate(spec, schema, "append");
  return natsSinkFactory.writer(spec, schema, {
    store: b.store,
    clock: systemClock,
    queryName: "q",
    queryId: w.queryId ?? "id",
    partition: w.partition ?? 0,
    partitions: 1,
    alive: w.alive ?? (() => true),
    timeZone: "UTC",
  } as unknown as SinkContext);
};
export const rowsOfEpoch = (epoch: number, n: number): Row[] =>
  Array.from({ length: n }, (_, i) => [`e${epoch}`, i]);
export const epochs = async (w: SinkWriter, from: number, to: number, n: number): Promise<void> => {
  for (let e = from; e <= to; e++) {
    await w.begin(e);
    const rows = rowsOfEpoch(e, n);
    for (let i = 0; i < n; i += 700) await w.write(batchFromRows(SCHEMA, rows.slice(i, i + 700)));
    await w.commit(e);
  }
};
export const stored = async (nats: NatsAccess, stream: string, filter?: string): Promise<unknown[]> => {
  const info = await nats.stream(stream);
  const out: unknown[] = [];
  const reader = nats.reader(stream, {
    from: 1,
    to: info!.lastSequence + 1,
    onGap: "skip",
    ...(filter === undefined ? {} : { filter }),
  });
  for (;;) {
    const records = await reader.next();
    if (records.length === 0) break;
    for (const r of records)
      for (const line of Buffer.from(r.payload).toString().split("\n"))
        if (line !== "") out.push(JSON.parse(line));
  }
  reader.close();
  return out;
};
export const expected = (from: number, to: number, n: number): unknown[] =>
  Array.from({ length: to - from + 1 }, (_, e) =>
    rowsOfEpoch(from + e, n).map(([k, v]) => ({ k, v })),
  ).flat();

/** Adds what the stream holds, by sequence. */
export const collect = async (
  nats: NatsAccess,
  stream: string,
  into: Map<number, unknown>,
): Promise<void> => {
  const info = await nats.stream(stream);
  const reader = nats.reader(stream, {
    from: info!.firstSequence,
    to: info!.lastSequence + 1,
    onGap: "skip",
  });
  for (;;) {
    const records = await reader.next();
    if (records.length === 0) break;
    for (const r of records) into.set(r.sequence, JSON.parse(Buffer.from(r.payload).toString()));
  }
  reader.close();
};
