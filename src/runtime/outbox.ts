/**
 * The outbox of an actor: its rows, cut into frames, to the mailboxes of its readers (laws 3 and 4).
 *
 * Invariants.
 *  X1 in every epoch every reader of every edge gets frames whose rows are numbered from 0 and exactly one `last`.
 *  X2 rows of an edge keep their order per reader; where frames are cut means nothing.
 *  X4 a frame of several rows has at most FRAME_BYTES_MAX, and what the broker takes: rows of any width pass it as long as each does alone.
 *  X3 an epoch that the commit log names already is computed but not published (nobody needs it).
 */
import { type Batch, rowCount } from "../core/batch.ts";
import { concatBatches } from "../core/batch-concat.ts";
import { epoch as asEpoch, partitionIndex } from "../core/brands.ts";
import { RecordTooLargeError } from "../core/errors.ts";
import { FRAME_BYTES_MAX, FRAME_BYTES_TARGET, FRAME_ROWS_MAX } from "../core/limits.ts";
import { encodeFrame } from "../codec/frame-codec.ts";
import type { EvaluationContext } from "../expr/contract.ts";
import type { Publisher } from "../log/log.ts";
import type { Edge } from "../plan/physical.ts";
import { Exchange } from "./exchange.ts";
import { ReplayDigest } from "./replay-digest.ts";

interface Reader {
  readonly publisher: Publisher;
  pending: Batch[];
  pendingRows: number;
  sent: number;
}

class EdgeOut {
  readonly id: string;
  readonly #edge: Edge;
  readonly #exchange: Exchange;
  readonly #readers: readonly Reader[];
  readonly #producer: { readonly topology: number; readonly partition: number };
  /** Rows of a frame: fewer after wide ones. */
  #rowsMax = FRAME_ROWS_MAX;
  readonly #digest: ReplayDigest | undefined;
  /** Set while the lasts of an epoch are sent. */
  #sum: number | undefined;

  constructor(
    edge: Edge,
    publishers: readonly Publisher[],
    producer: { topology: number; partition: number },
    withDigest: boolean,
  ) {
    this.#digest = withDigest ? new ReplayDigest() : undefined;
    this.id = edge.id;
    this.#edge = edge;
    this.#exchange = new Exchange(edge.hashBy, publishers.length);
    this.#readers = publishers.map((publisher) => ({ publisher, pending: [], pendingRows: 0, sent: 0 }));
    this.#producer = producer;
  }

  /** Buffers rows; sends frames that are full. A promise when a publisher's window is full. */
  async write(batch: Batch, epoch: number, context: EvaluationContext): Promise<void> {
    const parts = this.#exchange.split(batch, context);
    for (let p = 0; p < parts.length; p++) {
      const part = parts[p];
      if (part === undefined) continue;
      const reader = this.#readers[p]!;
      this.#digest?.add(p, reader.sent + reader.pendingRows, part);
      reader.pending.push(part);
      reader.pendingRows += rowCount(part);
      if (reader.pendingRows >= FRAME_ROWS_MAX) await this.#flush(reader, epoch, false);
    }
  }

  async end(epoch: number): Promise<void> {
    this.#sum = this.#digest?.take();
    for (const reader of this.#readers) {
      await this.#flush(reader, epoch, true);
      reader.sent = 0;
    }
  }

  async #flush(reader: Reader, epoch: number, last: boolean): Promise<void> {
    const rows = reader.pendingRows;
    const batch = rows === 0 ? undefined : concatBatches(reader.pending);
    reader.pending = [];
    reader.pendingRows = 0;
    for (let from = 0; ;) {
      const frame = this.#frame(reader, batch, from, rows, epoch, last);
      from += frame.rows;
      reader.sent += frame.rows;
      const wait = reader.publisher.send(frame.bytes);
      if (wait !== undefined) await wait;
      if (from >= rows) return;
    }
  }

  /** The next frame of a batch: rows by count, fewer where they are wide (X4). */
  #frame(
    reader: Reader,
    batch: Batch | undefined,
    from: number,
    rows: number,
    epoch: number,
    last: boolean,
  ): { readonly bytes: Uint8Array; readonly rows: number } {
    const taken = reader.publisher.recordBytesMax ?? Infinity;
    const bytesMax = Math.min(FRAME_BYTES_MAX, taken);
    for (let count = Math.min(this.#rowsMax, rows - from); ;) {
      const header = {
        edge: this.#edge.id,
        topology: this.#producer.topology,
        partition: partitionIndex(this.#producer.partition),
        epoch: asEpoch(epoch),
        firstRow: reader.sent,
        rows: count,
        last: last && from + count >= rows,
        ...(last && this.#sum !== undefined ? { digest: this.#sum } : {}),
      };
      const bytes = encodeFrame(header, batch, { from, to: from + count });
      if (bytes.length <= bytesMax || count <= 1) {
        if (bytes.length > taken)
          throw new RecordTooLargeError(
            `row ${header.firstRow} of epoch ${epoch} (partition ${header.partition}) is ${bytes.length} bytes on its way to stage ${this.#edge.to}; the broker takes ${taken}`,
            { hint: "raise max_payload of the server, or select less of the row" },
          );
        if (bytes.length < Math.min(FRAME_BYTES_TARGET, bytesMax / 4))
          this.#rowsMax = Math.min(FRAME_ROWS_MAX, this.#rowsMax * 2);
        return { bytes, rows: count };
      }
      // Rows may differ in width: halves at least, so that this ends soon.
      count = Math.max(1, Math.floor(Math.min(count / 2, (count * bytesMax) / (bytes.length * 2))));
      this.#rowsMax = count;
    }
  }
}

export class Outbox {
  readonly #edges: readonly EdgeOut[];
  readonly #publishers: readonly Publisher[];
  /** Rows handed to `write` in the current epoch, over all edges. */
  rows = 0;

  /** `publishers[k]` are those of the readers of `edges[k]`, by partition; edges to one stage share them. `withDigest`: law 3's option. */
  constructor(
    edges: readonly Edge[],
    publishers: readonly (readonly Publisher[])[],
    producer: { topology: number; partition: number },
    withDigest = false,
  ) {
    this.#edges = edges.map((edge, k) => new EdgeOut(edge, publishers[k]!, producer, withDigest));
    this.#publishers = [...new Set(publishers.flat())];
  }

  /** `only`: the edge they leave by; all when absent. */
  async write(batch: Batch, epoch: number, context: EvaluationContext, only?: string): Promise<void> {
    this.rows += rowCount(batch);
    for (const edge of this.#edges)
      if (only === undefined || edge.id === only) await edge.write(batch, epoch, context);
  }

  /** Sends the `last` of the epoch on every edge. */
  async end(epoch: number): Promise<void> {
    for (const edge of this.#edges) await edge.end(epoch);
  }

  /** Resolves when all that was sent so far is acknowledged (law 6 waits for it). */
  async delivered(): Promise<void> {
    await Promise.all(this.#publishers.map((p) => p.delivered()));
  }

  close(): void {
    for (const p of this.#publishers) p.close();
  }
}
