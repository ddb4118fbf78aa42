/** Frames: encode → mailbox → decode, five columns, over the log in memory and the embedded one. What arrives is compared with what was sent. */
import { join } from "node:path";
import { type Batch, batchFromRows, rowsOf } from "../core/batch.ts";
import { epoch, partitionIndex, position } from "../core/brands.ts";
import { BOOLEAN, DOUBLE, field, LONG, STRING, TIMESTAMP } from "../core/data-type.ts";
import { schemaOf } from "../core/schema.ts";
import type { Row } from "../core/value.ts";
import type { FrameHeader } from "../codec/frame.ts";
import { decodeFrame, encodeFrame } from "../codec/frame-codec.ts";
import { EmbeddedStore } from "../log/embedded-log.ts";
import type { LogStore } from "../log/log.ts";
import { MemoryStore } from "../log/memory-log.ts";
import { SYSTEM_CLOCK } from "../query/system-clock.ts";
import { inChild } from "./child.ts";
import { type BenchOptions, type Flags, positive } from "./options.ts";
import { withDirectory } from "./query-run.ts";
import { printReport, type ReportRow } from "./report.ts";

export const FRAMES_FLAGS: Flags = {
  frames: "frames sent (default 500)",
  "rows-per-frame": "rows of one frame (default 4000)",
};

interface Parameters {
  readonly frames: number;
  readonly rowsPerFrame: number;
}

const SCHEMA = schemaOf([
  field("id", LONG),
  field("k", STRING),
  field("v", DOUBLE),
  field("ts", TIMESTAMP),
  field("ok", BOOLEAN),
]);
/** Distinct batches, sent in turn. */
const BATCHES = 8;

const batchesOf = (rows: number): readonly Batch[] =>
  Array.from({ length: BATCHES }, (_, b) =>
    batchFromRows(
      SCHEMA,
      Array.from({ length: rows }, (_x, i): Row => [
        b * rows + i,
        `key-${(i * 7919) % 1000}`,
        i * 0.25,
        1.7e12 + i,
        i % 3 === 0,
      ]),
    ),
  );

const headerOf = (i: number, rows: number): FrameHeader => ({
  edge: "e0",
  topology: 1,
  partition: partitionIndex(0),
  epoch: epoch(1),
  firstRow: i * rows,
  rows,
  last: false,
});

const through = async (store: LogStore, p: Parameters): Promise<number> => {
  const batches = batchesOf(p.rowsPerFrame);
  const log = await store.open("bench.frames.mailbox", { maxBytes: 2 ** 31 });
  const start = performance.now();
  const publisher = log.publisher();
  const reader = log.reader(position(1));
  const sending = (async () => {
    for (let i = 0; i < p.frames; i++)
      await publisher.send(encodeFrame(headerOf(i, p.rowsPerFrame), batches[i % BATCHES]));
    await publisher.delivered();
  })();
  let [frames, rows] = [0, 0];
  let last: Batch | undefined;
  while (frames < p.frames)
    for (const record of await reader.next()) {
      last = decodeFrame(record.payload, SCHEMA).batch;
      rows += last!.length;
      frames++;
    }
  await sending;
  const seconds = (performance.now() - start) / 1000;
  reader.close();
  publisher.close();
  const sent = rowsOf(batches[(p.frames - 1) % BATCHES]!);
  if (JSON.stringify(rowsOf(last!)) !== JSON.stringify(sent)) throw new Error("a frame came out changed");
  return Math.round(rows / seconds);
};

export const measureFrames = (p: Parameters): Promise<readonly ReportRow[]> =>
  withDirectory(async (directory) => {
    const stores: Readonly<Record<string, () => Promise<LogStore>>> = {
      memory: () => Promise.resolve(new MemoryStore({ clock: SYSTEM_CLOCK })),
      embedded: () => EmbeddedStore.open({ directory: join(directory, "log"), clock: SYSTEM_CLOCK }),
    };
    const rows: ReportRow[] = [];
    for (const [log, open] of Object.entries(stores)) {
      const store = await open();
      rows.push({ log, rowsPerSecond: await through(store, p) });
      await store.close();
    }
    return rows;
  });

export const frames = async (o: BenchOptions): Promise<number> => {
  const settings = {
    frames: positive(o, "frames", 500),
    rowsPerFrame: positive(o, "rows-per-frame", 4_000),
  };
  const rows = await inChild<readonly ReportRow[]>("frames", settings);
  printReport({ bench: "frames", settings, rows }, o.json, o.print);
  return 0;
};
