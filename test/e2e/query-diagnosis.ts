/** What the logs of a query say when it does not go on: for the message of a test that gives up. */
import { unpack } from "../../src/codec/msgpack.ts";
import type { LogStore } from "../../src/log/log.ts";
import { assignmentLog, commitLog, leaseLog, planLog } from "../../src/log/names.ts";

const SESSION = "e2e";
const QUERY = "counts";
const SHOWN_MAX = 700;

const tail = async (store: LogStore, name: string, count: number): Promise<string> => {
  const log = await store.open(name);
  const { first, last } = await log.bounds();
  const lines = [`${name}: ${first} to ${last}`];
  for (let at = Math.max(first, last - count + 1); at <= last; at++) {
    const record = await log.get(at as typeof last);
    if (record === undefined) continue;
    const text = JSON.stringify(unpack(record.payload), (_, v: unknown) =>
      typeof v === "bigint" ? v.toString() : v,
    );
    lines.push(`  ${at} ${text.slice(0, SHOWN_MAX)}`);
  }
  return lines.join("\n");
};

/** The newest records of the query's logs and of its group, and how many records wait in its mailboxes. */
export const diagnosis = async (store: LogStore): Promise<string> => {
  const parts = [
    await tail(store, leaseLog(SESSION), 16),
    await tail(store, assignmentLog(SESSION, QUERY), 1),
    await tail(store, planLog(SESSION, QUERY), 3),
    await tail(store, commitLog(SESSION, QUERY), 1),
  ];
  return parts.join("\n");
};
