/**
 * The Yahoo Streaming Benchmark, catching up: JSON events of strings, views only, joined with their campaign, counted per campaign and ten seconds. Its UUIDs
 * are made from a seed; the result is compared with a count by a plain loop.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { field, STRING } from "../core/data-type.ts";
import { type Schema, schemaOf } from "../core/schema.ts";
import type { Row } from "../core/value.ts";
import { parseQuery } from "../sql/parser.ts";
import { inChild } from "./child.ts";
import type { Measured } from "./measure.ts";
import { JavaRandom } from "./nexmark/random.ts";
import { resultHash } from "./nexmark/result.ts";
import { type BenchOptions, type Flags, positive } from "./options.ts";
import { BLACKHOLE, runQuery, streamCatalog, withDirectory } from "./query-run.ts";
import { printReport } from "./report.ts";

export const YSB_FLAGS: Flags = {
  events: "events, 10 ms apart (default 200000)",
  partitions: "partitions of the count (default 2)",
};

const CAMPAIGNS = 100;
const ADS = 1000;
const IDS = 100;
const WINDOW_MS = 10_000;
const START_MS = 1_500_000_000_000;
const STEP_MS = 10;
const FILES = 8;
const AD_TYPES = ["banner", "modal", "sponsored-search", "mail", "mobile"];
const EVENT_TYPES = ["view", "click", "purchase"];
const COLUMNS = ["user_id", "page_id", "ad_id", "ad_type", "event_type", "event_time", "ip_address"];

const SQL = `SELECT A.campaign_id, window.start AS start, count(*) AS n
  FROM (SELECT ad_id, ts FROM views) V JOIN ads A ON V.ad_id = A.ad
  GROUP BY A.campaign_id, window(V.ts, '10 seconds')`;

interface Parameters {
  readonly events: number;
  readonly partitions: number;
}

interface Ysb extends Measured {
  readonly events: number;
  readonly rows: number;
  readonly hash: string;
  readonly correct: boolean;
}

const uuids = (random: JavaRandom, n: number): readonly string[] =>
  Array.from({ length: n }, () => {
    const hex = Array.from({ length: 32 }, () => random.below(16).toString(16)).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  });

interface Input {
  readonly ads: readonly Row[];
  readonly expected: readonly Row[];
}

const writeEvents = (directory: string, events: number): Input => {
  const random = new JavaRandom().seed(11);
  const [ads, campaigns] = [uuids(random, ADS), uuids(random, CAMPAIGNS)];
  const [users, pages] = [uuids(random, IDS), uuids(random, IDS)];
  const counts = new Map<string, Row>();
  const perFile = Math.ceil(events / FILES);
  const draw = <T>(from: readonly T[]): T => from[random.below(from.length)]!;
  const line = (time: number, ad: string, type: string): string =>
    `{"user_id":"${draw(users)}","page_id":"${draw(pages)}","ad_id":"${ad}","ad_type":"${draw(AD_TYPES)}","event_type":"${type}","event_time":"${time}","ip_address":"1.2.3.4"}\n`;
  for (let f = 0; f < FILES; f++) {
    let text = "";
    for (let i = f * perFile; i < Math.min(events, (f + 1) * perFile); i++) {
      const [time, ad, type] = [START_MS + i * STEP_MS, random.below(ADS), draw(EVENT_TYPES)];
      text += line(time, ads[ad]!, type);
      if (type !== "view") continue;
      const campaign = campaigns[ad % CAMPAIGNS]!;
      const start = Math.floor(time / WINDOW_MS) * WINDOW_MS;
      const key = `${campaign} ${start}`;
      counts.set(key, [campaign, start, Number(counts.get(key)?.[2] ?? 0) + 1]);
    }
    // A view of no campaign, a day later, closes the windows.
    if (f === FILES - 1) text += line(START_MS + events * STEP_MS + 86_400_000, "none", "view");
    writeFileSync(join(directory, `part-${f}.ndjson`), text);
  }
  return { ads: ads.map((ad, i) => [ad, campaigns[i % CAMPAIGNS]!]), expected: [...counts.values()] };
};

const EVENTS: Schema = schemaOf(COLUMNS.map((c) => field(c, STRING)));

export const measureYsb = (p: Parameters): Promise<Ysb> =>
  withDirectory(async (path) => {
    const { ads, expected } = writeEvents(path, p.events);
    const options = { path, maxFilesPerTrigger: "1" };
    const catalog = streamCatalog("events", { format: "ndjson", options, schema: EVENTS, pushed: [] });
    const views = parseQuery(
      "SELECT ad_id, timestamp_millis(CAST(event_time AS BIGINT)) AS ts FROM events WHERE event_type = 'view'",
    );
    const watermarked = { kind: "watermark", child: views, column: ["ts"], delayMs: 0 } as const;
    catalog.define({ name: "views", kind: "view", relation: watermarked });
    const schema = schemaOf([field("ad", STRING), field("campaign_id", STRING)]);
    catalog.define({ name: "ads", kind: "view", relation: { kind: "rows", schema, rows: ads } });
    const query = {
      name: "ysb",
      relation: parseQuery(SQL),
      catalog,
      mode: "append",
      partitions: p.partitions,
      durable: true,
    } as const;
    const { rows: _, epochs: __, ...measured } = await runQuery({ ...query, sink: BLACKHOLE });
    const result = resultHash((await runQuery(query)).rows);
    return { events: p.events, ...measured, ...result, correct: result.hash === resultHash(expected).hash };
  });

export const ysb = async (o: BenchOptions): Promise<number> => {
  const parameters = { events: positive(o, "events", 200_000), partitions: positive(o, "partitions", 2) };
  const got = await inChild<Ysb>("ysb", parameters);
  const row = { eventsPerSecond: Math.round(got.events / got.seconds), ...got };
  printReport({ bench: "ysb", settings: parameters, rows: [row] }, o.json, o.print);
  return got.correct ? 0 : 1;
};
