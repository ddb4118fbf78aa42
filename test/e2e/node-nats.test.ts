/** Nodes on NATS, as processes: a server that is away, wrong credentials, several nodes, commands through --nats, a node that is killed or paused. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { connect, type NatsConnection } from "nats";
import { type Broker, brokers, startBroker } from "../support/broker.ts";
import { type Process, repository } from "../support/process.ts";
import {
  millrace,
  NodeBed,
  type Row,
  rowsBetween,
  sorted,
  until,
  type WindowRow,
  windowsOf,
} from "./node-bed.ts";

const noBroker = brokers().length === 0 ? { skip: "no nats-server (make brokers)" } : {};
const START_MS = Date.parse("2024-01-01T00:00:00Z");

const APPLICATION = `
import { session, schema, t, window, count, sum } from ${JSON.stringify(`${repository}/src/index.ts`)};
const mill = session({ name: "bed" });
await mill.readStream.format("nats").option("stream", "IN").schema(schema({ k: t.string, v: t.long, ts: t.timestamp })).load()
  .withWatermark("ts", "5 seconds")
  .groupBy((c) => [window(c.ts, "10 seconds"), c.k]).agg((c) => ({ n: count(), total: sum(c.v) }))
  .select((c) => ({ start: c.window.start, k: c.k, n: c.n, total: c.total }))
  .writeStream.queryName("counts").outputMode("append").format("nats").option("subject", "out.counts").start();
console.log("up " + process.pid);
`;

class NatsBed extends NodeBed {
  readonly broker: Broker;
  readonly nc: NatsConnection;

  private constructor(t: TestContext, broker: Broker, nc: NatsConnection) {
    super(t);
    this.broker = broker;
    this.nc = nc;
    this.writeApp("nats.ts", APPLICATION);
  }

  static async open(t: TestContext): Promise<NatsBed> {
    const broker = await startBroker({ t });
    const nc = await connect({ servers: broker.url });
    t.after(() => nc.close());
    const jsm = await nc.jetstreamManager();
    await jsm.streams.add({ name: "IN", subjects: ["in.>"] });
    await jsm.streams.add({ name: "OUT", subjects: ["out.>"] });
    return new NatsBed(t, broker, nc);
  }

  node(...flags: string[]): Process {
    return this.start(["--nats", this.broker.url, "--lease-ms", "1000", ...flags], "nats.ts");
  }

  async publish(rows: readonly Row[]): Promise<void> {
    const js = this.nc.jetstream();
    const text = ({ k, v, s }: Row): string =>
      JSON.stringify({ k, v, ts: new Date(START_MS + s * 1000).toISOString() });
    for (const row of rows.slice(0, -1)) this.nc.publish("in.a", text(row));
    // What one connection sends is stored in order: with the last one all are there.
    await js.publish("in.a", text(rows.at(-1)!));
  }

  async output(): Promise<WindowRow[]> {
    const { messages } = (await (await this.nc.jetstreamManager()).streams.info("OUT")).state;
    const rows: WindowRow[] = [];
    const jsm = await this.nc.jetstreamManager();
    for (let seq = 1; seq <= messages; seq++)
      rows.push((await jsm.streams.getMessage("OUT", { seq })).json<WindowRow>());
    return rows;
  }

  async untilOutput(count: number, node: Process): Promise<void> {
    const jsm = await this.nc.jetstreamManager();
    const enough = async (): Promise<boolean> => (await jsm.streams.info("OUT")).state.messages >= count;
    await until(enough, `${count} rows published`, node);
  }
}

test("two nodes; the leader is killed; a third one joins; each window once", noBroker, async (t) => {
  const bed = await NatsBed.open(t);
  await bed.publish(rowsBetween(0, 500));
  const first = bed.node();
  await bed.untilOutput(windowsOf(rowsBetween(0, 500)).length, first);
  const second = bed.node();
  await second.waitFor(/up \d+/);
  await first.kill("SIGKILL");
  await bed.publish(rowsBetween(500, 1000));
  await bed.untilOutput(windowsOf(rowsBetween(0, 1000)).length, second);
  const third = bed.node();
  await third.waitFor(/up \d+/);
  assert.equal((await second.kill("SIGTERM")).code, 0);
  await bed.publish(rowsBetween(1000, 1500));
  const expected = windowsOf(rowsBetween(0, 1500));
  await bed.untilOutput(expected.length, third);
  const ls = await millrace(["ls", "--nats", bed.broker.url, "--json"]);
  assert.deepEqual(
    (JSON.parse(ls.stdout) as { name: string; state: string }[]).map((q) => [q.name, q.state]),
    [["counts", "active"]],
  );
  const stopped = await millrace(["stop", "counts", "--nats", bed.broker.url]);
  assert.deepEqual([stopped.code, /counts: stopped/.test(stopped.stdout)], [0, true], stopped.stderr);
  assert.equal((await third.ended).code, 0);
  assert.deepEqual(sorted(await bed.output()), expected);
});

test(
  "a node that was paused past its lease while another took over writes nothing twice",
  noBroker,
  async (t) => {
    const bed = await NatsBed.open(t);
    await bed.publish(rowsBetween(0, 500));
    const first = bed.node();
    await bed.untilOutput(windowsOf(rowsBetween(0, 500)).length, first);
    const second = bed.node();
    await second.waitFor(/up \d+/);
    await first.pause();
    await bed.publish(rowsBetween(500, 1000));
    await bed.untilOutput(windowsOf(rowsBetween(0, 1000)).length, second);
    first.resume();
    await first.waitFor(/joined again/);
    await bed.publish(rowsBetween(1000, 1500));
    const expected = windowsOf(rowsBetween(0, 1500));
    await bed.untilOutput(expected.length, first);
    for (const node of [second, first]) assert.equal((await node.kill("SIGTERM")).code, 0);
    assert.deepEqual(sorted(await bed.output()), expected);
  },
);

test("a server that is away is waited for, with a line that says so", noBroker, async (t) => {
  const broker = await startBroker({ t });
  await broker.kill();
  const bed = new NodeBed(t);
  bed.writeApp("nats.ts", APPLICATION);
  const node = bed.start(["--nats", broker.url], "nats.ts");
  await node.waitFor(/NATS at \S+ cannot be reached \(.*\); trying again/);
  await broker.restart();
  await node.waitFor(/Connected to NATS/);
  const nc = await connect({ servers: broker.url });
  t.after(() => nc.close());
  const jsm = await nc.jetstreamManager();
  await jsm.streams.add({ name: "IN", subjects: ["in.>"] });
  await jsm.streams.add({ name: "OUT", subjects: ["out.>"] });
  await node.waitFor(/up \d+/);
  const end = await node.kill("SIGTERM");
  assert.equal(end.code, 0, end.stderr);
  assert.doesNotMatch(end.stderr, /\n\s+at .*:\d+:\d+\)/);
});

test("wrong credentials fail at once and say so", noBroker, async (t) => {
  const broker = await startBroker({ t, auth: { user: "u", password: "p" } });
  const bed = new NodeBed(t);
  bed.writeApp("nats.ts", APPLICATION);
  const { host } = new URL(broker.url);
  const started = performance.now();
  const end = await bed.start(["--nats", `nats://u:wrong@${host}`], "nats.ts").ended;
  assert.equal(end.code, 1, end.stderr);
  assert.match(end.stderr, /refuses the credentials/);
  assert.doesNotMatch(end.stderr, /wrong|\n\s+at .*:\d+:\d+\)/);
  assert.ok(performance.now() - started < 60_000);
});

test("a query without a name is refused on NATS", noBroker, async (t) => {
  const bed = await NatsBed.open(t);
  bed.writeApp("nats.ts", APPLICATION.replace('.queryName("counts")', ""));
  const end = await bed.node().ended;
  assert.equal(end.code, 2, end.stderr);
  assert.match(end.stderr, /needs a name/);
});

test(
  "explain says which fence the sink uses where it writes, before and while the query runs",
  noBroker,
  async (t) => {
    const bed = await NatsBed.open(t);
    const fenceIn = (text: string): string => /Sink nats: [^\n]*/.exec(text)?.[0] ?? text;
    const explained = async (): Promise<string> => {
      const app = join(bed.folder, "nats.ts");
      const { stdout, stderr } = await millrace(["explain", app, "--nats", bed.broker.url]);
      return fenceIn(stdout + stderr);
    };
    // OUT stores other subjects too and knows no batches.
    assert.equal(await explained(), "Sink nats: fence: expected last subject sequence, one in flight");
    const jsm = await bed.nc.jetstreamManager();
    await jsm.streams.update("OUT", { subjects: ["out.counts"] });
    const own = "Sink nats: fence: own stream, predicted last sequence, pipelined";
    assert.equal(await explained(), own);
    const node = bed.node();
    await node.waitFor(/up \d+/);
    const url = (await node.waitFor(/HTTP on (http:[^\s"]+)/))[1]!;
    const plan = async (): Promise<string> => {
      const answer = (await (await fetch(`${url}/api/queries/counts/plan`)).json()) as { plan: string };
      return fenceIn(answer.plan);
    };
    await until(async () => (await plan()) === own, "the running query tells its fence", node);
    assert.equal((await node.kill("SIGTERM")).code, 0);
  },
);
