/**
 * What an actor is at and since when, so that one that waits for somebody else too long can be told and started again: a lost wake-up, a reader that
 * ended, an answer that never comes must not stop a query for ever.
 *
 *  V1 only an actor that waits on both sides is started again: never one that computes, or whose sink is at work.
 *  V2 each time only after twice the time of the one before, so that slow producers get theirs.
 */
import type { Clock } from "../core/clock.ts";
import { UnavailableError } from "../core/errors.ts";
import type { Side, Step } from "./behaviour.ts";

const WAITS: ReadonlySet<Step> = new Set(["plan entry", "input", "sending", "delivery", "idle"]);

export class ActorWatch {
  readonly #clock: Clock;
  readonly #steps: Record<Side, Step> = { loop: "recovery", commit: "idle" };
  #since: number;
  #patience = 1;
  #stall: AbortController | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#since = clock.monotonic();
  }

  step(side: Side, step: Step): void {
    this.#steps[side] = step;
    this.#since = this.#clock.monotonic();
  }

  describe(): { readonly loop: Step; readonly commit: Step; readonly seconds: number } {
    return { ...this.#steps, seconds: Math.round((this.#clock.monotonic() - this.#since) / 1_000) };
  }

  /** Starts the actor again if it has only waited for `stallMs`. Returns whether it does. */
  nudge(stallMs: number): boolean {
    const waited = this.#clock.monotonic() - this.#since;
    if (!WAITS.has(this.#steps.loop) || !WAITS.has(this.#steps.commit)) return false;
    if (this.#stall === undefined || waited < stallMs * this.#patience) return false;
    this.#patience *= 2;
    this.#stall.abort();
    return true;
  }

  /** Runs the actor's body; rejects when `nudge` ended it. */
  async guard<A>(signal: AbortSignal, body: (signal: AbortSignal) => Promise<A>): Promise<A> {
    const stall = new AbortController();
    this.#stall = stall;
    this.step("loop", "recovery");
    this.step("commit", "idle");
    try {
      const end = await body(AbortSignal.any([signal, stall.signal]));
      if (stall.signal.aborted && !signal.aborted) throw stalled();
      return end;
    } catch (e) {
      throw stall.signal.aborted && !signal.aborted ? stalled(e) : e;
    } finally {
      this.#stall = undefined;
    }
  }
}

const stalled = (cause?: unknown): UnavailableError =>
  new UnavailableError("the actor waited for too long for what others send: it starts again", { cause });
