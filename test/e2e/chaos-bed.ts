/**
 * Chaos: three nodes count windows over four streams while nodes and the broker are killed with SIGKILL and one node is paused past its lease; then
 * the output is compared with rows counted independently. Scale by CHAOS_SECONDS and CHAOS_ROWS; CHAOS_SEED repeats the choices of a run.
 */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { BrokerProgram } from "../support/broker.ts";
import { eventually, QueryNode } from "../support/query-nodes.ts";
import {
  type Bed,
  complete,
  countsBed,
  expectedRows,
  makeEvents,
  outputRows,
  publish,
  publishEnd,
  seeded,
  verdictOn,
} from "./counts-bed.ts";
import { diagnosis } from "./query-diagnosis.ts";

export interface ChaosOptions {
  readonly program: BrokerProgram;
  readonly mode: "append" | "update";
  readonly subject: string;
  readonly seconds: number;
  readonly rows: number;
  readonly leaseMs: number;
}

const NODES = 3;
const PARTITIONS = 4;
/** Pause between two faults, and of a node that was killed. */
const BETWEEN_MS = [600, 2_600] as const;
const AWAY_MS = [300, 3_000] as const;

interface Faults {
  killed: number;
  broker: number;
  paused: number;
  /** Nodes that ended by themselves with code 3 and were started again. */
  left: number;
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

class Chaos {
  readonly faults: Faults = { killed: 0, broker: 0, paused: 0, left: 0 };
  readonly #random: () => number;
  readonly #bed: Bed;
  readonly #nodes: readonly QueryNode[];
  readonly #leaseMs: number;
  readonly #pending: Promise<void>[] = [];
  /** Nodes under a fault: none gets two at a time. */
  readonly #busy = new Set<QueryNode>();

  constructor(bed: Bed, nodes: readonly QueryNode[], leaseMs: number, random: () => number) {
    this.#bed = bed;
    this.#nodes = nodes;
    this.#leaseMs = leaseMs;
    this.#random = random;
  }

  #between([from, to]: readonly [number, number]): number {
    return from + this.#random() * (to - from);
  }

  /** Faults until `seconds` have passed; resolves when everything runs again. */
  async run(seconds: number): Promise<void> {
    const until = performance.now() + seconds * 1_000;
    for (let n = 0; performance.now() < until; n++) {
      await wait(this.#between(BETWEEN_MS));
      this.#restartLeft();
      const kind = n === 1 ? 0.9 : n === 2 ? 0.7 : this.#random();
      if (kind < 0.6) this.#onNode((node) => this.#kill(node));
      else if (kind < 0.8) await this.#killBroker();
      else this.#onNode((node) => this.#pause(node));
    }
    await Promise.all(this.#pending);
    this.#restartLeft();
  }

  #onNode(fault: (node: QueryNode) => Promise<void>): void {
    const free = this.#nodes.filter((node) => !this.#busy.has(node));
    const node = free[Math.floor(this.#random() * free.length)];
    if (node === undefined) return;
    this.#busy.add(node);
    this.#pending.push(fault(node).finally(() => this.#busy.delete(node)));
  }

  async #kill(node: QueryNode): Promise<void> {
    this.faults.killed++;
    const losesDisk = this.#random() < 0.5;
    const away = this.#between(AWAY_MS);
    await node.kill();
    if (losesDisk) node.deleteFolder();
    await wait(away);
    node.start();
  }

  async #pause(node: QueryNode): Promise<void> {
    this.faults.paused++;
    await node.process.pause();
    await wait(this.#leaseMs * 1.5);
    node.process.resume();
  }

  async #killBroker(): Promise<void> {
    this.faults.broker++;
    await this.#bed.broker.kill();
    await wait(this.#between([0, 1_000]));
    await this.#bed.broker.start();
  }

  /** A node may end with code 3 when it cannot join again; nothing else ends one. */
  #restartLeft(): void {
    for (const node of this.#nodes) {
      if (this.#busy.has(node) || node.running) continue;
      assert.match(node.log, /cannot join again/, `a node ended by itself:\n${node.log.slice(-3_000)}`);
      this.faults.left++;
      node.start();
    }
  }
}

const numberFrom = (name: string, otherwise: number): number => Number(process.env[name] ?? otherwise);

/** Runs the chaos and fails on anything lost, doubled or wrong. */
export const chaos = async (t: TestContext, options: ChaosOptions): Promise<void> => {
  const seconds = numberFrom("CHAOS_SECONDS", options.seconds);
  const rows = numberFrom("CHAOS_ROWS", options.rows);
  const seed = numberFrom("CHAOS_SEED", Math.floor(Math.random() * 2 ** 31));
  t.diagnostic(
    `seed ${seed} (CHAOS_SEED), ${seconds} s, ${rows} rows, nats-server ${options.program.version}`,
  );
  const bed = await countsBed(t, { path: options.program.path });
  const env = {
    COUNTS_MODE: options.mode,
    COUNTS_SUBJECT: options.subject,
    // Epochs stay smaller than what a second brings, so that faults meet many of them.
    COUNTS_OFFSETS: "2000",
  };
  const nodes = Array.from(
    { length: NODES },
    () => new QueryNode({ t, nats: bed.broker.url, leaseMs: options.leaseMs, partitions: PARTITIONS, env }),
  );
  for (const node of nodes) node.start();
  await Promise.all(nodes.map((node) => node.ready()));
  const events = makeEvents(rows, seed);
  const expected = expectedRows(events);
  const stop = new AbortController();
  t.after(() => stop.abort());
  const published = publish(bed.nats, events, rows / seconds, stop.signal);
  const storm = new Chaos(bed, nodes, options.leaseMs, seeded(seed + 1));
  await storm.run(seconds);
  const calm = performance.now();
  await published;
  await publishEnd(bed.nats, events);
  await eventually("all rows are out", () => complete(bed.nats, expected, options.mode), 120_000).catch(
    async (e: Error) => {
      const logs = nodes.map((n) => n.log.slice(-2_000)).join("\n---\n");
      throw new Error(`${e.message}\n${await diagnosis(bed.store)}\n${logs}`);
    },
  );
  const settled = performance.now() - calm;
  // What is doubled would still be on its way.
  await wait(1_000);
  const found = await outputRows(bed.nats);
  const { examples, ...verdict } = verdictOn(expected, found, options.mode);
  t.diagnostic(
    `${options.mode}: ${verdict.checked} windows checked, ${found.length} rows, ${verdict.lost} lost, ${verdict.doubled} doubled, ${verdict.wrong} wrong, ${verdict.back} back; ` +
      `${storm.faults.killed} kills of nodes, ${storm.faults.broker} of the broker, ${storm.faults.paused} pauses, ${storm.faults.left} nodes left; complete ${(settled / 1_000).toFixed(1)} s after the last fault`,
  );
  assert.deepEqual(
    verdict,
    { checked: expected.size, lost: 0, doubled: 0, wrong: 0, back: 0 },
    examples.join("\n"),
  );
  assert.ok(storm.faults.killed > 0 && storm.faults.broker > 0 && storm.faults.paused > 0);
};
