/**
 * Format `memory`: reads what was added to a MemorySource (`memory-input.ts`). One split; an offset is the next position of its log.
 */
import type { Batch } from "../core/batch.ts";
import { position } from "../core/brands.ts";
import { AnalysisError, DataLossError, LogGapError } from "../core/errors.ts";
import { FRAME_ROWS_MAX } from "../core/limits.ts";
import type { Schema } from "../core/schema.ts";
import type { Log, Reader } from "../log/log.ts";
import { inputLog } from "../log/names.ts";
import { type MemorySource, memorySourceOf } from "./memory-input.ts";
import { rowDecoder } from "./formats/row-record.ts";
import { OptionValues } from "./options.ts";
import { LIMIT_OPTIONS, triggerLimits } from "./trigger-limits.ts";
import type {
  Json,
  PlanLimits,
  Source,
  SourceContext,
  SourceEnumerator,
  SourceFactory,
  SourceReader,
  SourceSpec,
  SplitRange,
} from "./source.ts";

const SPLIT = "0";
/** For contexts without a session (tests of one connector). */
const SESSION_DEFAULT = "default";

/** The input log of a source, opened once per enumerator or reader. */
class InputLog {
  readonly #context: SourceContext;
  readonly #handle: MemorySource;
  #log: Promise<Log> | undefined;

  constructor(context: SourceContext, handle: MemorySource) {
    this.#context = context;
    this.#handle = handle;
  }

  open(): Promise<Log> {
    this.#log ??= this.#open();
    this.#log.catch(() => (this.#log = undefined));
    return this.#log;
  }

  async #open(): Promise<Log> {
    const { store, session = SESSION_DEFAULT, queryName, sourceId } = this.#context;
    const log = await store.open(inputLog(session, queryName, sourceId));
    await this.#handle.bind(log);
    return log;
  }
}

class MemoryEnumerator implements SourceEnumerator {
  readonly #input: InputLog;
  readonly #handle: MemorySource;
  #next: number | undefined;
  /** End of the log when it was last looked at. */
  #seen = 1;
  /** What is planned at most (availableNow). */
  #frozen = Infinity;

  constructor(input: InputLog, handle: MemorySource) {
    this.#input = input;
    this.#handle = handle;
  }

  async open(state: Readonly<Record<string, Json>> | undefined): Promise<void> {
    const log = await this.#input.open();
    const stored = state?.[SPLIT];
    this.#next = typeof stored === "number" ? stored : (await log.bounds()).first;
  }

  async #end(): Promise<number> {
    await this.#handle.settled();
    this.#seen = Math.min(this.#frozen, (await (await this.#input.open()).bounds()).last + 1);
    return this.#seen;
  }

  async plan(limits: PlanLimits): Promise<readonly SplitRange[]> {
    const from = this.#next!;
    const end = await this.#end();
    const to = limits.maxOffsets === undefined ? end : Math.min(end, from + limits.maxOffsets);
    if (to <= from) return [];
    this.#next = to;
    return [{ split: SPLIT, from, to, rows: to - from }];
  }

  async freeze(): Promise<void> {
    this.#frozen = await this.#end();
  }

  unread(): readonly string[] {
    return this.#next! < this.#seen ? [SPLIT] : [];
  }

  async backlog(): Promise<number> {
    return Math.max(0, (await this.#end()) - this.#next!);
  }

  onInput(wake: () => void): () => void {
    return this.#handle.onRows(wake);
  }

  async close(): Promise<void> {}
}

class MemoryReader implements SourceReader {
  readonly #input: InputLog;
  readonly #decode: (records: readonly Uint8Array[]) => Batch;
  /** An open reader and the position it gives next: ranges usually follow each other. */
  #reader: { readonly reader: Reader; next: number } | undefined;
  #ahead: { readonly position: number; readonly payload: Uint8Array }[] = [];

  constructor(input: InputLog, decode: (records: readonly Uint8Array[]) => Batch) {
    this.#input = input;
    this.#decode = decode;
  }

  async *read(range: SplitRange, signal: AbortSignal): AsyncIterable<Batch> {
    const [from, to] = [range.from as number, range.to as number];
    const log = await this.#input.open();
    if (this.#reader?.next !== from) {
      this.#reader?.reader.close();
      this.#ahead = [];
      this.#reader = { reader: log.reader(position(from)), next: from };
    }
    const open = this.#reader;
    const abort = (): void => open.reader.close();
    signal.addEventListener("abort", abort);
    try {
      while (open.next < to && !signal.aborted) {
        if (this.#ahead.length === 0) this.#ahead = [...(await this.#records(open.reader, log.name))];
        if (this.#ahead.length === 0) break;
        const take = this.#ahead.slice(0, Math.min(FRAME_ROWS_MAX, to - open.next));
        this.#ahead = this.#ahead.slice(take.length);
        open.next += take.length;
        yield this.#decode(take.map((r) => r.payload));
      }
    } finally {
      signal.removeEventListener("abort", abort);
      if (signal.aborted) this.#reader = undefined;
    }
  }

  async #records(reader: Reader, name: string): ReturnType<Reader["next"]> {
    try {
      return await reader.next();
    } catch (e) {
      if (e instanceof LogGapError)
        throw new DataLossError(`memory source: rows of ${name} are gone`, { cause: e });
      throw e;
    }
  }

  async close(): Promise<void> {
    this.#reader?.reader.close();
  }
}

/** Batch reads take what the handle has now; nothing is logged. */
const batchSource = (
  schema: Schema,
  handle: MemorySource,
  decode: (records: readonly Uint8Array[]) => Batch,
): Source => {
  let records: readonly Uint8Array[] | undefined;
  const enumerator = (): SourceEnumerator => {
    let next = 1;
    return {
      open: async () => void (records ??= await handle.snapshot()),
      plan: async () => {
        const [from, to] = [next, records!.length + 1];
        next = to;
        return to > from ? [{ split: SPLIT, from, to, rows: to - from }] : [];
      },
      backlog: async () => records!.length + 1 - next,
      close: async () => {},
    };
  };
  const reader = (): SourceReader => ({
    async *read(range) {
      for (let i = range.from as number; i < (range.to as number); i += FRAME_ROWS_MAX)
        yield decode(records!.slice(i - 1, Math.min(i + FRAME_ROWS_MAX, range.to as number) - 1));
    },
    close: async () => {},
  });
  return { schema, description: "memory", parallelism: async () => 1, enumerator, reader };
};

export const memorySourceFactory: SourceFactory = {
  format: "memory",
  optionNames: LIMIT_OPTIONS,
  validate(options) {
    new OptionValues("memory source", options, LIMIT_OPTIONS);
    triggerLimits(options);
  },
  defaultSchema() {
    throw new AnalysisError("a memory source has the schema of its MemorySource object");
  },
  create(spec: SourceSpec, context: SourceContext, mode: "batch" | "stream"): Source {
    const handle = memorySourceOf(spec.handle);
    const decode = rowDecoder(handle.schema, spec.schema);
    if (mode === "batch") return batchSource(spec.schema, handle, decode);
    const input = new InputLog(context, handle);
    return {
      schema: spec.schema,
      description: "memory",
      parallelism: async () => 1,
      enumerator: () => new MemoryEnumerator(input, handle),
      reader: () => new MemoryReader(input, decode),
    };
  },
};
