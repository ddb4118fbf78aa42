/**
 * `make demo-nats`: exactly once on a real nats-server and three nodes. While the query runs, one node is killed with SIGKILL; the others take its actors
 * over; then every window is compared with one counted independently.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connect, type NatsConnection } from "nats";
import { type DemoBroker, startBroker } from "./broker.ts";
import {
  announce,
  compare,
  expectedWindows,
  lastEvent,
  makeEvents,
  tableOf,
  type WindowRow,
} from "./events.ts";
import { NodeProcess, waitFor } from "./node-process.ts";

const EVENTS = 100_000;
const KEYS = 5;
const NODES = 3;
const PARTITIONS = 6;
const KILL_AFTER_ROWS = 100;
const SETTLE_MS = 500;
const app = fileURLToPath(new URL("nats-queries.ts", import.meta.url));

const folder = mkdtempSync(join(tmpdir(), "millrace-demo-nats-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

const events = makeEvents(EVENTS, KEYS);
const expected = expectedWindows(events);

/** Publishes in blocks, so that the query is busy when a node dies; the stream's own acknowledgements are awaited. */
const publish = async (nc: NatsConnection): Promise<void> => {
  const js = nc.jetstream();
  const all = [...events, lastEvent(events)];
  for (let i = 0; i < all.length; i += 500)
    await Promise.all(
      all
        .slice(i, i + 500)
        .map((e) => js.publish("events.demo", JSON.stringify({ ...e, at: new Date(e.at).toISOString() }))),
    );
};

const written = async (nc: NatsConnection): Promise<number> =>
  (await (await nc.jetstreamManager()).streams.info("WINDOWS")).state.messages;

const readWindows = async (nc: NatsConnection): Promise<WindowRow[]> => {
  const rows: WindowRow[] = [];
  const wanted = await written(nc);
  const consumer = await nc.jetstream().consumers.get("WINDOWS");
  while (rows.length < wanted)
    for await (const m of await consumer.fetch({ max_messages: wanted - rows.length, expires: 2_000 }))
      rows.push(m.json<WindowRow>());
  return rows;
};

const startNode = (broker: DemoBroker, n: number): NodeProcess =>
  new NodeProcess([
    ...["run", app, "--nats", broker.url, "--data", join(folder, `node-${n}`)],
    ...["--port", "0", "--partitions", String(PARTITIONS)],
  ]);

const demo = async (broker: DemoBroker, nc: NatsConnection): Promise<boolean> => {
  const jsm = await nc.jetstreamManager();
  await jsm.streams.add({ name: "EVENTS", subjects: ["events.>"] });
  await jsm.streams.add({ name: "WINDOWS", subjects: ["windows.>"] });
  const nodes = Array.from({ length: NODES }, (_, n) => startNode(broker, n + 1));
  try {
    await waitFor("the start of the nodes", nodes, () => nodes.every((n) => n.url !== undefined));
    console.log(`${broker.program} on ${broker.url}; ${NODES} nodes:`);
    for (const n of nodes) console.log(`  node ${n.pid}: ${n.url}/  metrics: ${n.url}/metrics`);
    const published = publish(nc);
    await waitFor("the first windows", nodes, async () => (await written(nc)) >= KILL_AFTER_ROWS);
    const [victim, ...others] = nodes as [NodeProcess, ...NodeProcess[]];
    await victim.end("SIGKILL");
    const killedAt = performance.now();
    console.log(
      `node ${victim.pid} killed with SIGKILL after ${await written(nc)} of ${expected.size} windows`,
    );
    await published;
    await waitFor("the remaining windows", others, async () => (await written(nc)) >= expected.size);
    console.log(`the others finished ${((performance.now() - killedAt) / 1000).toFixed(1)} s later`);
    // Something doubled would still be on its way.
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  } finally {
    await Promise.all(nodes.map((n) => n.end("SIGTERM")));
  }
  const rows = await readWindows(nc);
  console.log(`\n${tableOf(rows, 8, KEYS)}\n…\n`);
  return announce(compare(expected, rows), `${NODES} nodes on NATS, one killed with kill -9`);
};

const broker = await startBroker(folder);
const nc = await connect({ servers: broker.url });
try {
  process.exitCode = (await demo(broker, nc)) ? 0 : 1;
} finally {
  await nc.close();
  await broker.stop();
}
