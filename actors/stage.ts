/**
 * The stage actor's input: its mailbox. Frames are read in log order, what counts is accepted once (`Inbox`), and handed out epoch by epoch;
 * rows of later epochs wait until every producer's `last` of this one has come (law 5).
 */
import { position } from "../src/core/brands.ts";
import { FrameError } from "../src/core/errors.ts";
import type { Schema } from "../src/core/schema.ts";
import { openFrame } from "../src/codec/frame-codec.ts";
import type { Log, Reader } from "../src/log/log.ts";
import type { Edge } from "../src/plan/physical.ts";
import type { ActorInput, InputBatch } from "../src/runtime/behaviour.ts";
import type { EpochEntry } from "../src/runtime/entries.ts";
import type { Digests } from "../src/runtime/replay-digest.ts";
import { lowerSpace } from "../src/runtime/mailbox-space.ts";
import { Inbox } from "../src/runtime/inbox.ts";

export class MailboxInput implements ActorInput {
  readonly #mailbox: Log;
  readonly #edges: readonly Edge[];
  readonly #schemas: ReadonlyMap<string, Schema>;
  readonly #onDuplicate: (frames: number) => void;
  readonly #maxBytes: number;
  #inbox = new Inbox(0, 1);
  #reader: Reader | undefined;
  #bytes = 0;
  digests: Digests = {};

  /** `maxBytes`: the mailbox's limit by the settings. */
  constructor(mailbox: Log, edges: readonly Edge[], maxBytes: number, onDuplicate: (frames: number) => void) {
    this.#maxBytes = maxBytes;
    this.#mailbox = mailbox;
    this.#edges = edges;
    this.#schemas = new Map(edges.map((e) => [e.id, e.schema]));
    this.#onDuplicate = onDuplicate;
  }

  get created(): string {
    return this.#mailbox.created;
  }

  open(resume: number, epoch: number): Promise<void> {
    this.#inbox = new Inbox(epoch, resume);
    this.#reader = this.#mailbox.reader(position(resume));
    return Promise.resolve();
  }

  /** Every producer that the plan entry says will send a `last` (law 13: the entry's topology decides). */
  #producers(entry: EpochEntry): string[] {
    const { version, partitions } = entry.topology;
    return this.#edges.flatMap((e) =>
      Array.from({ length: partitions[e.from]! }, (_, p) => `${e.id}/${version}/${p}`),
    );
  }

  async *rows(entry: EpochEntry, signal: AbortSignal): AsyncIterable<InputBatch> {
    const producers = this.#producers(entry);
    const stop = (): void => this.#reader?.close();
    signal.addEventListener("abort", stop);
    try {
      for (;;) {
        yield* this.#inbox.take(entry.epoch);
        if (this.#inbox.complete(entry.epoch, producers)) break;
        if (signal.aborted) return;
        await this.#read();
      }
      this.digests = this.#inbox.end(entry.epoch);
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  async #read(): Promise<void> {
    const before = this.#inbox.duplicates;
    for (const record of await this.#reader!.next()) {
      this.#bytes += record.payload.length;
      const frame = openFrame(record.payload);
      const { header } = frame;
      const { edge } = header;
      const schema = this.#schemas.get(edge);
      if (schema === undefined)
        throw new FrameError(
          `mailbox ${this.#mailbox.name} holds a frame of edge ${edge}, which the plan does not have`,
        );
      this.#inbox.accept(record.position, { header, batch: frame.batch(schema) });
    }
    const dropped = this.#inbox.duplicates - before;
    if (dropped > 0) this.#onDuplicate(dropped);
  }

  resume(): number {
    return this.#inbox.resume();
  }

  takeBytes(): number {
    const bytes = this.#bytes;
    this.#bytes = 0;
    return bytes;
  }

  async trim(resume: number): Promise<void> {
    await this.#mailbox.trim(position(resume));
    await lowerSpace(this.#mailbox, this.#maxBytes);
  }

  close(): Promise<void> {
    this.#reader?.close();
    return Promise.resolve();
  }
}
