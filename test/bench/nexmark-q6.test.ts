/** Nexmark q6, which has no golden result, against a plain loop over the same events; in and out of order, over partitions and after a kill. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { nexmarkFiles, type NexmarkParameters } from "../../src/bench/nexmark/data.ts";
import { resultHash } from "../../src/bench/nexmark/result.ts";
import { type NexmarkRun, runNexmark } from "../../src/bench/nexmark/run.ts";
import { PLAIN_RUN } from "../support/nexmark-runs.ts";
import { removeTemporary, temporaryDirectory } from "../support/temporary.ts";

let root: string;
before(() => void (root = temporaryDirectory()));
after(() => removeTemporary(root));

interface Auction {
  readonly id: number;
  readonly seller: number;
  readonly dateTime: number;
  readonly expires: number;
}
interface Bid {
  readonly auction: number;
  readonly price: number;
  readonly dateTime: number;
}
type Event = { readonly auction?: Auction; readonly bid?: Bid };

const LAST = 10;

/** Rows (seller, auction, average, closing time). */
const expected = (parts: string): number[][] => {
  const events = readdirSync(parts)
    .flatMap((f) => readFileSync(join(parts, f), "utf8").split("\n"))
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Event);
  const auctions = events.flatMap((e) => e.auction ?? []);
  const best = new Map<number, Bid>();
  const byId = new Map(auctions.map((a) => [a.id, a]));
  for (const b of events.flatMap((e) => e.bid ?? []).sort((x, y) => x.dateTime - y.dateTime)) {
    const a = byId.get(b.auction);
    const open = a !== undefined && b.dateTime >= a.dateTime && b.dateTime <= a.expires;
    if (open && b.price > (best.get(a.id)?.price ?? -1)) best.set(a.id, b);
  }
  const prices = new Map<number, number[]>();
  return auctions
    .filter((a) => best.has(a.id))
    .sort((a, b) => a.expires - b.expires || a.id - b.id)
    .map((a) => {
      const last = [...(prices.get(a.seller) ?? []), best.get(a.id)!.price].slice(-LAST);
      prices.set(a.seller, last);
      return [a.seller, a.id, Math.round(last.reduce((x, y) => x + y) / last.length), a.expires];
    });
};

for (const group of [1, 100])
  test(`q6 is what a loop over the events gives, in groups of ${group}`, async () => {
    const data: NexmarkParameters = { events: 10_000, delayUs: 10_000, group };
    const files = nexmarkFiles(root, data);
    const wanted = resultHash(expected(files.parts));
    assert.ok(wanted.rows > 200, String(wanted.rows));
    const places: readonly Partial<NexmarkRun>[] = [
      {},
      { partitions: 3 },
      { durable: true, kill: "lost", partitions: 2 },
    ];
    for (const more of places) {
      const { result } = await runNexmark({
        query: "q6",
        data,
        files,
        ...PLAIN_RUN,
        ...more,
      });
      assert.deepEqual(result, wanted, JSON.stringify(more));
    }
  });
