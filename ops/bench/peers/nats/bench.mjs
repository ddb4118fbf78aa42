// node bench.mjs STEP KIND EVENTS.jsonl N SERVER_PID
//   STEP pub | pub-promise | pull | push ; KIND rows (one message a bid, about 250 bytes) | batch (64 KB of bid lines a message)
// JetStream file stream with the bids of the file, repeated up to N rows. Nothing is parsed: a floor for moving rows through a durable log.
import fs from "node:fs";
import { createRequire } from "node:module";
import { connect, AckPolicy, StorageType, RetentionPolicy } from "nats";
const [, , step, kind, file, nArg, serverPid] = process.argv;
const require = createRequire(import.meta.url);
const N = Number(nArg),
  stream = "S_" + kind,
  subject = "b." + kind;
const proc = (what) => fs.readFileSync(`/proc/${serverPid}/${what}`, "utf8");
const serverCpu = () => {
  const s = proc("stat").split(") ")[1].split(" ");
  return (Number(s[11]) + Number(s[12])) / 100;
};
const nc = await connect({ servers: "nats://127.0.0.1:19422" }),
  js = nc.jetstream(),
  jsm = await nc.jetstreamManager();
let cpu0, s0, t0;
const start = () => {
  cpu0 = process.cpuUsage();
  s0 = serverCpu();
  t0 = performance.now();
};
function result(rows, bytes, messages, how) {
  const seconds = (performance.now() - t0) / 1000,
    cpu = process.cpuUsage(cpu0);
  console.log(
    JSON.stringify({
      peer: "nats-floor",
      version: `server ${nc.info.version}, nats ${require("nats/package.json").version}`,
      query: `${step}-${kind}`,
      events: rows,
      seconds: +seconds.toFixed(3),
      eventsPerSecond: Math.round(rows / seconds),
      cpuSeconds: +((cpu.user + cpu.system) / 1e6).toFixed(2),
      peakRssMb: Math.round(process.resourceUsage().maxRSS / 1024),
      rowsOut: rows,
      config: {
        how,
        messages,
        mb: Math.round(bytes / 1e6),
        storage: "file",
        brokerCpuSeconds: +(serverCpu() - s0).toFixed(2),
        brokerPeakRssMb: Math.round(Number(/VmHWM:\s+(\d+)/.exec(proc("status"))[1]) / 1024),
      },
    }),
  );
}
if (step.startsWith("pub")) {
  try {
    await jsm.streams.delete(stream);
  } catch {}
  await jsm.streams.add({
    name: stream,
    subjects: [subject],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
  });
  const all = fs.readFileSync(file),
    lines = []; // {"bid":{..}} -> {..}
  for (let p = 0, q; p < all.length; p = q + 1) {
    q = all.indexOf(10, p);
    if (all[p + 2] === 98) lines.push(all.subarray(p + 7, q - 1));
  }
  const messages = [];
  if (kind === "rows") for (let i = 0; i < N; i++) messages.push(lines[i % lines.length]);
  else {
    const nl = Buffer.from("\n");
    let group = [],
      size = 0;
    for (let i = 0; i < N; i++) {
      const l = lines[i % lines.length];
      group.push(l, nl);
      size += l.length + 1;
      if (size >= 65000 || i === N - 1) {
        messages.push(Buffer.concat(group));
        group = [];
        size = 0;
      }
    }
  }
  const w = kind === "rows" ? 2048 : 64;
  let bytes = 0,
    out = 0,
    acked = 0,
    bad = 0,
    wake = null;
  const room = () => {
    if (wake && out - acked <= w / 2) {
      const f = wake;
      wake = null;
      f();
    }
  };
  const promises = step === "pub-promise" || kind === "batch",
    inbox = "_INBOX.p" + Date.now();
  start();
  if (!promises)
    nc.subscribe(inbox, {
      callback: (e, m) => {
        if (e || (m.data[1] === 34 && m.data[2] === 101)) bad++;
        acked++;
        room();
      },
    }); // {"error":..}
  for (const m of messages) {
    bytes += m.length;
    out++;
    if (promises)
      js.publish(subject, m).then(
        () => {
          acked++;
          room();
        },
        () => {
          bad++;
          acked++;
          room();
        },
      );
    else nc.publish(subject, m, { reply: inbox });
    if (out - acked >= w)
      await new Promise((r) => {
        wake = r;
      });
  }
  while (acked < messages.length) await new Promise((r) => setTimeout(r, 1));
  if (bad) throw new Error(bad + " publishes failed");
  result(
    N,
    bytes,
    messages.length,
    promises ? `js.publish, window ${w}` : `acks counted on an own inbox, window ${w}`,
  );
} else {
  const total = (await jsm.streams.info(stream)).state.messages;
  let n = 0,
    bytes = 0,
    rows = 0;
  const take = (d) => {
    n++;
    bytes += d.length;
    if (kind === "rows") rows++;
    else for (let p = 0; (p = d.indexOf(10, p)) >= 0; p++) rows++;
    return n === total;
  };
  start();
  if (step === "pull") {
    const c = await js.consumers.get(stream, {});
    for await (const m of await c.consume({ max_messages: kind === "rows" ? 20000 : 500 }))
      if (take(m.data)) break;
    result(rows, bytes, n, "ordered pull consumer");
  } else if (step === "push") {
    const to = "d." + Date.now();
    let done;
    const finished = new Promise((r) => {
      done = r;
    });
    nc.subscribe(to, {
      callback: (e, m) => {
        if (m.headers?.code) {
          if (m.reply) m.respond();
          return;
        }
        if (take(m.data)) done();
      },
    });
    await nc.flush();
    await jsm.consumers.add(stream, {
      deliver_subject: to,
      ack_policy: AckPolicy.None,
      flow_control: true,
      idle_heartbeat: 5e9,
    });
    await finished;
    result(rows, bytes, n, "push consumer without acks, flow control");
  } else throw new Error("no step " + step);
}
process.exit(0);
