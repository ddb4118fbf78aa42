/**
 * Rows of epochs through a pipe, a message each, whoever decides what a failure means: the fence of predicted sequences (`nats-fence.ts`), or sending again
 * (at least once, below).
 *
 * R1 Rows are forgotten when they and all before them are stored. R2 After a failure nothing is sent before `recover` is through; then what is not known to be
 *    stored goes to a new pipe, as far as `missing` leaves it.
 */
import { type Clock, sleep } from "../core/clock.ts";
import { FencedError, MillraceError } from "../core/errors.ts";
import type { NatsAccess, NatsPipe, NatsRows } from "../log/nats-access.ts";

/** Rows of an epoch; message i holds row `row + i`, and `label` is its header but for that number. */
export interface EpochRows extends NatsRows {
  readonly epoch: number;
}

const countOf = (rows: EpochRows): number => rows.end - rows.first;

export interface RowFlowOptions {
  readonly open: () => NatsPipe;
  /** Throws when nothing may be sent any more; asked before each offer. */
  readonly check: () => void;
  /** Waits and finds out as the failure asks; throws what ends the writer. `refusals`: in a row, without a settled epoch in between. */
  readonly recover: (error: unknown, refusals: number) => Promise<void>;
  /** The parts of rows that are not stored. */
  readonly missing: (rows: EpochRows) => readonly EpochRows[];
  /** Everything given is stored, so many messages since the pipe was opened. */
  readonly settled?: (count: number) => void;
  /** Where rows go when the pipe is no way any more. */
  readonly instead?: (() => ((rows: EpochRows) => Promise<void>) | undefined) | undefined;
}

export class RowFlow {
  readonly #o: RowFlowOptions;
  #pipe: NatsPipe | undefined;
  /** Given to the pipe and not known to be stored, and the messages given to it before these. */
  #open: EpochRows[] = [];
  #behind = 0;
  #refusals = 0;

  constructor(options: RowFlowOptions) {
    this.#o = options;
  }

  /** Gives rows on; waits when too much is on its way. */
  give(rows: EpochRows): Promise<void> {
    return this.#flow([rows], false);
  }

  /** Resolves when everything given is stored. */
  async settle(): Promise<void> {
    if (this.#open.length > 0) await this.#flow([], true);
  }

  close(): void {
    this.#pipe?.close();
    this.#pipe = undefined;
  }

  async #flow(rows: readonly EpochRows[], settle: boolean): Promise<void> {
    const { missing, instead, recover } = this.#o;
    let left = rows.flatMap(missing);
    for (;;) {
      const other = instead?.();
      if (other !== undefined) {
        for (const r of left) await other(r);
        return;
      }
      try {
        for (; left.length > 0; left = left.slice(1)) await this.#offer(left[0]!);
        if (settle) await this.#settled();
        return;
      } catch (e) {
        const open = this.#unstored();
        this.close();
        this.#open = [];
        await recover(e, ++this.#refusals);
        // The one that was on its way is the first of both.
        left = [...open, ...left.filter((r) => !open.includes(r))].flatMap(missing);
      }
    }
  }

  async #offer(rows: EpochRows): Promise<void> {
    this.#o.check();
    if (this.#pipe === undefined) {
      this.#pipe = this.#o.open();
      this.#behind = 0;
    }
    this.#open.push(rows);
    await this.#pipe.offer(rows);
    this.#open = this.#unstored();
  }

  /** Forgets the rows that are wholly stored; gives the others. */
  #unstored(): EpochRows[] {
    const stored = this.#pipe?.acknowledged ?? 0;
    let k = 0;
    for (; k < this.#open.length && this.#behind + countOf(this.#open[k]!) <= stored; k++)
      this.#behind += countOf(this.#open[k]!);
    return this.#open.slice(k);
  }

  async #settled(): Promise<void> {
    await this.#pipe?.delivered();
    for (const rows of this.#open) this.#behind += countOf(rows);
    this.#open = [];
    this.#refusals = 0;
    this.#o.settled?.(this.#behind);
  }
}

const RETRY_MS = 25;
const RETRY_MAX_MS = 1_000;

/** At least once: after a failure everything from the first row on that is not known to be stored is sent again, for as long as it takes. */
export const resentRows = (
  access: NatsAccess,
  subject: string,
  clock: Clock,
  alive: () => boolean,
): RowFlow =>
  new RowFlow({
    open: () => access.pipe({ subject }),
    check: () => {
      if (!alive()) throw new FencedError("the nats sink's lease is gone");
    },
    async recover(e, refusals) {
      if (!(e instanceof MillraceError) || e.decision === "fail" || e instanceof FencedError) throw e;
      if (access.ended !== undefined) throw access.ended;
      await sleep(clock, Math.min(RETRY_MAX_MS, RETRY_MS * 2 ** Math.min(refusals - 1, 10)));
    },
    missing: (rows) => [rows],
  });
