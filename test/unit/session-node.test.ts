/** A node whose lease is lost joins again, whatever happens while it does; no node that joined by halves stays in the group. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { Membership } from "../../src/cluster/membership.ts";
import { UnavailableError } from "../../src/core/errors.ts";
import { MemoryStore } from "../../src/log/memory-log.ts";
import { SessionNode } from "../../src/node/session-node.ts";
import type { QueryRuntime } from "../../src/query/query-runtime.ts";
import { settle, VirtualClock } from "../../src/testing/virtual-clock.ts";
import { temporaryDirectory } from "../support/temporary.ts";

const LEASE_MS = 3_000;

/** What a runtime was told, and how it answers the next `rejoin`. */
class Runtime {
  readonly told: string[] = [];
  answer: () => Promise<void> = () => Promise.resolve();
  suspend(): Promise<void> {
    this.told.push("suspend");
    return Promise.resolve();
  }
  rejoin(): Promise<void> {
    this.told.push("rejoin");
    return this.answer();
  }
  leave(): Promise<void> {
    return Promise.resolve();
  }
}

interface Scene {
  readonly node: SessionNode;
  readonly runtime: Runtime;
  readonly observer: Membership;
  readonly pass: (ms: number) => Promise<void>;
  /** Time that passes without the node's timers: SIGSTOP. */
  readonly pause: (ms: number) => Promise<void>;
}

const scene = async (t: TestContext): Promise<Scene> => {
  const [clock, others] = [new VirtualClock(), new VirtualClock()];
  const store = new MemoryStore({ clock: others });
  let ids = 0;
  let jumped = 0;
  const own = {
    now: () => clock.now() + jumped,
    monotonic: () => clock.monotonic() + jumped,
    after: (ms: number, f: () => void) => clock.after(ms, f),
  };
  const node = await SessionNode.join({
    session: "s",
    store,
    clock: own,
    log: () => {},
    leaseMs: LEASE_MS,
    boot: "b",
    newId: () => `n${++ids}`,
    info: {},
    directory: temporaryDirectory(t),
    random: () => 0.5,
    onLost: (e) => assert.fail(String(e)),
  });
  t.after(() => node.close());
  const runtime = new Runtime();
  node.runtimes.add(runtime as unknown as QueryRuntime);
  const log = await store.open("s.nodes.leases");
  const observer = new Membership({
    log,
    clock: others,
    nodeId: "o",
    leaseMs: LEASE_MS,
    boot: "b",
    info: {},
  });
  await observer.start();
  t.after(() => observer.close());
  const pass = async (ms: number): Promise<void> => {
    for (let at = 0; at < ms; at += 100) for (const c of [clock, others]) await c.advance(100);
    await settle();
  };
  const pause = async (ms: number): Promise<void> => {
    for (let at = 0; at < ms; at += 100) await others.advance(100);
    jumped += ms;
  };
  return { node, runtime, observer, pass, pause };
};

test("a node whose lease is lost suspends its queries and joins again under another id", async (t) => {
  const { node, runtime, observer, pass, pause } = await scene(t);
  await pause(LEASE_MS * 2);
  assert.equal(node.membership.alive(), false);
  await pass(LEASE_MS);
  assert.equal(node.membership.nodeId, "n2");
  assert.equal(node.membership.alive(), true);
  assert.deepEqual(runtime.told, ["suspend", "rejoin"]);
  assert.deepEqual(observer.nodes(), ["n2", "o"]);
});

test("a lease lost again while the node joins is not missed", async (t) => {
  const { node, runtime, observer, pass, pause } = await scene(t);
  let go = (): void => {};
  runtime.answer = () => new Promise((resolve) => (go = resolve));
  await pause(LEASE_MS * 2);
  await pass(LEASE_MS);
  assert.equal(node.membership.nodeId, "n2");
  await pause(LEASE_MS * 2);
  await pass(LEASE_MS);
  assert.equal(node.membership.lost, true);
  runtime.answer = () => Promise.resolve();
  go();
  await pass(LEASE_MS);
  assert.equal(node.membership.nodeId, "n3");
  assert.equal(node.membership.alive(), true);
  assert.deepEqual(runtime.told, ["suspend", "rejoin", "suspend", "rejoin"]);
  assert.deepEqual(observer.nodes(), ["n3", "o"]);
});

test("joining that fails halfway leaves nobody behind who counts as alive", async (t) => {
  const { node, runtime, observer, pass, pause } = await scene(t);
  let failures = 2;
  runtime.answer = () =>
    failures-- > 0 ? Promise.reject(new UnavailableError("the broker is away")) : Promise.resolve();
  await pause(LEASE_MS * 2);
  await pass(LEASE_MS);
  assert.equal(node.membership.nodeId, "n4");
  await pass(LEASE_MS);
  assert.deepEqual(observer.nodes(), ["n4", "o"]);
});
