/** Nodes join, leave, die, pause and are refused while one query runs on; its rows stay exact (issue 3, section 6). */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { brokers } from "../support/broker.ts";
import { eventually, QueryNode } from "../support/query-nodes.ts";
import {
  type Bed,
  complete,
  countsBed,
  type Event,
  expectedRows,
  makeEvents,
  outputRows,
  publish,
  publishEnd,
  verdictOn,
} from "./counts-bed.ts";
import { actorsByProcess, CommitWatch } from "./query-watch.ts";

const program = brokers()[0];
const skip = program === undefined ? "no nats-server: make brokers says why" : false;
const LEASE_MS = 1_000;
const PARTITIONS = 6;
/** Rows a second while nodes come and go. */
const RATE = 2_000;
/** What a takeover may take, on a machine that stands still for seconds now and then; what it took is printed. */
const SILENCE_MAX_MS = 10_000;
/** Nodes that come and go in order hardly interrupt anything; the same bound, for the same reason. */
const HANDOVER_MAX_MS = 10_000;

interface Scene {
  readonly bed: Bed;
  readonly watch: CommitWatch;
  readonly newNode: () => QueryNode;
  /** Ends the input and compares. */
  readonly finish: () => Promise<void>;
}

/** A query on one node, with input coming all the time. */
const scene = async (t: TestContext, seconds: number): Promise<Scene & { readonly first: QueryNode }> => {
  const bed = await countsBed(t, { path: program!.path });
  const events: Event[] = [];
  const all = makeEvents(RATE * seconds, 11);
  const newNode = (): QueryNode =>
    new QueryNode({ t, nats: bed.broker.url, leaseMs: LEASE_MS, partitions: PARTITIONS });
  const first = newNode();
  first.start();
  await first.ready();
  const stop = new AbortController();
  t.after(() => stop.abort());
  const published = publish(bed.nats, all, RATE, stop.signal, (block) => events.push(...block));
  const watch = await CommitWatch.start(t, bed.store);
  await eventually("the first epochs are committed", () => watch.commits > 3);
  const finish = async (): Promise<void> => {
    stop.abort();
    await published;
    await publishEnd(bed.nats, events);
    const expected = expectedRows(events);
    await eventually("all rows are out", () => complete(bed.nats, expected, "append"));
    const { examples, ...verdict } = verdictOn(expected, await outputRows(bed.nats), "append");
    assert.deepEqual(
      verdict,
      { checked: expected.size, lost: 0, doubled: 0, wrong: 0, back: 0 },
      examples.join("\n"),
    );
    assert.ok(expected.size > 40);
  };
  return { bed, watch, newNode, finish, first };
};

const share = async (bed: Bed, node: QueryNode): Promise<number> =>
  (await actorsByProcess(bed.store)).get(node.process.pid) ?? 0;

const sharesAre = (bed: Bed, nodes: readonly QueryNode[], min: number): Promise<void> =>
  eventually("every node has its share", async () => {
    const actors = await actorsByProcess(bed.store);
    return actors.size === nodes.length && nodes.every((n) => (actors.get(n.process.pid) ?? 0) >= min);
  });

test("a node joins, one leaves, one dies with its disk: the query runs on", { skip }, async (t) => {
  const { bed, watch, newNode, finish, first } = await scene(t, 60);
  const measured: Record<string, number> = {};
  const measure = async (what: string, max: number, action: () => Promise<void>): Promise<void> => {
    const from = performance.now();
    await action();
    const before = watch.commits;
    await eventually(`commits after: ${what}`, () => watch.commits > before + 3);
    measured[what] = Math.round(watch.silenceSince(from));
    assert.ok(measured[what] <= max, `${what}: ${measured[what]} ms without a commit`);
  };
  const second = newNode();
  const third = newNode();
  await measure("a node joins", HANDOVER_MAX_MS, async () => {
    second.start();
    await sharesAre(bed, [first, second], 3);
  });
  await measure("the leader leaves", HANDOVER_MAX_MS, async () => {
    const { code } = await first.kill("SIGTERM");
    assert.equal(code, 0, first.log);
    await sharesAre(bed, [second], 1);
  });
  third.start();
  await sharesAre(bed, [second, third], 3);
  await measure("the leader is killed and its disk lost", SILENCE_MAX_MS, async () => {
    await second.kill("SIGKILL");
    second.deleteFolder();
    await sharesAre(bed, [third], 1);
  });
  second.start();
  await sharesAre(bed, [second, third], 3);
  await measure("another node is killed and its disk lost", SILENCE_MAX_MS, async () => {
    await second.kill("SIGKILL");
    second.deleteFolder();
    await sharesAre(bed, [third], 1);
  });
  t.diagnostic(`longest time without a commit, ms: ${JSON.stringify(measured)}`);
  await finish();
});

test("a paused node writes nothing more and joins again", { skip }, async (t) => {
  const { bed, watch, newNode, finish, first } = await scene(t, 60);
  const second = newNode();
  second.start();
  await sharesAre(bed, [first, second], 3);
  for (const paused of [second, first]) {
    const other = paused === first ? second : first;
    const from = performance.now();
    await paused.process.pause();
    await eventually("the other one has all actors", async () => (await share(bed, paused)) === 0);
    const before = watch.commits;
    await eventually("commits go on", () => watch.commits > before + 3);
    const silence = watch.silenceSince(from);
    t.diagnostic(
      `${Math.round(silence)} ms without a commit after SIGSTOP of ${paused === first ? "the leader" : "the other node"}`,
    );
    assert.ok(silence <= SILENCE_MAX_MS);
    paused.process.resume();
    await eventually("joins again or ends", () => /joined again/.test(paused.log) || !paused.running);
    if (!paused.running) {
      assert.equal((await paused.process.ended).code, 3, paused.log);
      paused.start();
    }
    await sharesAre(bed, [paused, other], 3);
  }
  await finish();
});

test("a node with another plan is refused and disturbs nothing", { skip }, async (t) => {
  const { bed, watch, newNode, finish, first } = await scene(t, 30);
  const other = newNode();
  const from = performance.now();
  const { code, stderr } = await other.start({ env: { COUNTS_FACTOR: "2" } }).ended;
  assert.equal(code, 1, stderr);
  assert.match(stderr, /has a checkpoint of another plan/);
  assert.match(stderr, /^ *\+ .*2/m);
  assert.match(stderr, /^ *- /m);
  const before = watch.commits;
  await eventually("commits go on", () => watch.commits > before + 3);
  assert.ok(watch.silenceSince(from) <= HANDOVER_MAX_MS, `${watch.silenceSince(from)} ms without a commit`);
  assert.deepEqual([...(await actorsByProcess(bed.store)).keys()], [first.process.pid]);
  await finish();
});
