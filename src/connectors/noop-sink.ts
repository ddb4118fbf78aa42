/**
 * Format `noop`: computes everything and keeps nothing, for benchmarks. It looks at every live row of every column, so that no result can be left uncomputed,
 * and counts the bytes; texts are not made of strings that are bytes, and nothing is encoded.
 */
import { type Batch, rowCount } from "../core/batch.ts";
import { Utf8Strings } from "../core/utf8-strings.ts";
import type { Vector } from "../core/vector.ts";
import { OptionValues } from "./options.ts";
import type { SinkFactory, SinkWriter } from "./sink.ts";

/** Bytes of the live rows: strings as UTF-8 (as characters where they are texts), other values as their slots, nested ones 8 each. */
const bytesOf = (v: Vector, rows: Int32Array | undefined, n: number): number => {
  if (v.layout !== "dict") return n * (v.layout === "any" ? 8 : v.data.BYTES_PER_ELEMENT);
  const { data, dictionary } = v;
  let bytes = 0;
  if (dictionary instanceof Utf8Strings) {
    const { ends } = dictionary;
    for (let k = 0; k < n; k++) {
      const id = data[rows === undefined ? k : rows[k]!]!;
      bytes += id < dictionary.length ? ends[id + 1]! - ends[id]! : 0;
    }
  } else
    for (let k = 0; k < n; k++) bytes += dictionary[data[rows === undefined ? k : rows[k]!]!]?.length ?? 0;
  return bytes;
};

export class NoopWriter implements SinkWriter {
  /** Of all that was written so far. */
  rows = 0;
  bytes = 0;
  async open(): Promise<void> {}
  begin(): void {}
  write(batch: Batch): void {
    const n = rowCount(batch);
    this.rows += n;
    for (const v of batch.columns) this.bytes += bytesOf(v, batch.selection, n);
  }
  async commit(): Promise<void> {}
  async close(): Promise<void> {}
}

export const noopSinkFactory: SinkFactory = {
  format: "noop",
  optionNames: [],
  validate(spec) {
    new OptionValues("noop sink", spec.options, []);
  },
  partitioned: () => true,
  describe: () => "nothing is written",
  guarantee: () => "exactlyOnce",
  writer: () => new NoopWriter(),
};
