/** PROTOCOL section 5, 8: sums of doubles are bit for bit the same for live and restored state, in any number of partitions, through kills, at any memory. */
import { test } from "node:test";
import assert from "node:assert/strict";
import { schema, t } from "../../src/index.ts";
import { MemorySink } from "../../src/connectors/memory-sink.ts";
import { session } from "../../src/api/session.ts";
import { TestCluster } from "../../src/testing/cluster.ts";
import { seededRandom } from "../../src/testing/simulation.ts";

/** Values whose sum depends on the order of additions. */
const rows = (() => {
  const random = seededRandom(7);
  const huge = [1e16, -1e16, 3e15, -3e15, 1e-3, 0.1, 0.7, 1e8 / 3];
  return Array.from({ length: 400 }, (_, i) => ({
    k: "abcde"[Math.floor(random() * 5)]!,
    x: huge[Math.floor(random() * huge.length)]! * (1 + random()),
    ts: new Date(1_000_000 + i * 100),
  }));
})();

const SQL =
  "SELECT k, sum(x) AS s, avg(x) AS a, stddev(x) AS d, corr(x, x * 0.3) AS c, min_by(x, ts) AS m, collect_list(x) AS l FROM t GROUP BY k";

interface How {
  readonly partitions: number;
  readonly nodes?: number;
  /** What happens after an epoch. */
  readonly fault?: "kept" | "lost" | "rescale";
  readonly mailboxMaxBytes?: number;
}

const run = async ({ partitions, nodes = 1, fault, mailboxMaxBytes }: How): Promise<readonly string[]> => {
  const mill = session({ name: "test" });
  const input = mill.memorySource(schema({ k: t.string, x: t.double, ts: t.timestamp }));
  mill.readStream.memory(input).createTempView("t");
  const sink = new MemorySink();
  const settings = { snapshotIntervalMs: 0, ...(mailboxMaxBytes === undefined ? {} : { mailboxMaxBytes }) };
  const cluster = new TestCluster({ partitions, nodes, settings });
  const writer = mill.sql(SQL).writeStream as unknown as {
    handle(h: unknown): { format(f: string): { request(): Parameters<TestCluster["start"]>[0] } };
  };
  await cluster.start({
    ...writer.handle(sink).format("memory").request(),
    name: "q",
    outputMode: "complete",
  });
  for (let at = 0, round = 0; at < rows.length; at += 80, round++) {
    await input.addData(rows.slice(at, at + 80));
    await cluster.processAllAvailable("q");
    if (fault === "rescale") await (await cluster.query("q")).rescale(1 + (round % 3));
    else if (fault !== undefined) {
      await cluster.kill(0, fault);
      await cluster.restart(0);
    }
  }
  await cluster.processAllAvailable("q");
  await cluster.close();
  const bits = (v: unknown): unknown =>
    typeof v === "number"
      ? Buffer.from(new Float64Array([v]).buffer).toString("hex")
      : Array.isArray(v)
        ? v.map(bits)
        : v;
  return sink
    .rows()
    .map((r) => JSON.stringify(bits([...r])))
    .sort();
};

test("double sums, averages, deviations and lists are the same bits live, restored, rescaled and in any partitions", async () => {
  const plain = await run({ partitions: 1 });
  assert.equal(plain.length, 5);
  const ways: readonly How[] = [
    { partitions: 3 },
    { partitions: 3, nodes: 2 },
    { partitions: 1, fault: "kept" },
    { partitions: 3, fault: "kept" },
    { partitions: 3, fault: "lost" },
    { partitions: 2, fault: "rescale" },
    { partitions: 3, mailboxMaxBytes: 2_000 },
  ];
  for (const how of ways) assert.deepEqual(await run(how), plain, JSON.stringify(how));
});

test("planted: another order of additions gives other bits", () => {
  const sum = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0);
  const xs = rows.filter((r) => r.k === "a").map((r) => r.x);
  assert.notEqual(sum(xs), sum([...xs].reverse()));
});
