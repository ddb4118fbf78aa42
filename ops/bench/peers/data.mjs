// node data.mjs EVENTS [OUTDIR]    default OUTDIR: .work/data/n<EVENTS> beside this file
// Writes Nexmark events as JSON lines, one {"person":{..}} | {"auction":{..}} | {"bid":{..}} a line (bids with channel and url):
//   events.jsonl         all events in order
//   parts/part-NNN.json  the same, contiguous files (250,000 events each; 4 files for small sets), the last one followed by
//                        3 far-future events so that a watermark closes every window             (Spark: one file = one micro-batch)
//   rr/rr-0.json, rr-1   the same, line i in file i mod 2, so two readers advance in event time together   (Flink, Bytewax)
//   meta.json            counts, bytes and crc32 of events.jsonl
// Event time: 100 us between events, no disorder (delayUs=100, group=1).
import fs from "node:fs";
import path from "node:path";
import zlib from "node:zlib";
import { fileURLToPath } from "node:url";
import { Gen, JRandom } from "./nexgen.mjs";

const N = Number(process.argv[2]);
if (!(N > 0)) {
  console.error("usage: node data.mjs EVENTS [OUTDIR]");
  process.exit(2);
}
const here = path.dirname(fileURLToPath(import.meta.url));
const dir = process.argv[3] ?? path.join(here, ".work", "data", `n${N}`);
const KNOWN = { 2000000: { crc32: "e7d39b68", bytes: 558584987 } }; // the reference set

// channel and url of bids: 10,000 cold channels with precomputed urls and 4 hot ones
const HOT = ["Google", "Facebook", "Baidu", "Apple"];
const ur = new JRandom();
const word = (r) => {
  const len = 3 + r.nextInt(2);
  let s = "";
  for (let i = 0; i < len; i++) s += r.nextInt(13) === 0 ? "_" : String.fromCharCode(97 + r.nextInt(26));
  return s;
};
const base = (r) => `https://www.nexmark.com/${word(r)}/${word(r)}/${word(r)}/item.htm?query=1`;
const reverseBits = (i) => {
  let x = i;
  x = ((x >>> 1) & 0x55555555) | ((x & 0x55555555) << 1);
  x = ((x >>> 2) & 0x33333333) | ((x & 0x33333333) << 2);
  x = ((x >>> 4) & 0x0f0f0f0f) | ((x & 0x0f0f0f0f) << 4);
  x = ((x >>> 8) & 0x00ff00ff) | ((x & 0x00ff00ff) << 8);
  return (x >>> 16) | (x << 16) | 0;
};
const URLS = Array.from({ length: 10000 }, (_, i) => {
  const r = ur.seed(i + 1000000);
  let u = base(r);
  if (r.nextInt(10) > 0) u += "&channel_id=" + Math.abs(reverseBits(i));
  return u;
});
const HOT_URLS = HOT.map((_, i) => base(ur.seed(i + 2000000)));

const gen = new Gen({ delayUs: 100, group: 1 });
function event(i) {
  const e = gen.event(i);
  if (e.bid) {
    const r = gen.r,
      b = e.bid;
    let channel, url;
    if (r.nextInt(2) > 0) {
      const k = r.nextInt(4);
      channel = HOT[k];
      url = HOT_URLS[k];
    } else {
      const k = r.nextInt(10000);
      channel = "channel-" + k;
      url = URLS[k];
    }
    e.bid = {
      auction: b.auction,
      bidder: b.bidder,
      price: b.price,
      channel,
      url,
      dateTime: b.dateTime,
      extra: b.extra,
    };
  }
  return e;
}

fs.rmSync(dir, { recursive: true, force: true });
for (const d of ["parts", "rr"]) fs.mkdirSync(path.join(dir, d), { recursive: true });
const all = fs.openSync(path.join(dir, "events.jsonl"), "w");
const rr = [0, 1].map((k) => fs.openSync(path.join(dir, "rr", `rr-${k}.json`), "w"));
const perPart = Math.ceil(N / Math.max(4, Math.round(N / 250000)));
const counts = { person: 0, auction: 0, bid: 0 };
let crc = 0,
  bytes = 0,
  part = -1,
  partFd = -1,
  lines = [],
  halves = [[], []];
function flush() {
  if (!lines.length) return;
  const b = Buffer.from(lines.join(""));
  crc = zlib.crc32(b, crc);
  bytes += b.length;
  fs.writeSync(all, b);
  fs.writeSync(partFd, b);
  for (const k of [0, 1]) fs.writeSync(rr[k], halves[k].join(""));
  lines = [];
  halves = [[], []];
}
for (let i = 0; i < N; i++) {
  const p = Math.floor(i / perPart);
  if (p !== part) {
    flush();
    if (partFd >= 0) fs.closeSync(partFd);
    part = p;
    partFd = fs.openSync(path.join(dir, "parts", `part-${String(p).padStart(3, "0")}.json`), "w");
  }
  const e = event(i);
  for (const t in counts) if (e[t]) counts[t]++;
  const s = JSON.stringify(e) + "\n";
  lines.push(s);
  halves[i & 1].push(s);
  if (lines.length >= 10000) flush();
}
flush();
const t = 1436918400000 + 2 * 86400000; // two days later
for (const e of [
  {
    person: {
      id: 1,
      name: "x",
      emailAddress: "",
      creditCard: "",
      city: "",
      state: "",
      dateTime: t,
      extra: "",
    },
  },
  {
    auction: {
      id: 1,
      itemName: "",
      description: "",
      initialBid: 1,
      reserve: 1,
      dateTime: t,
      expires: t,
      seller: 2,
      category: 1,
      extra: "",
    },
  },
  { bid: { auction: 1, bidder: 1, price: 1, channel: "", url: "", dateTime: t, extra: "" } },
])
  fs.writeSync(partFd, JSON.stringify(e) + "\n");
const crc32 = (crc >>> 0).toString(16).padStart(8, "0");
const meta = { events: N, ...counts, bytes, crc32, parts: part + 1 };
const known = KNOWN[N];
if (known && (known.crc32 !== crc32 || known.bytes !== bytes)) {
  console.error("data differs from the reference set", meta);
  process.exit(1);
}
fs.writeFileSync(path.join(dir, "meta.json"), JSON.stringify(meta) + "\n"); // last: its presence means complete
console.log(JSON.stringify(meta));
