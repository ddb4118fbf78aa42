// node expected.mjs EVENTS.jsonl : the row counts each query should give, computed in plain JS without any engine (in-order input)
import fs from "node:fs";
const buf = fs.readFileSync(process.argv[2]);
const hop = new Map(),
  lastBid = new Map(),
  maxPrice = new Map(),
  maxCount = new Map(),
  persons = new Set(),
  sellers = new Set(),
  auctions = new Set();
let q0 = 0,
  q2 = 0,
  q11 = 0;
for (let p = 0, q; p < buf.length; p = q + 1) {
  q = buf.indexOf(10, p);
  const e = JSON.parse(buf.utf8Slice(p, q));
  if (e.person) persons.add(e.person.id + "|" + Math.floor(e.person.dateTime / 10000));
  else if (e.auction) sellers.add(e.auction.seller + "|" + Math.floor(e.auction.dateTime / 10000));
  else {
    const b = e.bid,
      t = b.dateTime;
    q0++;
    auctions.add(b.auction);
    if (b.auction % 123 === 0) q2++;
    const w0 = Math.floor(t / 2000) * 2000;
    for (let w = w0; w > w0 - 10000; w -= 2000) {
      let m = hop.get(w);
      if (!m) hop.set(w, (m = new Map()));
      m.set(b.auction, (m.get(b.auction) ?? 0) + 1);
    }
    const l = lastBid.get(b.bidder);
    if (l === undefined || t - l >= 10000) q11++;
    lastBid.set(b.bidder, t);
    const k = Math.floor(t / 10000),
      m = maxPrice.get(k) ?? 0;
    if (b.price > m) {
      maxPrice.set(k, b.price);
      maxCount.set(k, 1);
    } else if (b.price === m) maxCount.set(k, maxCount.get(k) + 1);
  }
}
let q5 = 0,
  q7 = 0,
  q8 = 0;
for (const m of hop.values()) {
  const x = Math.max(...m.values());
  for (const v of m.values()) if (v === x) q5++;
}
for (const v of maxCount.values()) q7 += v;
for (const x of persons) if (sellers.has(x)) q8++;
console.log(JSON.stringify({ q0, q1: q0, q2, q5, q7, q8, q11, countKeys: auctions.size }));
