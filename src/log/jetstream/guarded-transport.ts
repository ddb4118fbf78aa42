/**
 * Attempts of a publisher behind the margin of `SpaceGuard`: in order; while one waits for a look at the stream, those behind it wait too, and what the look
 * refuses is refused to all of them: the window may have fallen silent meanwhile, and then waits for the later ones.
 */
import type { PublishTransport } from "../publish-window.ts";
import { full } from "../refusals.ts";
import { type Outgoing, wireSize } from "./publisher.ts";
import type { SpaceGuard } from "../space-guard.ts";

type Done = (error?: unknown) => void;

/** Bytes of a message as the stream counts them, without the record's head. */
export const storedSize = (m: Pick<Outgoing, "subject" | "payload" | "headers">): number =>
  m.subject.length + wireSize(m.payload, m.headers);

export class GuardedTransport implements PublishTransport<Outgoing> {
  readonly #inner: PublishTransport<Outgoing>;
  readonly #guard: SpaceGuard;
  readonly #what: string;
  #waiting: { readonly message: Outgoing; readonly done: Done }[] = [];
  #round = 0;

  constructor(inner: PublishTransport<Outgoing>, guard: SpaceGuard, what: string) {
    this.#inner = inner;
    this.#guard = guard;
    this.#what = what;
  }

  attempt(message: Outgoing, done: Done): void {
    if (this.#waiting.length > 0) return void this.#waiting.push({ message, done });
    if (this.#guard.admits(storedSize(message)) === true) return this.#inner.attempt(message, done);
    this.#waiting.push({ message, done });
    void this.#proceed(this.#round);
  }

  async #proceed(round: number): Promise<void> {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const { message, done } = next;
      const bytes = storedSize(message);
      try {
        const admitted = this.#guard.admits(bytes) ?? (await this.#guard.ask(bytes));
        if (round !== this.#round) return;
        if (!admitted) return this.#refuse(full(this.#what, this.#guard.maxBytes));
      } catch (e) {
        if (round === this.#round) this.#refuse(e);
        return;
      }
      this.#waiting.shift();
      this.#inner.attempt(message, done);
      if (round !== this.#round) return;
    }
  }

  #refuse(error: unknown): void {
    for (const { done } of this.#waiting.splice(0)) done(error);
  }

  reset(): void {
    this.#round++;
    this.#waiting = [];
    this.#inner.reset?.();
  }

  close(): void {
    this.reset();
    this.#inner.close?.();
  }
}
