/** Decoding: JSON lines to the columns a query reads, beside `JSON.parse` of the same lines in the same process. No engine, no disk. */
import { rowCount } from "../core/batch.ts";
import { field, LONG, STRING, struct, TIMESTAMP } from "../core/data-type.ts";
import { type Schema, schemaOf } from "../core/schema.ts";
import { JsonDecoder } from "../connectors/formats/json-decoder.ts";
import { inChild } from "./child.ts";
import { NexmarkGenerator } from "./nexmark/generator.ts";
import { generateLines } from "./nexmark/data.ts";
import { EVENTS_SCHEMA } from "./nexmark/views.ts";
import { type BenchOptions, type Flags, positive } from "./options.ts";
import { median, printReport, type ReportRow } from "./report.ts";

export const JSON_FLAGS: Flags = {
  events: "Nexmark events decoded (default 100000)",
  rounds: "times each is done; the median counts (default 5)",
};

interface Parameters {
  readonly events: number;
  readonly rounds: number;
}

const LINES_PER_BATCH = 4096;
const NEWLINE = 10;

const SCHEMAS: Readonly<Record<string, Schema>> = {
  "all columns": EVENTS_SCHEMA,
  "bid only": schemaOf(EVENTS_SCHEMA.fields.filter((f) => f.name === "bid")),
  "auction, price, dateTime of bid": schemaOf([
    field("bid", struct([field("auction", LONG), field("price", LONG), field("dateTime", TIMESTAMP)])),
  ]),
  "channel of bid": schemaOf([field("bid", struct([field("channel", STRING)]))]),
};

/** Batches of lines as the file source hands them over: views of larger buffers. */
const batchesOf = (events: number): readonly (readonly Uint8Array[])[] => {
  const lines: Uint8Array[] = [];
  generateLines(new NexmarkGenerator({ delayUs: 100, group: 1 }), 0, events, (block) => {
    const bytes = Buffer.from(block);
    for (let start = 0, end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      lines.push(bytes.subarray(start, end));
      start = end + 1;
    }
  });
  const count = Math.ceil(lines.length / LINES_PER_BATCH);
  return Array.from({ length: count }, (_, i) => lines.slice(i * LINES_PER_BATCH, (i + 1) * LINES_PER_BATCH));
};

/** Rows a second, the median of the rounds. */
const rate = (rounds: number, events: number, run: () => number): number => {
  const seconds: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const start = performance.now();
    const rows = run();
    seconds.push((performance.now() - start) / 1000);
    if (rows !== events) throw new Error(`${rows} rows of ${events}`);
  }
  return Math.round(events / median(seconds));
};

export const measureJson = (p: Parameters): Promise<readonly ReportRow[]> => {
  const batches = batchesOf(p.events);
  const floor = rate(p.rounds, p.events, () => {
    let rows = 0;
    for (const batch of batches)
      for (const line of batch) if (JSON.parse((line as Buffer).toString("latin1")) !== null) rows++;
    return rows;
  });
  const decoded = Object.entries(SCHEMAS).map(([columns, schema]) => {
    const decoder = new JsonDecoder(
      schema,
      { mode: "failFast", corruptColumn: "_corrupt_record", timeZone: "UTC" },
      false,
    );
    const rowsPerSecond = rate(p.rounds, p.events, () =>
      batches.reduce((n, batch) => n + rowCount(decoder.decode(batch)), 0),
    );
    return { columns, rowsPerSecond, ratio: Number((rowsPerSecond / floor).toFixed(2)) };
  });
  return Promise.resolve([{ columns: "JSON.parse alone", rowsPerSecond: floor, ratio: 1 }, ...decoded]);
};

export const json = async (o: BenchOptions): Promise<number> => {
  const settings = { events: positive(o, "events", 100_000), rounds: positive(o, "rounds", 5) };
  const rows = await inChild<readonly ReportRow[]>("json", settings);
  printReport({ bench: "json", settings, rows }, o.json, o.print);
  return 0;
};
