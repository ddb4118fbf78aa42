/**
 * Rows as messages of one subject, pipelined: what a NATS sink writes. Bytes go from the rows' memory to the connection's without an object per message; answers
 * come to one inbox.
 *
 * Invariants.
 *  W1 messages are sent in order, each once; after the first refusal, silence or disconnect nothing more is sent and the pipe is over.
 *  W2 at most PIPE_WINDOW_RECORDS and PUBLISH_WINDOW_BYTES are in flight; one message may be larger than the window alone.
 *  W3 `acknowledged` counts from the first message on without a gap.
 */
import { ConfigurationError, UnavailableError } from "../../core/errors.ts";
import { PIPE_WINDOW_RECORDS, PUBLISH_WINDOW_BYTES, REQUEST_TIMEOUT_MS } from "../../core/limits.ts";
import type { NatsPipe, NatsPipeOptions, NatsRows } from "../nats-access.ts";
import { type ApiFailure, failureOf } from "./api.ts";
import type { Connection } from "./connection.ts";
import type { RowFrame, RowNumbers } from "./outbound.ts";
import type { AckInbox, AckLane } from "./publisher.ts";

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class RowPipe implements NatsPipe {
  readonly #connection: Connection;
  readonly #options: NatsPipeOptions;
  readonly #lane: AckLane;
  readonly #unlisten: () => void;
  /** Offered and not wholly acknowledged; those before `#sending` are sent. */
  #rows: NatsRows[] = [];
  #sending = 0;
  /** The next message of the rows that are sent, and of the first rows the oldest without an answer. */
  #next = 0;
  #oldest = 0;
  #offered = 0;
  #sent = 0;
  #flyingBytes = 0;
  acknowledged = 0;
  /** Answers that came before those of older messages. */
  readonly #early = new Set<number>();
  /** A full window is filled again when half of it is answered: a few large writes instead of one per answer. */
  #full = false;
  #failed: { readonly error: unknown } | undefined;
  #room: Waiter[] = [];
  #delivered: Waiter[] = [];
  #heardAt = 0;
  #cancel: (() => void) | undefined;
  #label = "";
  #frame: RowFrame;
  readonly #numbers: RowNumbers = { message: 0, row: 0, expected: 0 };

  constructor(connection: Connection, inbox: AckInbox, options: NatsPipeOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#lane = inbox.lane((n, _, unanswered, refused) => this.#answer(n, unanswered, refused));
    this.#frame = this.#frameOf("");
    this.#unlisten = connection.listen({
      disconnected: () => this.#lost("the connection was lost"),
      closed: (error) => this.#fail(error),
      denied: (_, subject) => {
        if (subject !== options.subject) return;
        this.#fail(
          failureOf(subject, { code: 403, description: `publishing to ${subject} is not permitted` }),
        );
      },
    });
  }

  #frameOf(label: string): RowFrame {
    const { subject, header, expectLast } = this.#options;
    const plain = header === undefined && expectLast === undefined;
    const line = Buffer.from(`${plain ? "PUB" : "HPUB"} ${subject} ${this.#lane.prefix}`);
    if (plain) return { line, head: undefined };
    if (/[\r\n]/.test(label)) throw new ConfigurationError(`the header ${header!} has a line end in it`);
    const row = header === undefined ? undefined : Buffer.from(`NATS/1.0\r\n${header}: ${label}`);
    const begin = header === undefined ? "NATS/1.0\r\n" : "\r\n";
    const expected =
      expectLast === undefined ? undefined : Buffer.from(`${begin}Nats-Expected-Last-Sequence: `);
    return { line, head: { row, expected } };
  }

  offer(rows: NatsRows): Promise<void> | undefined {
    if (this.#failed !== undefined) return Promise.reject(this.#failed.error as Error);
    if (rows.first === rows.end) return undefined;
    this.#rows.push(rows);
    this.#offered += rows.end - rows.first;
    if (this.#sending === this.#rows.length - 1) this.#next = rows.first;
    if (this.#rows.length === 1) this.#oldest = rows.first;
    this.#pump();
    if (this.#failed === undefined && this.#sent === this.#offered) return undefined;
    return this.#wait(this.#room);
  }

  delivered(): Promise<void> {
    if (this.#failed === undefined && this.acknowledged === this.#offered) return Promise.resolve();
    return this.#wait(this.#delivered);
  }

  #wait(waiters: Waiter[]): Promise<void> {
    if (this.#failed !== undefined) return Promise.reject(this.#failed.error as Error);
    return new Promise((resolve, reject) => void waiters.push({ resolve, reject }));
  }

  close(): void {
    this.#fail(new UnavailableError("the publisher is closed"));
  }

  #fail(error: unknown): void {
    if (this.#failed !== undefined) return;
    this.#failed = { error };
    this.#cancel?.();
    this.#unlisten();
    this.#lane.close();
    this.#rows = [];
    for (const w of [...this.#room.splice(0), ...this.#delivered.splice(0)]) w.reject(error);
  }

  /** What is in flight has an unknown outcome; without it nothing is lost. */
  #lost(why: string): void {
    if (this.#sent === this.acknowledged) return;
    this.#fail(this.#connection.ended ?? new UnavailableError(`${this.#options.subject}: ${why}`));
  }

  #watch(): void {
    const { clock } = this.#connection;
    this.#cancel = clock.after(REQUEST_TIMEOUT_MS, () => {
      this.#cancel = undefined;
      if (this.#sent === this.acknowledged) return;
      if (clock.monotonic() - this.#heardAt >= REQUEST_TIMEOUT_MS) this.#lost("no acknowledgement");
      else this.#watch();
    });
  }

  #answer(n: number, unanswered: UnavailableError | undefined, refused: ApiFailure | undefined): void {
    if (unanswered !== undefined) return this.#fail(unanswered);
    if (refused !== undefined) return this.#fail(failureOf(this.#options.subject, refused));
    this.#heardAt = this.#connection.clock.monotonic();
    if (n !== this.acknowledged) {
      if (n > this.acknowledged) this.#early.add(n);
      return;
    }
    this.#stored();
    while (this.#early.size > 0 && this.#early.delete(this.acknowledged)) this.#stored();
    if (this.acknowledged === this.#offered) for (const w of this.#delivered.splice(0)) w.resolve();
    if (this.#sent < this.#offered) this.#pump();
  }

  /** The oldest message is stored. */
  #stored(): void {
    const rows = this.#rows[0]!;
    const i = this.#oldest++;
    this.#flyingBytes -= rows.ends[i + 1]! - rows.ends[i]!;
    this.acknowledged++;
    if (this.#oldest < rows.end) return;
    this.#rows.shift();
    this.#sending--;
    this.#oldest = this.#rows[0]?.first ?? 0;
  }

  #pump(): void {
    const flying = this.#sent - this.acknowledged;
    if (this.#full && (2 * flying > PIPE_WINDOW_RECORDS || 2 * this.#flyingBytes > PUBLISH_WINDOW_BYTES))
      return;
    this.#full = false;
    if (!this.#connection.connected) {
      const away = new UnavailableError(`${this.#options.subject}: NATS is away`);
      return this.#fail(this.#connection.ended ?? away);
    }
    if (flying === 0) this.#heardAt = this.#connection.clock.monotonic();
    if (this.#cancel === undefined) this.#watch();
    while (this.#sent < this.#offered) {
      const inFlight = this.#sent - this.acknowledged;
      if (inFlight >= PIPE_WINDOW_RECORDS || (inFlight > 0 && this.#flyingBytes >= PUBLISH_WINDOW_BYTES)) {
        this.#full = true;
        return;
      }
      this.#send();
    }
    for (const w of this.#room.splice(0)) w.resolve();
  }

  /** Sends the next message. */
  #send(): void {
    const rows = this.#rows[this.#sending]!;
    if (rows.label !== this.#label) {
      this.#label = rows.label;
      this.#frame = this.#frameOf(rows.label);
    }
    const i = this.#next++;
    const numbers = this.#numbers;
    numbers.message = this.#sent;
    numbers.row = rows.row + i;
    numbers.expected = (this.#options.expectLast ?? 0) + this.#sent;
    const from = rows.ends[i]!;
    const to = rows.ends[i + 1]!;
    this.#sent++;
    this.#flyingBytes += to - from;
    this.#connection.publishRow(this.#frame, numbers, rows.bytes, from, to);
    if (this.#next < rows.end) return;
    this.#sending++;
    this.#next = this.#rows[this.#sending]?.first ?? 0;
  }
}
