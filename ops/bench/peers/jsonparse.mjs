// node jsonparse.mjs EVENTS.jsonl N : floor, one thread: read 1 MiB blocks, cut at newlines, JSON.parse each line, add up the prices of bids
import fs from "node:fs";
const [, , file, n] = process.argv;
const fd = fs.openSync(file, "r"),
  buf = Buffer.allocUnsafe(1 << 20);
let rest = null,
  lines = 0,
  bids = 0,
  sum = 0;
const cpu0 = process.cpuUsage(),
  t0 = performance.now();
for (;;) {
  const k = fs.readSync(fd, buf, 0, buf.length, null);
  if (k === 0) break;
  let b = buf.subarray(0, k);
  if (rest) {
    b = Buffer.concat([rest, b]);
    rest = null;
  }
  let p = 0,
    q;
  while ((q = b.indexOf(10, p)) >= 0) {
    const o = JSON.parse(b.latin1Slice(p, q));
    if (o.bid) {
      sum += o.bid.price;
      bids++;
    }
    lines++;
    p = q + 1;
  }
  if (p < b.length) rest = Buffer.from(b.subarray(p));
}
const seconds = (performance.now() - t0) / 1000,
  cpu = process.cpuUsage(cpu0);
if (lines !== Number(n)) throw new Error(`${lines} lines, expected ${n}`);
console.log(
  JSON.stringify({
    peer: "jsonparse",
    version: "node " + process.version,
    query: "parse",
    events: lines,
    seconds: +seconds.toFixed(3),
    eventsPerSecond: Math.round(lines / seconds),
    cpuSeconds: +((cpu.user + cpu.system) / 1e6).toFixed(2),
    peakRssMb: Math.round(process.resourceUsage().maxRSS / 1024),
    rowsOut: bids,
    config: { threads: 1, bidPriceSum: sum },
  }),
);
