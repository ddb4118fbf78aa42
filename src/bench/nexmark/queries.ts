/**
 * The Nexmark queries as Millrace SQL over the views `person`, `auction` and `bid` of one stream of events (views.ts). Columns and their order are those of
 * golden/nexmark.json.
 *
 * Queries in update mode give a row again when it changes; `key` names the columns by which the last one is the result.
 */
import type { OutputMode } from "../../connectors/sink.ts";
import type { Relation } from "../../plan/relation.ts";
import { parseQuery } from "../../sql/parser.ts";
import { averageOfClosed } from "./closed-auctions.ts";

export interface NexmarkQuery {
  readonly sql: string;
  readonly mode: OutputMode;
  /** Columns that name a result row; absent where rows are final. */
  readonly key?: readonly number[];
  /** Why the result cannot be compared with a golden one. */
  readonly unchecked?: string;
  /** What sets it apart from the query of that name elsewhere. */
  readonly note?: string;
  /** What is above the SQL. */
  readonly above?: (rows: Relation) => Relation;
}

const append = (sql: string): NexmarkQuery => ({ sql, mode: "append" });
const update = (key: readonly number[], sql: string): NexmarkQuery => ({ sql, mode: "update", key });

/** Counts by price range of q15, q16 and q17: all, below 10,000, up to 1,000,000, above. */
const RANKS = [
  "",
  " FILTER (WHERE price < 10000)",
  " FILTER (WHERE price >= 10000 AND price < 1000000)",
  " FILTER (WHERE price >= 1000000)",
];
const ranked = (call: string, name: string): string =>
  RANKS.map((r, i) => `${call}${r} AS ${name}${i}`).join(", ");
const DAY = "date_format(dateTime, 'yyyy-MM-dd')";

/** Stands for the seconds that no auction outlasts; `nexmarkQuery` puts the data's in. */
const LASTS_SECONDS = "999999999";
/** A window that holds all the data: what it gives is given when the input ends. */
const ALL_TIME = "window(dateTime, '36500 days')";

/** An auction's bids while it was open. The constant bound is implied by how long auctions last; it lets the join forget. */
const BIDS_IN_TIME = `auction A JOIN bid B ON A.id = B.auction AND B.dateTime BETWEEN A.dateTime AND A.expires
  AND B.dateTime <= A.dateTime + INTERVAL ${LASTS_SECONDS} SECONDS`;

/** The best bid of every auction: highest price, then earliest. */
const WINNING = `SELECT A.id, A.itemName, A.category, A.seller, B.auction, B.bidder, B.price, B.dateTime AS bidTime,
    row_number() OVER (PARTITION BY A.id ORDER BY B.price DESC, B.dateTime) AS rn
  FROM ${BIDS_IN_TIME}`;

const QUERIES: Readonly<Record<string, NexmarkQuery>> = {
  q0: append("SELECT auction, bidder, price, dateTime, extra FROM bid"),
  q1: append(
    "SELECT auction, bidder, CAST(0.908 * price AS DECIMAL(23, 3)) AS price, dateTime, extra FROM bid",
  ),
  q2: append("SELECT auction, price FROM bid WHERE auction % 123 = 0"),
  q3: append(`SELECT P.name, P.city, P.state, A.id FROM auction A JOIN person P ON A.seller = P.id
    WHERE A.category = 10 AND P.state IN ('OR', 'ID', 'CA')`),
  // An average over all auctions is known when the input ends.
  q4: append(`SELECT category, sum(final) AS s, count(*) AS n
    FROM (SELECT max(B.price) AS final, A.category, A.id, A.dateTime FROM ${BIDS_IN_TIME} GROUP BY A.id, A.category, A.dateTime)
    GROUP BY category, ${ALL_TIME}`),
  q5: append(`SELECT auction, num, start
    FROM (SELECT auction, num, window.start AS start, rank() OVER (PARTITION BY window ORDER BY num DESC) AS rk
      FROM (SELECT auction, count(*) AS num, window FROM bid GROUP BY auction, window(dateTime, '10 seconds', '2 seconds')))
    WHERE rk = 1`),
  q6: {
    ...append(`SELECT A.seller, A.id, B.price, B.dateTime AS bidTime, A.expires FROM ${BIDS_IN_TIME}`),
    above: averageOfClosed,
    note: "by transformWithState over the bids of open auctions",
  },
  q6_win: {
    ...update([1], `SELECT seller, id, price, bidTime FROM (${WINNING}) WHERE rn <= 1`),
    note: "the winning bids that q6 averages",
  },
  q7: append(`SELECT auction, bidder, price, dateTime, extra
    FROM (SELECT *, rank() OVER (PARTITION BY window(dateTime, '10 seconds') ORDER BY price DESC) AS rk FROM bid)
    WHERE rk = 1`),
  q7_flink_literal: append(`SELECT B.auction, B.price, B.bidder, B.dateTime, B.extra
    FROM bid B JOIN (SELECT max(price) AS maxprice, window.end AS until FROM bid GROUP BY window(dateTime, '10 seconds')) M
      ON B.price = M.maxprice
    WHERE B.dateTime BETWEEN M.until - INTERVAL 10 SECONDS AND M.until`),
  q8: append(`SELECT P.id, P.name, P.window.start AS start
    FROM (SELECT id, name, window FROM person GROUP BY id, name, window(dateTime, '10 seconds')) P
    JOIN (SELECT seller, window FROM auction GROUP BY seller, window(dateTime, '10 seconds')) A
      ON P.id = A.seller AND P.window = A.window`),
  q9: update(
    [0],
    `SELECT id, itemName, category, seller, auction, bidder, price, bidTime FROM (${WINNING}) WHERE rn <= 1`,
  ),
  q10: append(
    `SELECT auction, bidder, price, dateTime, extra, ${DAY} AS dt, date_format(dateTime, 'HH:mm') AS hm FROM bid`,
  ),
  q11: append(`SELECT bidder, count(*) AS c, session_window.start AS st, session_window.end AS en
    FROM bid GROUP BY bidder, session_window(dateTime, '10 seconds')`),
  q12: {
    sql: `SELECT bidder, count(*) AS c, window.start AS st
      FROM (SELECT bidder, current_timestamp() AS at FROM bid) GROUP BY bidder, window(at, '10 seconds')`,
    mode: "update",
    key: [0, 2],
    unchecked: "processing time",
    note: "processing time: runs, and its result is not compared",
  },
  q13: append(`SELECT B.auction, B.bidder, B.price, B.dateTime, S.value
    FROM bid B JOIN side_input S ON B.auction % 10000 = S.key`),
  q14: append(`SELECT auction, bidder, 0.908 * price AS price,
      CASE WHEN hour(dateTime) BETWEEN 8 AND 18 THEN 'dayTime'
        WHEN hour(dateTime) <= 6 OR hour(dateTime) >= 20 THEN 'nightTime' ELSE 'otherTime' END AS bidTimeType,
      dateTime, extra, length(extra) - length(replace(extra, 'c', '')) AS c_counts
    FROM bid WHERE 0.908 * price > 1000000 AND 0.908 * price < 50000000`),
  q15: update(
    [0],
    `SELECT ${DAY} AS day, ${ranked("count(*)", "n")}, ${ranked("count(DISTINCT bidder)", "b")},
      ${ranked("count(DISTINCT auction)", "a")} FROM bid GROUP BY ${DAY}`,
  ),
  q16: update(
    [0, 1],
    `SELECT channel, ${DAY} AS day, max(date_format(dateTime, 'HH:mm')) AS minute, ${ranked("count(*)", "n")},
      ${ranked("count(DISTINCT bidder)", "b")}, ${ranked("count(DISTINCT auction)", "a")} FROM bid GROUP BY channel, ${DAY}`,
  ),
  q17: update(
    [0, 1],
    `SELECT auction, ${DAY} AS day, ${ranked("count(*)", "n")}, min(price) AS lo, max(price) AS hi, sum(price) AS s
      FROM bid GROUP BY auction, ${DAY}`,
  ),
  q18: update(
    [0, 1],
    `SELECT auction, bidder, price, channel, url, dateTime, extra
      FROM (SELECT *, row_number() OVER (PARTITION BY bidder, auction ORDER BY dateTime DESC) AS rn FROM bid) WHERE rn <= 1`,
  ),
  // How many bids are a pair's last, ties counted: known when the input ends.
  q18_ties: append(`SELECT count(*) AS n
    FROM (SELECT dateTime, rank() OVER (PARTITION BY bidder, auction, ${ALL_TIME} ORDER BY dateTime DESC) AS rk FROM bid)
    WHERE rk = 1 GROUP BY ${ALL_TIME}`),
  q19: update(
    [0, 2],
    `SELECT auction, price, rn
      FROM (SELECT *, row_number() OVER (PARTITION BY auction ORDER BY price DESC) AS rn FROM bid) WHERE rn <= 10`,
  ),
  q20: append(`SELECT B.auction, B.bidder, B.price, B.channel, B.url, B.dateTime, B.extra, A.itemName, A.description, A.initialBid,
      A.reserve, A.dateTime AS auctionTime, A.expires, A.seller, A.category, A.extra AS auctionExtra
    FROM bid B JOIN auction A ON B.auction = A.id WHERE A.category = 10`),
  q21: append(`SELECT auction, bidder, price, channel,
      CASE lower(channel) WHEN 'apple' THEN '0' WHEN 'google' THEN '1' WHEN 'facebook' THEN '2' WHEN 'baidu' THEN '3'
        ELSE regexp_extract(url, '(&|^)channel_id=([^&]*)', 2) END AS channel_id
    FROM bid WHERE url RLIKE '(&|^)channel_id=([^&]*)' OR lower(channel) IN ('apple', 'google', 'facebook', 'baidu')`),
  q22: append(`SELECT auction, bidder, price, channel, split_part(url, '/', 4) AS dir1, split_part(url, '/', 5) AS dir2,
      split_part(url, '/', 6) AS dir3 FROM bid`),
  q23: append(`SELECT B.bidder, B.price, B.channel, B.url, B.extra, P.id, P.name, A.itemName, A.id, A.seller, A.category
    FROM bid B JOIN person P ON P.id = B.bidder JOIN auction A ON A.seller = B.bidder`),
  /** Not of Nexmark: the running count of bids per auction that peers are compared by. */
  count: update([0], "SELECT auction, count(*) AS n FROM bid GROUP BY auction"),
};

/** Auctions last at most twice the time of this many events. */
const HORIZON_EVENTS = 1667;

export const NEXMARK_QUERY_NAMES: readonly string[] = Object.keys(QUERIES);

/** A query by name over data with `delayUs` microseconds between events. */
export const nexmarkQuery = (name: string, delayUs: number): NexmarkQuery => {
  const found = Object.hasOwn(QUERIES, name) ? QUERIES[name] : undefined;
  if (found === undefined)
    throw new Error(`there is no Nexmark query ${name}; known: ${NEXMARK_QUERY_NAMES.join(", ")}`);
  const seconds = String(Math.ceil((2 * HORIZON_EVENTS * delayUs) / 1e6) + 1);
  return { ...found, sql: found.sql.replaceAll(LASTS_SECONDS, seconds) };
};

export const nexmarkRelation = (name: string, delayUs: number): Relation => {
  const { sql, above } = nexmarkQuery(name, delayUs);
  const rows = parseQuery(sql);
  return above === undefined ? rows : above(rows);
};
