/** The embedded log when its process is killed or its disk refuses, and the served log when its server goes away. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { position } from "../../src/core/brands.ts";
import { DataDirectoryInUseError, LogRecreatedError, StorageError } from "../../src/core/errors.ts";
import { EmbeddedStore } from "../../src/log/embedded-log.ts";
import { ServedStore } from "../../src/log/served-client.ts";
import { LogServer } from "../../src/log/served-log.ts";
import { startNode } from "../support/process.ts";
import { systemClock } from "../support/system-clock.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { fill, take, text } from "./log-contract.ts";

const source = (path: string): string => JSON.stringify(new URL(`../../${path}`, import.meta.url).href);

test(
  "embedded: killed (-9) while appending: all acknowledged records are there, contiguous, and the log goes on",
  { timeout: 120_000 },
  async (t) => {
    const dir = temporaryDirectory(t);
    const script = join(temporaryDirectory(t), "writer.ts");
    writeFileSync(
      script,
      `import { EmbeddedStore } from ${source("src/log/embedded-log.ts")};
     import { systemClock } from ${source("test/support/system-clock.ts")};
     const main = async () => {
       const store = await EmbeddedStore.open({ directory: process.argv[2]!, clock: systemClock });
       const log = await store.open("a.b.c");
       for (let i = (await log.bounds()).last; ; i++) {
         await log.append(Buffer.from("r" + (i + 1)), { expectLast: i as never });
         if (i % 20 === 0) await log.trim((i - 50) as never);
         console.log("acked " + (i + 1));
       }
     };
     void main();`,
    );
    let created: string | undefined;
    for (let round = 0; round < 3; round++) {
      const writer = startNode([script, join(dir, "log")], { t });
      await writer.waitFor(new RegExp(`acked ${(round + 1) * 400}\\n`));
      await writer.kill("SIGKILL");
      const acked = Math.max(...[...writer.stdout.matchAll(/acked (\d+)\n/g)].map((m) => Number(m[1])));
      const store = await EmbeddedStore.open({ directory: join(dir, "log"), clock: systemClock });
      const log = await store.open("a.b.c");
      created ??= log.created;
      assert.equal(log.created, created);
      const { first, last } = await log.bounds();
      assert.ok(last >= acked && last <= acked + 1, `${last} stored, ${acked} acknowledged`);
      const got = await take(log.reader(first), last - first + 1);
      got.forEach((r, i) => assert.deepEqual([r.position, text(r)], [first + i, `r${first + i}`]));
      await store.close();
    }
  },
);

test("embedded: another process' database is refused", async (t) => {
  const directory = temporaryDirectory(t);
  const store = await EmbeddedStore.open({ directory, clock: systemClock });
  await assert.rejects(EmbeddedStore.open({ directory, clock: systemClock }), DataDirectoryInUseError);
  await store.close();
});

test("embedded: sizes, limits and trims survive a restart", async (t) => {
  const directory = temporaryDirectory(t);
  const first = await EmbeddedStore.open({ directory, clock: systemClock, sync: true });
  const log = await first.open("a.b.c", { maxBytes: 5000 });
  await fill(log, 1, 30);
  await log.trim(position(11));
  const before = await log.bounds();
  await log.setMaxBytes(before.bytes + 60);
  const empty = await first.open("a.b.empty");
  await fill(empty, 1, 3);
  await empty.trim(position(4));
  await first.close();
  const second = await EmbeddedStore.open({ directory, clock: systemClock });
  const again = await second.open("a.b.c");
  assert.deepEqual(await again.bounds(), { ...before, maxBytes: before.bytes + 60 });
  await again.append(new Uint8Array(20));
  await assert.rejects(again.append(new Uint8Array(20)), /max_bytes/);
  const b = await (await second.open("a.b.empty")).bounds();
  assert.deepEqual([b.first, b.last, b.bytes], [4, 3, 0]);
  await second.close();
});

test("embedded: a disk that refuses is a StorageError with its cause, and gives no position", async (t) => {
  const directory = temporaryDirectory(t);
  let fails = false;
  const store = await EmbeddedStore.open({
    directory,
    clock: systemClock,
    beforeWrite: () => {
      if (fails) throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
    },
  });
  const log = await store.open("a.b.c");
  await log.append(Buffer.from("r1"));
  fails = true;
  await assert.rejects(log.append(Buffer.from("lost")), (e: unknown) => {
    assert.ok(e instanceof StorageError);
    assert.match(e.message, /no space left on device/);
    assert.equal((e.cause as NodeJS.ErrnoException).code, "ENOSPC");
    return true;
  });
  const publisher = log.publisher();
  void publisher.send(Buffer.from("lost too"));
  await assert.rejects(publisher.delivered(), StorageError);
  fails = false;
  assert.equal(await log.append(Buffer.from("r2"), { expectLast: position(1) }), 2);
  await store.close();
});

test(
  "served: the server goes away and comes back: readers and publishers go on, nothing lost",
  { timeout: 120_000 },
  async (t) => {
    const dir = temporaryDirectory(t);
    const embedded = await EmbeddedStore.open({ directory: join(dir, "log"), clock: systemClock });
    const address = { path: join(dir, "log.sock") };
    let server = await LogServer.listen(embedded, address);
    const store = await ServedStore.open(address, systemClock);
    t.after(async () => {
      await store.close();
      await server.close();
      await embedded.close();
    });
    const log = await store.open("a.b.c");
    const total = 5000;
    const publisher = log.publisher();
    const sending = (async () => {
      for (let i = 0; i < total; i++) {
        await publisher.send(Buffer.from(`${i}`));
        if (i % 1500 === 1499) {
          await server.close();
          server = await LogServer.listen(embedded, address);
        }
      }
      await publisher.delivered();
    })();
    const reader = log.reader(position(1));
    let next = 0;
    while (next < total)
      for (const r of await reader.next()) {
        const n = Number(text(r));
        assert.ok(n <= next, `${n} before ${next}`);
        if (n === next) next++;
      }
    await sending;
    await embedded.remove("a.b.c");
    await embedded.open("a.b.c");
    await assert.rejects(log.append(Buffer.from("x")), LogRecreatedError);
    await assert.rejects(reader.next(), LogRecreatedError);
  },
);
