/**
 * Memory over event time: rows of many keys through a windowed count, windows closing all the time, as many rows as `--minutes` at `--rate` have. Time is
 * virtual and runs as fast as the rows are processed. Resident memory and heap are looked at after a garbage collection; what is there at the end must be within 20 % of what was there
 * at one third.
 */
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { LONG, field, TIMESTAMP } from "../../../src/core/data-type.ts";
import { schemaOf } from "../../../src/core/schema.ts";
import { LevelBackend } from "../../../src/state/level-backend.ts";
import { TestCluster } from "../../../src/testing/cluster.ts";
import { parseQuery } from "../../../src/sql/parser.ts";
import { BLACKHOLE, streamCatalog, withDirectory } from "../../../src/bench/query-run.ts";
import type { ReportRow } from "../../../src/bench/report.ts";

export interface HeapParameters {
  readonly minutes: number;
  readonly rate: number;
  readonly keys: number;
}

const WINDOW = "10 seconds";
const MB = 1024 * 1024;
/** Resident memory may grow by this part from one third to the end. */
const GROWTH_MAX = 0.2;
const collector = (): (() => void) => {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
};

const SQL = `SELECT window.start AS start, k, count(*) AS n
  FROM (SELECT (value * 7919) % {keys} AS k, timestamp FROM marked) GROUP BY window(timestamp, '${WINDOW}'), k`;

/** The rate source makes the rows while the clock, which is virtual, goes on by seconds: the production actors run under it. */
export const measureHeap = (p: HeapParameters): Promise<ReportRow> =>
  withDirectory(async (directory) => {
    const backend = await LevelBackend.open(join(directory, "state"));
    const cluster = new TestCluster({ backend: () => Promise.resolve(backend) });
    const schema = schemaOf([field("timestamp", TIMESTAMP), field("value", LONG)]);
    const options = { rowsPerSecond: String(p.rate), numPartitions: "1" };
    const catalog = streamCatalog("rows", { format: "rate", options, schema, pushed: [] });
    const child = parseQuery("SELECT * FROM rows");
    const relation = { kind: "watermark", child, column: ["timestamp"], delayMs: 1_000 } as const;
    catalog.define({ name: "marked", kind: "view", relation });
    await cluster.start({
      name: "heap",
      relation: parseQuery(SQL.replace("{keys}", String(p.keys))),
      catalog,
      outputMode: "append",
      trigger: { kind: "default" },
      sink: BLACKHOLE,
      partitions: 1,
    });
    const collect = collector();
    const look = (): readonly [number, number] => {
      collect();
      return [process.memoryUsage.rss() / MB, process.memoryUsage().heapUsed / MB];
    };
    let third: readonly [number, number] = [0, 0];
    let rows = 0;
    const seconds = p.minutes * 60;
    const from = performance.now();
    for (let s = 1; s <= seconds; s++) {
      await cluster.advanceTime(1_000);
      await cluster.processAllAvailable("heap");
      rows = s * p.rate;
      if (s === Math.ceil(seconds / 3)) third = look();
    }
    const took = (performance.now() - from) / 1000;
    const last = look();
    await cluster.close();
    const growth = last[0] / third[0] - 1;
    return {
      rows,
      keys: p.keys,
      rowsPerSecond: Math.round(rows / took),
      rssMbAtThird: Math.round(third[0]),
      rssMbAtEnd: Math.round(last[0]),
      heapMbAtThird: Math.round(third[1]),
      heapMbAtEnd: Math.round(last[1]),
      growth: Number(growth.toFixed(3)),
      passed: growth <= GROWTH_MAX,
    };
  });
