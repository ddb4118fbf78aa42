/** Who is there and who leads (laws 9, 10): leases by the reader's own clock, the 2/3 rule, a paused node, election by compare-and-set. */
import { test } from "node:test";
import assert from "node:assert/strict";
import { Membership } from "../../src/cluster/membership.ts";
import { pack } from "../../src/codec/msgpack.ts";
import { MemoryStore } from "../../src/log/memory-log.ts";
import { settle, VirtualClock } from "../../src/testing/virtual-clock.ts";

const LEASE_MS = 3_000;

/** A machine's clock that stands still while the process is paused, then jumps: SIGSTOP and SIGCONT. */
class Machine extends VirtualClock {
  #paused: { ms: number; f: () => void }[] | undefined;
  pause(): void {
    this.#paused = [];
  }
  /** What fell due meanwhile fires now. */
  async resume(): Promise<void> {
    const due = this.#paused ?? [];
    this.#paused = undefined;
    for (const t of due) t.f();
    await settle();
  }
  override after(ms: number, f: () => void): () => void {
    return super.after(ms, () => {
      if (this.#paused === undefined) f();
      else this.#paused.push({ ms, f });
    });
  }
}

interface Group {
  readonly store: MemoryStore;
  readonly clocks: Machine[];
  join(id: string): Promise<Membership>;
  pass(ms: number): Promise<void>;
}

const group = (): Group => {
  const store = new MemoryStore({ clock: new VirtualClock() });
  const clocks: Machine[] = [];
  return {
    store,
    clocks,
    async join(nodeId) {
      const clock = new Machine(clocks.length * 3_600_000);
      clocks.push(clock);
      const log = await store.open("s.nodes.leases");
      const m = new Membership({ log, clock, nodeId, leaseMs: LEASE_MS, boot: "", info: {} });
      await m.start();
      return m;
    },
    async pass(ms) {
      for (let at = 0; at < ms; at += 100) for (const c of clocks) await c.advance(100);
      await settle();
    },
  };
};

test("nodes see each other, and one of them leads; wall clocks an hour apart do not matter", async () => {
  const g = group();
  const [a, b] = [await g.join("a"), await g.join("b")];
  await g.pass(LEASE_MS * 3);
  assert.deepEqual(
    [a.nodes(), b.nodes()],
    [
      ["a", "b"],
      ["a", "b"],
    ],
  );
  assert.equal(a.leader?.node, "a");
  assert.deepEqual(b.leader, a.leader);
  assert.equal(b.token, undefined);
  for (const m of [a, b]) m.close();
});

test("a node that dies is forgotten after its lease, and another leads with a higher token", async () => {
  const g = group();
  const [a, b] = [await g.join("a"), await g.join("b")];
  const before = a.token!;
  a.close();
  await g.pass(LEASE_MS / 2);
  assert.deepEqual(b.nodes(), ["a", "b"]);
  await g.pass(LEASE_MS * 2);
  assert.deepEqual(b.nodes(), ["b"]);
  assert.ok(b.token! > before);
  b.close();
});

test("M2 M3 a paused node stops counting itself alive before the others take over, and never renews again", async () => {
  const g = group();
  const [a, b] = [await g.join("a"), await g.join("b")];
  g.clocks[0]!.pause();
  await g.pass(LEASE_MS * 2);
  assert.equal(a.alive(), false, "the clock went on while the process stood still");
  assert.equal(a.token, undefined);
  assert.ok(b.token !== undefined);
  await g.clocks[0]!.resume();
  await g.pass(LEASE_MS);
  assert.equal(a.lost, true);
  assert.deepEqual(b.nodes(), ["b"]);
  b.close();
});

test("M2 without an answer from the log a node is alive for two thirds of its lease only", async () => {
  const store = new MemoryStore({ clock: new VirtualClock() });
  const clock = new VirtualClock();
  const log = await store.open("s.nodes.leases");
  const m = new Membership({ log, clock, nodeId: "a", leaseMs: LEASE_MS, boot: "", info: {} });
  await m.start();
  store.faults = { onAppend: () => "lose" };
  await clock.advance((LEASE_MS * 2) / 3 - 1);
  assert.equal(m.alive(), true);
  await clock.advance(2);
  assert.equal(m.alive(), false);
  m.close();
});

test("a leaving node is gone at once", async () => {
  const g = group();
  const [a, b] = [await g.join("a"), await g.join("b")];
  await a.leave();
  await settle(10);
  assert.deepEqual(b.nodes(), ["b"]);
  assert.ok(b.token !== undefined);
  b.close();
});

test("M4 two claims at once: one wins, both agree", async () => {
  const g = group();
  const all = await Promise.all(["a", "b", "c"].map((id) => g.join(id)));
  await g.pass(LEASE_MS);
  const leaders = new Set(all.map((m) => `${m.leader?.node}/${m.leader?.token}`));
  assert.equal(leaders.size, 1);
  assert.equal(all.filter((m) => m.token !== undefined).length, 1);
  for (const m of all) m.close();
});

test("M5 a lease that was late and is confirmed after all is told to who listens", async () => {
  const store = new MemoryStore({ clock: new VirtualClock() });
  const clock = new VirtualClock();
  const log = await store.open("s.nodes.leases");
  const m = new Membership({ log, clock, nodeId: "a", leaseMs: LEASE_MS, boot: "", info: {} });
  await m.start();
  store.faults = { onAppend: () => "hold" };
  await clock.advance((LEASE_MS * 2) / 3 + 1);
  assert.equal(m.token, undefined);
  const heard: (number | undefined)[] = [];
  m.onChange(() => heard.push(m.token));
  store.faults = {};
  store.release();
  await settle();
  assert.deepEqual([m.alive(), m.lost], [true, false]);
  assert.notEqual(heard.at(-1), undefined);
  m.close();
});

test("M6 a renewal of a deposed leader that arrives late does not bring it back", async () => {
  const g = group();
  const [a, b, c] = [await g.join("a"), await g.join("b"), await g.join("c")];
  const late = pack({ kind: "renew", node: "a", boot: "", token: a.token, info: {} });
  a.close();
  await g.pass(LEASE_MS * 3);
  const deposed = c.leader!;
  assert.notEqual(deposed.node, "a");
  const log = await g.store.open("s.nodes.leases");
  // Appended at once behind the new leader's departure, before anybody claims.
  await Promise.all([(deposed.node === "b" ? b : c).leave(), log.append(late)]);
  await g.pass(100);
  const rest = deposed.node === "b" ? c : b;
  assert.notEqual(rest.leader?.node, "a");
  assert.ok(rest.token! > deposed.token);
  for (const m of [b, c]) m.close();
});
