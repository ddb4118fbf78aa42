/**
 * The seeded scheduler of a simulation: every event of the log in memory (an append that arrives, an answer, a message, a wake-up of a reader) waits here, and one
 * after the other is chosen by the seed. Time moves only when nothing else can. The same seed gives the same run.
 */
import { MemoryStore } from "../log/memory-log.ts";
import type { Fate } from "../log/memory-wire.ts";
import type { VirtualClock } from "./virtual-clock.ts";

/** What may go wrong by itself. Probabilities per append attempt, until `budget` faults have happened. */
export interface SimulationFaults {
  /** Stored, but the writer never hears of it. */
  readonly loseAcknowledgement: number;
  /** Not stored, and the writer never hears of it. */
  readonly lose: number;
  /** Not stored, and the writer is told so. */
  readonly refuse: number;
  /** Held back, with all that the writer sends behind it, for a while. */
  readonly hold: number;
  /** A bus message (acknowledgement, hint) that never arrives. */
  readonly loseMessage: number;
  readonly budget: number;
}

export const NO_FAULTS: SimulationFaults = {
  loseAcknowledgement: 0,
  lose: 0,
  refuse: 0,
  hold: 0,
  loseMessage: 0,
  budget: 0,
};

/** Logs of the set-up, not of the protocol under test: their writers do not expect to fail. */
const SPARED = /\.(leases|input\.[^.]+)$/;
/** Virtual time without an end in sight: a deadlock. */
const STUCK_MS = 600_000;

/** mulberry32: small, seedable, good enough to choose. */
export const seededRandom = (seed: number): (() => number) => {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
};

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export class Simulation {
  readonly random: () => number;
  readonly #events: (() => void)[] = [];
  #faults: SimulationFaults;
  #left: number;
  #store: MemoryStore | undefined;
  #clock: VirtualClock | undefined;

  constructor(seed: number, faults: SimulationFaults = NO_FAULTS) {
    this.random = seededRandom(seed);
    this.#faults = faults;
    this.#left = faults.budget;
  }

  /** A whole number below `n`. */
  below(n: number): number {
    return Math.floor(this.random() * n);
  }

  get store(): MemoryStore {
    return this.#store!;
  }

  /** The store whose events this simulation orders: for `TestClusterOptions.store`. */
  readonly makeStore = (clock: VirtualClock): Promise<MemoryStore> => {
    this.#clock = clock;
    this.#store = new MemoryStore({
      clock,
      schedule: (f) => this.#events.push(f),
      faults: { onAppend: (log) => this.#fate(log) },
    });
    const { bus } = this.#store;
    const publish = bus.publish.bind(bus);
    bus.publish = (subject, payload): void => {
      if (this.#strikes(this.#faults.loseMessage)) return;
      publish(subject, payload);
    };
    return Promise.resolve(this.#store);
  };

  /** No more faults; what is held goes on. */
  calm(): void {
    this.#faults = NO_FAULTS;
    this.#left = 0;
    this.#store?.release();
  }

  #strikes(probability: number): boolean {
    if (probability === 0 || this.#left <= 0 || this.random() >= probability) return false;
    this.#left--;
    return true;
  }

  #fate(log: string): Fate {
    if (SPARED.test(log)) return "store";
    if (this.#strikes(this.#faults.loseAcknowledgement)) return "storeLoseAck";
    if (this.#strikes(this.#faults.lose)) return "lose";
    if (this.#strikes(this.#faults.refuse)) return "refuse";
    return this.#strikes(this.#faults.hold) ? "hold" : "store";
  }

  /** Runs one waiting event; false when there is none. */
  #step(): boolean {
    const n = this.#events.length;
    if (n === 0) return false;
    const i = this.below(n);
    const [event] = this.#events.splice(i, 1);
    event!();
    return true;
  }

  /** Runs events until the work is done. Throws when virtual time runs away: the system stands still. */
  async drive<T>(work: Promise<T>): Promise<T> {
    let state: "running" | "done" = "running";
    const end = (): void => void (state = "done");
    work.then(end, end);
    const clock = this.#clock;
    const started = clock?.monotonic() ?? 0;
    for (let quiet = 0; ;) {
      await turn();
      if ((state as string) === "done") return work;
      if (this.#step()) {
        quiet = 0;
        // Several at a time: what they wake runs after the last of them.
        while (this.random() < 0.6 && this.#step());
        continue;
      }
      if (++quiet < 4) continue;
      await this.#pass(started);
      quiet = 0;
    }
  }

  /** Lets time pass to the next timer. */
  async #pass(started: number): Promise<void> {
    const clock = this.#clock!;
    if (this.store.held > 0) return this.store.release(this.random() < 0.7);
    const next = clock.untilNext();
    if (next === undefined || clock.monotonic() - started > STUCK_MS)
      throw new Error("the simulation stands still: nothing is on its way and no timer helps");
    await clock.advance(next);
  }

  /** Runs `events` events, or until nothing waits. */
  async run(events: number): Promise<void> {
    for (let i = 0, quiet = 0; i < events && quiet < 4; i++) {
      await turn();
      quiet = this.#step() ? 0 : quiet + 1;
    }
  }
}
