/**
 * The reading side of the NATS source: ranges of sequences to batches. Ranges in order come out of the prefetch buffer; any other range (a
 * replay) is read from its start. The rows of a range depend on the stream and the options alone (law 2).
 */
import { type Batch, batchOf } from "../core/batch.ts";
import type { Clock } from "../core/clock.ts";
import { DataLossError, LogGapError, LogRecreatedError } from "../core/errors.ts";
import { PULL_OUTSTANDING_BYTES } from "../core/limits.ts";
import type { Schema } from "../core/schema.ts";
import type { Value } from "../core/value.ts";
import { vectorOf } from "../core/vector.ts";
import type { NatsAccess, NatsBlock, NatsReaderOptions, NatsRecord } from "../log/nats-access.ts";
import { type Decoder, payloadViews } from "./formats/decoder.ts";
import { lost, type NatsOffset, offsetOf, type SeenStreams } from "./nats-enumerator.ts";
import type { NatsSourceOptions } from "./nats-options.ts";
import { type NatsRun, Prefetch } from "./nats-prefetch.ts";
import type { Json, SourceReader, SplitRange } from "./source.ts";

/** Payload bytes decoded into one batch, and messages: a few thousand rows either way. */
const BATCH_BYTES = 512 * 1024;
const BATCH_MESSAGES = 4096;
/** When the prefetch says nothing this long, the rest of a range is asked for with an end: its last messages may be deleted or filtered out. */
const QUIET_MS = 250;

interface Position {
  prefetch: Prefetch;
  readonly created: string;
  /** The next sequence that `read` wants of it. */
  next: number;
}

const NOBODY = (): void => {};

const lastSequence = (runs: readonly NatsRun[]): number => {
  const { memory, end } = runs.at(-1)!;
  return memory.sequence(end - 1);
};

/** Without the messages below `next`. */
const behind = (runs: readonly NatsRun[], next: number): readonly NatsRun[] =>
  runs.flatMap(({ memory, first, end }) => {
    let from = first;
    while (from < end && memory.sequence(from) < next) from++;
    return from < end ? [{ memory, first: from, end }] : [];
  });

/** Blocks as runs, about as many messages at a time as a batch has. */
const batchesOf = function* (blocks: readonly NatsBlock[]): Generator<readonly NatsRun[]> {
  let runs: NatsRun[] = [];
  let count = 0;
  for (const memory of blocks) {
    runs.push({ memory, first: 0, end: memory.length });
    count += memory.length;
    if (count < BATCH_MESSAGES) continue;
    yield runs;
    runs = [];
    count = 0;
  }
  if (runs.length > 0) yield runs;
};

/** Sequence of message `i` of all runs. */
const sequenceAt = (runs: readonly NatsRun[], i: number): number => {
  let k = i;
  for (const { memory, first, end } of runs) {
    if (k < end - first) return memory.sequence(first + k);
    k -= end - first;
  }
  return -1;
};

const recordsOf = (runs: readonly NatsRun[]): NatsRecord[] => {
  const records: NatsRecord[] = [];
  for (const { memory, first, end } of runs) for (let i = first; i < end; i++) records.push(memory.record(i));
  return records;
};

/** Message columns without a decoder. */
const messageBatch = (schema: Schema, records: readonly NatsRecord[]): Batch =>
  batchOf(
    schema,
    records.length,
    schema.fields.map((f) =>
      vectorOf(
        f.type,
        records.map((r) => messageValue(f.name, r)),
      ),
    ),
  );

const messageValue = (column: string, r: NatsRecord): Value => {
  switch (column) {
    case "stream":
      return r.stream;
    case "subject":
      return r.subject;
    case "payload":
      return r.payload;
    case "sequence":
      return r.sequence;
    case "timestamp":
      return r.timestamp;
    default: {
      const headers = new Map<string, string>();
      for (const [name, value] of r.headers ?? []) {
        const before = headers.get(name);
        headers.set(name, before === undefined ? value : `${before},${value}`);
      }
      return [...headers];
    }
  }
};

export class NatsSourceReader implements SourceReader {
  readonly #options: NatsSourceOptions;
  readonly #connect: () => Promise<NatsAccess>;
  readonly #clock: Clock;
  readonly #schema: Schema;
  /** Undefined: messages as they are. */
  readonly #decoder: Decoder | undefined;
  readonly #positions = new Map<string, Position>();
  readonly #listeners = new Map<string, (to: Json) => void>();
  readonly #seen: SeenStreams;
  #closed = false;

  constructor(
    options: NatsSourceOptions,
    connect: () => Promise<NatsAccess>,
    clock: Clock,
    schema: Schema,
    decoder: Decoder | undefined,
    seen: SeenStreams,
  ) {
    this.#seen = seen;
    this.#options = options;
    this.#connect = connect;
    this.#clock = clock;
    this.#schema = schema;
    this.#decoder = decoder;
  }

  prefetch(split: string, from: Json, onAvailable: (to: Json) => void): void {
    this.#listeners.set(split, onAvailable);
    // Failures come to light in `read`.
    if (!this.#positions.has(split)) void this.#position(split, offsetOf(from)).catch(NOBODY);
  }

  /** The split's position at `from`, reading ahead of it. */
  async #position(split: string, from: NatsOffset): Promise<Position> {
    const here = this.#positions.get(split);
    if (
      here !== undefined &&
      here.next === from.sequence &&
      here.created === from.created &&
      !here.prefetch.closed
    )
      return here;
    here?.prefetch.close();
    const access = await this.#connect();
    const reader = access.blocks(split, this.#readerOptions(from));
    const tell = (next: number): void =>
      this.#listeners.get(split)?.({ sequence: next, created: from.created });
    const bytesMax = PULL_OUTSTANDING_BYTES / Math.max(1, this.#listeners.size);
    const position: Position = {
      prefetch: new Prefetch(reader, bytesMax, tell),
      created: from.created,
      next: from.sequence,
    };
    if (this.#closed) position.prefetch.close();
    else this.#seen.set(split, { created: from.created, prefetch: position.prefetch });
    this.#positions.set(split, position);
    return position;
  }

  #readerOptions(from: NatsOffset, to?: number): NatsReaderOptions {
    const { subject, failOnDataLoss } = this.#options;
    return {
      from: from.sequence,
      created: from.created,
      ...(to === undefined ? {} : { to }),
      ...(subject === undefined ? {} : { filter: subject }),
      onGap: failOnDataLoss ? "fail" : "skip",
    };
  }

  async *read(range: SplitRange, signal: AbortSignal): AsyncIterable<Batch> {
    const from = offsetOf(range.from);
    const to = offsetOf(range.to);
    if (to.sequence <= from.sequence) return;
    try {
      for await (const runs of this.#runs(range.split, from, to.sequence, signal)) {
        if (signal.aborted) return;
        yield this.#batch(range.split, runs);
      }
    } catch (e) {
      throw await this.#explain(range.split, from, e);
    }
  }

  #batch(stream: string, runs: readonly NatsRun[]): Batch {
    const decoder = this.#decoder;
    if (decoder === undefined) return messageBatch(this.#schema, recordsOf(runs));
    const origin = (i: number): string => `stream ${stream}, sequence ${sequenceAt(runs, i)}`;
    return decoder.decodeRuns === undefined
      ? decoder.decode(payloadViews(runs), origin)
      : decoder.decodeRuns(runs, origin);
  }

  /** The messages of [from, end), in order, a batch of them at a time. */
  async *#runs(
    split: string,
    from: NatsOffset,
    end: number,
    signal: AbortSignal,
  ): AsyncIterable<readonly NatsRun[]> {
    const position = await this.#position(split, from);
    const { prefetch } = position;
    const stop = (): void => {
      prefetch.close();
      this.#positions.delete(split);
    };
    signal.addEventListener("abort", stop);
    try {
      while (position.next < end && !signal.aborted) {
        // A part that was read by its end already (`#rest`) comes once more, later: it is dropped.
        const { next } = position;
        const taken = prefetch.take(end, BATCH_BYTES, BATCH_MESSAGES);
        const runs = taken.length > 0 && sequenceAt(taken, 0) < next ? behind(taken, next) : taken;
        if (runs.length > 0) {
          position.next = lastSequence(runs) + 1;
          yield runs;
        } else if (taken.length > 0) continue;
        else if (prefetch.passed(end)) position.next = end;
        else if (!(await this.#waits(prefetch))) {
          yield* this.#rest(split, position, end, signal);
          return;
        }
      }
      if (position.next > end) position.next = end;
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  /** Whether the prefetch has more before it was quiet for too long. */
  async #waits(prefetch: Prefetch): Promise<boolean> {
    let cancel = NOBODY;
    const quiet = new Promise<false>((resolve) => {
      cancel = this.#clock.after(QUIET_MS, () => resolve(false));
    });
    try {
      return await Promise.race([prefetch.more().then(() => !prefetch.closed), quiet]);
    } finally {
      cancel();
    }
  }

  /** What is left of a range, by a reader that knows its end. */
  async *#rest(
    split: string,
    position: Position,
    end: number,
    signal: AbortSignal,
  ): AsyncIterable<readonly NatsRun[]> {
    const access = await this.#connect();
    const reader = access.blocks(
      split,
      this.#readerOptions({ sequence: position.next, created: position.created }, end),
    );
    const stop = (): void => reader.close();
    signal.addEventListener("abort", stop);
    try {
      for (;;) {
        const blocks = await reader.next();
        if (blocks.length === 0) break;
        for (const runs of batchesOf(blocks)) {
          yield runs;
          position.next = lastSequence(runs) + 1;
          // The prefetch may have got them meanwhile.
          position.prefetch.take(position.next, Infinity, Infinity);
        }
      }
      position.next = end;
      position.prefetch.take(end, Infinity, Infinity);
    } finally {
      signal.removeEventListener("abort", stop);
      reader.close();
    }
  }

  /** What a user can do something with. */
  async #explain(split: string, from: NatsOffset, e: unknown): Promise<unknown> {
    this.#positions.get(split)?.prefetch.close();
    this.#positions.delete(split);
    if (!(e instanceof LogGapError) && !(e instanceof LogRecreatedError)) return e;
    const stream = await (await this.#connect()).stream(split);
    if (stream === undefined)
      return new DataLossError(`stream ${split}, which the query reads, is gone`, { cause: e });
    if (e instanceof LogRecreatedError || stream.created !== from.created)
      return new LogRecreatedError(
        `stream ${split} was deleted and created again (${from.created}, now ${stream.created}): sequence ${from.sequence} means another message`,
        { cause: e },
      );
    return stream.firstSequence > from.sequence ? lost(stream, from.sequence) : e;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const { prefetch } of this.#positions.values()) prefetch.close();
    this.#positions.clear();
  }
}
