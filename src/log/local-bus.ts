/**
 * The bus within one process. Handlers run later, through `schedule`, never inside `publish`: as over a network. Subjects may
 * hold `*` (one token) and a final `>` (the rest) when subscribing.
 */
import type { Bus } from "./log.ts";

export type Schedule = (f: () => void) => void;

interface Subscription {
  readonly tokens: readonly string[];
  readonly handler: (payload: Uint8Array) => void;
}

const matches = (pattern: readonly string[], subject: readonly string[]): boolean => {
  for (let i = 0; i < pattern.length; i++) {
    if (pattern[i] === ">") return subject.length > i;
    if (i >= subject.length || (pattern[i] !== "*" && pattern[i] !== subject[i])) return false;
  }
  return pattern.length === subject.length;
};

export class LocalBus implements Bus {
  readonly #schedule: Schedule;
  readonly #exact = new Map<string, Set<Subscription>>();
  readonly #patterns = new Set<Subscription>();

  constructor(schedule: Schedule = queueMicrotask) {
    this.#schedule = schedule;
  }

  publish(subject: string, payload: Uint8Array): void {
    const exact = this.#exact.get(subject);
    if (exact !== undefined) for (const s of exact) this.#deliver(exact, s, payload);
    if (this.#patterns.size === 0) return;
    const tokens = subject.split(".");
    for (const s of this.#patterns) if (matches(s.tokens, tokens)) this.#deliver(this.#patterns, s, payload);
  }

  #deliver(set: ReadonlySet<Subscription>, s: Subscription, payload: Uint8Array): void {
    this.#schedule(() => {
      if (set.has(s)) s.handler(payload);
    });
  }

  /** Whether somebody here hears messages of exactly this subject. */
  hears(subject: string): boolean {
    return this.#exact.has(subject);
  }

  subscribe(subject: string, handler: (payload: Uint8Array) => void): () => void {
    const s: Subscription = { tokens: subject.split("."), handler };
    if (s.tokens.some((t) => t === "*" || t === ">")) {
      this.#patterns.add(s);
      return () => void this.#patterns.delete(s);
    }
    let set = this.#exact.get(subject);
    if (set === undefined) this.#exact.set(subject, (set = new Set()));
    const here = set;
    here.add(s);
    return () => {
      here.delete(s);
      if (here.size === 0 && this.#exact.get(subject) === here) this.#exact.delete(subject);
    };
  }
}
