/**
 * How much input an epoch of a `realTime` trigger may have, so that it is through in the interval asked for: what epochs took is fitted by a part that every
 * epoch costs and a part per offset, both followed slowly.
 *
 * E1 The size moves by at most two times per epoch, and never below one offset. E2 Where the fixed part alone is longer than half of the interval, an epoch
 *    takes as long again for its rows: smaller ones would only do less. E3 Epochs that took all input there was say nothing about the size.
 */

/** Offsets of the first epoch: small, so that the fixed part is seen first. */
const FIRST = 16;
/** Weight of the newest epoch. */
const WEIGHT = 0.15;
/** Every other epoch is smaller by this factor: equal sizes would not tell the two parts from each other. */
const SMALLER = 0.75;
/** Sizes must differ by this part of themselves to tell the two parts from each other. */
const SPREAD = 0.05;

export class EpochSize {
  readonly #intervalMs: number;
  #cap = FIRST;
  #turn = false;
  #n = 0;
  #x = 0;
  #y = 0;
  #xx = 0;
  #xy = 0;
  /** Milliseconds per offset. */
  #slope = 0;

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  /** Offsets that the next epoch may have. */
  get offsets(): number {
    return Math.max(1, Math.round(this.#turn ? this.#cap * SMALLER : this.#cap));
  }

  /** An epoch of `offsets`, as many as it might have, took so long from its plan to its commit. */
  took(ms: number, offsets: number): void {
    this.#fit(offsets, ms);
    this.#turn = !this.#turn;
    const fixed = Math.max(0, this.#y - this.#slope * this.#x);
    const budget = Math.max(this.#intervalMs - fixed, fixed);
    const wanted = this.#slope > 0 ? budget / this.#slope : Infinity;
    this.#cap = Math.max(1, Math.min(this.#cap * 2, Math.max(this.#cap / 2, wanted)));
  }

  #fit(x: number, y: number): void {
    const w = Math.max(WEIGHT, 1 / ++this.#n);
    this.#x += w * (x - this.#x);
    this.#y += w * (y - this.#y);
    this.#xx += w * (x * x - this.#xx);
    this.#xy += w * (x * y - this.#xy);
    const variance = this.#xx - this.#x * this.#x;
    if (variance > (SPREAD * this.#x) ** 2)
      this.#slope = Math.max(0, (this.#xy - this.#x * this.#y) / variance);
  }
}
