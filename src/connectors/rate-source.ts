/**
 * Format `rate`: `rowsPerSecond` rows a second, columns `timestamp` and `value` (0, 1, 2, …), as Spark's.
 *
 * R1 A row depends on its number and the range's data alone: value v is stamped with start + v / rowsPerSecond. R2 The clock is read when a
 *    range is cut, never when it is read. R3 Split p of n has the values ≡ p (mod n). An offset is `{start, value}`: when the rate changes over
 *    a restart, `start` moves so that values go on where they were.
 */
import { type Batch, batchOf } from "../core/batch.ts";
import type { Clock } from "../core/clock.ts";
import { LONG, TIMESTAMP, field } from "../core/data-type.ts";
import { ConfigurationError } from "../core/errors.ts";
import { FRAME_ROWS_MAX } from "../core/limits.ts";
import { columnIndex, type Schema, schemaOf } from "../core/schema.ts";
import type { Vector } from "../core/vector.ts";
import { OptionValues } from "./options.ts";
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

const SCHEMA = schemaOf([field("timestamp", TIMESTAMP), field("value", LONG)]);

interface RateOptions {
  readonly rowsPerSecond: number;
  readonly splits: number;
}

const OPTIONS = ["rowsPerSecond", "numPartitions"];

const readOptions = (options: SourceSpec["options"]): RateOptions => {
  const values = new OptionValues("rate source", options, OPTIONS);
  return {
    rowsPerSecond: values.integer("rowsPerSecond", { min: 1 }) ?? 1,
    splits: values.integer("numPartitions", { min: 1, max: 1024 }) ?? 1,
  };
};

/** A position: values below `value` are planned; value v has the time start + v * 1000 / rate. */
interface RateOffset {
  readonly start: number;
  readonly value: number;
}

class RateEnumerator implements SourceEnumerator {
  readonly #options: RateOptions;
  readonly #clock: Clock;
  #next: RateOffset = { start: 0, value: 0 };
  /** The `to` of the newest range, as it was planned. */
  #planned: Json | undefined;
  /** The time that is planned at most (availableNow). */
  #frozen: number | undefined;

  constructor(options: RateOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  async open(state: Readonly<Record<string, Json>> | undefined): Promise<void> {
    const now = this.#clock.now();
    const stored = state?.["0"] as { start: number; value: number; rate: number } | undefined;
    this.#planned = stored;
    if (stored === undefined) this.#next = { start: now, value: 0 };
    else if (stored.rate === this.#options.rowsPerSecond) this.#next = stored;
    else {
      const reached = stored.start + (stored.value * 1000) / stored.rate;
      this.#next = {
        start: reached - (stored.value * 1000) / this.#options.rowsPerSecond,
        value: stored.value,
      };
    }
  }

  #available(): number {
    const elapsed = (this.#frozen ?? this.#clock.now()) - this.#next.start;
    return Math.max(0, Math.floor((elapsed * this.#options.rowsPerSecond) / 1000) - this.#next.value);
  }

  async plan(limits: PlanLimits): Promise<readonly SplitRange[]> {
    const rows = Math.min(this.#available(), limits.maxOffsets ?? Infinity);
    if (rows === 0) return [];
    const { start, value } = this.#next;
    this.#next = { start, value: value + rows };
    const { rowsPerSecond, splits } = this.#options;
    const from = this.#planned ?? { start, value, rate: rowsPerSecond };
    const to = { start, value: value + rows, rate: rowsPerSecond };
    this.#planned = to;
    return Array.from({ length: splits }, (_, p) => ({
      split: String(p),
      from,
      to,
      rows: below(value + rows, p, splits) - below(value, p, splits),
      data: { splits },
    }));
  }

  async freeze(): Promise<void> {
    this.#frozen = this.#clock.now();
  }

  async backlog(): Promise<number> {
    return this.#available();
  }

  onInput(wake: () => void): () => void {
    let cancel = (): void => {};
    const tick = (): void => {
      cancel = this.#clock.after(Math.max(1, Math.ceil(1000 / this.#options.rowsPerSecond)), () => {
        tick();
        wake();
      });
    };
    tick();
    return () => cancel();
  }

  async close(): Promise<void> {}
}

/** How many of the values 0 … end - 1 belong to split p of n. */
const below = (end: number, p: number, n: number): number => Math.max(0, Math.ceil((end - p) / n));

class RateReader implements SourceReader {
  readonly #schema: Schema;
  constructor(schema: Schema) {
    this.#schema = schema;
  }

  async *read(range: SplitRange, signal: AbortSignal): AsyncIterable<Batch> {
    const { start, value: end, rate } = range.to as unknown as RateOffset & { readonly rate: number };
    const { value: begin } = range.from as unknown as RateOffset;
    const { splits } = range.data as { readonly splits: number };
    const split = Number(range.split);
    const first = split + below(begin, split, splits) * splits;
    for (let v = first; v < end && !signal.aborted; v += FRAME_ROWS_MAX * splits) {
      const rows = Math.min(FRAME_ROWS_MAX, Math.ceil((end - v) / splits));
      yield this.#batch(v, splits, rows, start, 1000 / rate);
    }
  }

  #batch(first: number, step: number, rows: number, start: number, msPerRow: number): Batch {
    const columns = this.#schema.fields.map((f): Vector => {
      const data = new Float64Array(rows);
      const isValue = f.name.toLowerCase() === "value";
      for (let i = 0; i < rows; i++) {
        const v = first + i * step;
        data[i] = isValue ? v : Math.floor(start + v * msPerRow);
      }
      return { layout: "f64", data, nulls: undefined };
    });
    return batchOf(this.#schema, rows, columns);
  }

  async close(): Promise<void> {}
}

export const rateSourceFactory: SourceFactory = {
  format: "rate",
  optionNames: OPTIONS,
  validate(options, mode) {
    readOptions(options);
    if (mode === "batch") throw new ConfigurationError("a rate source has no end: it can only be streamed");
  },
  defaultSchema: () => SCHEMA,
  create(spec: SourceSpec, context: SourceContext): Source {
    const options = readOptions(spec.options);
    for (const f of spec.schema.fields)
      if (columnIndex(SCHEMA, f.name) < 0)
        throw new ConfigurationError(`a rate source has the columns timestamp and value, not ${f.name}`);
    return {
      schema: spec.schema,
      description: `rate[${options.rowsPerSecond}/s]`,
      parallelism: async () => options.splits,
      enumerator: () => new RateEnumerator(options, context.clock),
      reader: () => new RateReader(spec.schema),
    };
  },
};
