/** Our own way in and out of a NATS connection: what is cut anywhere arrives whole, in order, and the rest goes to the client. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { dataOf, type Frame, Inbound, statusOf } from "../../src/log/jetstream/inbound.ts";
import { Outbound } from "../../src/log/jetstream/outbound.ts";
import { deliveryOf, FrameRecord } from "../../src/log/jetstream/records.ts";

const OURS = 7;

interface Seen {
  readonly subject: string;
  readonly reply: string | undefined;
  readonly headers: string;
  readonly data: string;
}

const seenOf = (f: Frame): Seen => ({
  subject: f.bytes.toString("utf8", f.subjectFrom, f.subjectTo),
  reply: f.replyTo === 0 ? undefined : f.bytes.toString("utf8", f.replyFrom, f.replyTo),
  headers: f.bytes.toString("utf8", f.headersFrom, f.dataFrom),
  data: Buffer.from(dataOf(f)).toString(),
});

const text = fc.string({ unit: "grapheme", maxLength: 30 });
const token = fc.stringMatching(/^[a-zA-Z0-9$_.]{1,20}$/);
const message = fc.record({
  sid: fc.constantFrom(OURS, 8),
  subject: token,
  reply: fc.option(token, { nil: undefined }),
  headers: fc.option(text, { nil: undefined }),
  data: text,
});

const wireOf = (
  m: { sid: number } & Pick<Seen, "subject" | "reply" | "data"> & { headers: string | undefined },
) => {
  const head = m.headers === undefined ? "" : `NATS/1.0\r\nA: ${m.headers}\r\n\r\n`;
  const [h, d] = [Buffer.byteLength(head), Buffer.byteLength(m.data)];
  const to = `${m.subject} ${m.sid}${m.reply === undefined ? "" : ` ${m.reply}`}`;
  return m.headers === undefined
    ? `MSG ${to} ${d}\r\n${m.data}\r\n`
    : `HMSG ${to} ${h} ${h + d}\r\n${head}${m.data}\r\n`;
};

test("messages cut anywhere arrive whole and in order; all else goes to the client, whole too", () => {
  const other = fc.constantFrom("PING\r\n", "PONG\r\n", "+OK\r\n", "-ERR 'x'\r\n", 'INFO {"a":1}\r\n');
  fc.assert(
    fc.property(
      fc.array(fc.oneof(message, other), { maxLength: 12 }),
      fc.array(fc.nat(200), { maxLength: 20 }),
      (items, cuts) => {
        const seen: (Seen | string)[] = [];
        const inbound = new Inbound({ parse: (b) => void seen.push(Buffer.from(b).toString()) });
        inbound.add(OURS, (f) => void seen.push(seenOf(f)));
        const bytes = Buffer.from(items.map((i) => (typeof i === "string" ? i : wireOf(i))).join(""));
        let from = 0;
        for (const cut of cuts) {
          inbound.parse(bytes.subarray(from, from + cut));
          from = Math.min(bytes.length, from + cut);
        }
        inbound.parse(bytes.subarray(from));
        const wanted = items.map((i) => {
          if (typeof i === "string" || i.sid !== OURS) return typeof i === "string" ? i : wireOf(i);
          const headers = i.headers === undefined ? "" : `NATS/1.0\r\nA: ${i.headers}\r\n\r\n`;
          return { subject: i.subject, reply: i.reply, headers, data: i.data };
        });
        assert.deepEqual(seen, wanted);
      },
    ),
  );
});

test("what a lost connection left is forgotten with the client's parser", () => {
  const seen: string[] = [];
  const inbound = new Inbound({ parse: () => assert.fail("the old parser") });
  inbound.add(OURS, (f) => void seen.push(seenOf(f).data));
  inbound.parse(Buffer.from(`MSG a ${OURS} 5\r\nhal`));
  inbound.renew({ parse: () => {} });
  inbound.parse(Buffer.from(`MSG a ${OURS} 5\r\nwhole\r\n`));
  assert.deepEqual(seen, ["whole"]);
});

test("deliveries of both forms, statuses, headers", () => {
  const frames: unknown[] = [];
  const inbound = new Inbound({ parse: () => {} });
  inbound.add(OURS, (f) => {
    const d = deliveryOf(f);
    frames.push(d === undefined ? statusOf(f) : { pending: d.pending, ...pick(new FrameRecord("S", f, d)) });
  });
  const pick = ({ sequence, timestamp, subject, headers }: FrameRecord) => ({
    sequence,
    timestamp,
    subject,
    headers,
  });
  const send = (reply: string, headers: string): void => {
    const h = Buffer.byteLength(headers);
    inbound.parse(Buffer.from(`HMSG sub ${OURS}${reply} ${h} ${h + 1}\r\n${headers}x\r\n`));
  };
  const headers = "NATS/1.0\r\nA: é b \r\nB:c\r\n\r\n";
  send(" $JS.ACK.S.c.1.42.7.1700000000123456789.3", headers);
  send(" $JS.ACK.domain.hash.S.c.1.42.7.1700000000123456789.0.random", "NATS/1.0\r\n\r\n");
  send("", "NATS/1.0 409 Message Size Exceeds MaxBytes\r\n\r\n");
  const delivered = { sequence: 42, timestamp: 1700000000123.456, subject: "sub" };
  assert.deepEqual(frames, [
    {
      ...delivered,
      pending: 3,
      headers: [
        ["A", "é b"],
        ["B", "c"],
      ],
    },
    { ...delivered, pending: 0, headers: undefined },
    { code: 409, text: "Message Size Exceeds MaxBytes" },
  ]);
});

test("publishes of one turn leave together, in order, with the lengths of their bytes", async () => {
  const sent: string[] = [];
  const out = new Outbound((b) => void sent.push(Buffer.from(b).toString()));
  out.publish("s", "r.1", Buffer.from("é"), undefined);
  out.publish("s", "r.2", Buffer.from("x"), [["A", "ü"]]);
  assert.deepEqual(sent, []);
  await Promise.resolve();
  const head = "NATS/1.0\r\nA: ü\r\n\r\n";
  const h = Buffer.byteLength(head);
  assert.deepEqual(sent, [`PUB s r.1 2\r\né\r\nHPUB s r.2 ${h} ${h + 1}\r\n${head}x\r\n`]);
  assert.throws(() => out.publish("s", "r", Buffer.from(""), [["A", "a\r\nPUB evil 0\r\n"]]), /line end/);
  const large = Buffer.alloc(300_000, 65);
  out.publish("s", "r.3", large, undefined);
  const [, last = "", ...more] = sent as readonly string[];
  assert.equal(more.length, 0);
  assert.ok(last.startsWith("PUB s r.3 300000\r\nAAA") && last.endsWith("A\r\n"));
});

test("rows on the wire are the messages with headers that they stand for", async () => {
  const numbers = fc.oneof(fc.nat(), fc.maxSafeNat(), fc.constantFrom(0, 9, 10, 99, 100));
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.uint8Array({ maxLength: 200 }), numbers, numbers, numbers), { maxLength: 8 }),
      fc.boolean(),
      fc.boolean(),
      async (rows, row, expected) => {
        const [fast, slow]: [string[], string[]] = [[], []];
        const ways = [fast, slow].map(
          (to) => new Outbound((b) => void to.push(Buffer.from(b).toString("latin1"))),
        );
        const begin = row ? "\r\n" : "NATS/1.0\r\n";
        const head = {
          row: row ? Buffer.from("NATS/1.0\r\nMr-Row: q/0/1/") : undefined,
          expected: expected ? Buffer.from(`${begin}Nats-Expected-Last-Sequence: `) : undefined,
        };
        const plain = !row && !expected;
        const line = Buffer.from(`${plain ? "PUB" : "HPUB"} out.x in.7.`);
        for (const [payload, message, k, last] of rows) {
          const bytes = Buffer.concat([Buffer.from("before"), payload, Buffer.from("behind")]);
          const frame = { line, head: plain ? undefined : head };
          ways[0]!.publishRow(frame, { message, row: k, expected: last }, bytes, 6, 6 + payload.length);
          const headers: [string, string][] = [];
          if (row) headers.push(["Mr-Row", `q/0/1/${k}`]);
          if (expected) headers.push(["Nats-Expected-Last-Sequence", `${last}`]);
          ways[1]!.publish("out.x", `in.7.${message}`, payload, plain ? undefined : headers);
        }
        await Promise.resolve();
        assert.equal(fast.join(""), slow.join(""));
      },
    ),
  );
});
