/** Where a run's events come from: the files themselves, a memory source filled with them, or a stream of the broker. */
import { MemorySource, type InputRow } from "../../connectors/memory-input.ts";
import type { SourceSpec } from "../../connectors/source.ts";
import type { NatsAccess, NatsMessage } from "../../log/nats-access.ts";
import { eachLine } from "../lines.ts";
import { type Measured, measure } from "../measure.ts";
import type { NexmarkFiles } from "./data.ts";
import { EVENTS_SCHEMA } from "./views.ts";

export type InputKind = "file" | "memory" | "nats";
export type Input = Omit<SourceSpec, "schema" | "pushed">;

export const EVENTS_STREAM = "BENCH_EVENTS";
const SUBJECT = "bench.events";
/** Rows added to a memory source at a time, messages published at a time. */
const CHUNK = 10_000;

export const fileInput = (files: NexmarkFiles, filesPerEpoch: number): Input => ({
  format: "ndjson",
  options: { path: files.parts, maxFilesPerTrigger: String(filesPerEpoch), mode: "failFast" },
});

/** All rows at once; they pass a log of the store when the query starts, and that is timed with it. */
export const memoryInput = async (files: NexmarkFiles): Promise<Input> => {
  const source = new MemorySource(EVENTS_SCHEMA);
  let rows: InputRow[] = [];
  const lines: Buffer[] = [];
  eachLine(files.parts, (line) => void lines.push(Buffer.from(line)));
  for (const line of lines) {
    rows.push(JSON.parse(line.toString()) as InputRow);
    if (rows.length < CHUNK) continue;
    await source.addData(rows);
    rows = [];
  }
  await source.addData(rows);
  return { format: "memory", options: {}, handle: source };
};

/** Publishes the events with `rowsPerMessage` lines in each message, unless the stream holds them. */
export const publishEvents = async (
  nats: NatsAccess,
  files: NexmarkFiles,
  rowsPerMessage: number,
): Promise<number> => {
  const found = await nats.stream(EVENTS_STREAM);
  if (found !== undefined && found.messages > 0) return found.messages;
  await nats.createStream({ name: EVENTS_STREAM, subjects: [SUBJECT] });
  let messages: NatsMessage[] = [];
  let lines: Buffer[] = [];
  let published = 0;
  const batches: NatsMessage[][] = [];
  const cut = (): void => {
    if (lines.length === 0) return;
    messages.push({ subject: SUBJECT, payload: Buffer.concat(lines) });
    published++;
    lines = [];
    if (messages.length < CHUNK) return;
    batches.push(messages);
    messages = [];
  };
  eachLine(files.parts, (line) => {
    lines.push(Buffer.concat([line, Buffer.from("\n")]));
    if (lines.length >= rowsPerMessage) cut();
  });
  cut();
  batches.push(messages);
  for (const batch of batches) await nats.publishAll(batch, { stream: EVENTS_STREAM });
  return published;
};

export const natsInput = (url: string, rowsPerMessage: number, messagesPerEpoch: number): Input => ({
  format: "nats",
  options: {
    url,
    stream: EVENTS_STREAM,
    encoding: rowsPerMessage > 1 ? "ndjson" : "json",
    maxOffsetsPerTrigger: String(messagesPerEpoch),
    mode: "failFast",
  },
});

/** The floor of the broker: our own reader over the stream, nothing parsed. */
export const readFloor = async (nats: NatsAccess): Promise<Measured & { readonly messages: number }> => {
  const { firstSequence, lastSequence } = (await nats.stream(EVENTS_STREAM))!;
  let messages = 0;
  const measured = await measure(async () => {
    const reader = nats.reader(EVENTS_STREAM, { from: firstSequence, to: lastSequence + 1 });
    for (let records = await reader.next(); records.length > 0; records = await reader.next())
      messages += records.length;
    reader.close();
  });
  return { messages, ...measured };
};
