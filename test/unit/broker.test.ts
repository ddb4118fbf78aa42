/** The broker launcher itself: real servers of each version, killed, paused, restarted, and never left behind. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { describe, test } from "node:test";
import { connect, StringCodec } from "nats";
import { startNode } from "../support/process.ts";
import { brokers, missingBrokers, startBroker } from "../support/broker.ts";

for (const { version, reason } of missingBrokers()) {
  test(`nats-server ${version}`, { skip: reason }, () => undefined);
}

for (const program of brokers()) {
  describe(`nats-server ${program.version}`, () => {
    test("what a stream holds outlives kill and restart on the same port", async (t) => {
      const broker = await startBroker({ path: program.path, t });
      assert.equal(broker.version, program.version);
      const url = broker.url;
      const first = await connect({ servers: url });
      const manager = await first.jetstreamManager();
      await manager.streams.add({ name: "S", subjects: ["s"] });
      await first.jetstream().publish("s", StringCodec().encode("kept"));
      await first.close();
      await broker.kill();
      await assert.rejects(connect({ servers: url, reconnect: false, timeout: 1000 }));
      await broker.restart();
      assert.equal(broker.url, url);
      const second = await connect({ servers: url });
      const message = await (await second.jetstreamManager()).streams.getMessage("S", { seq: 1 });
      assert.equal(StringCodec().decode(message.data), "kept");
      await second.close();
    });

    test("a paused server answers nothing until it is resumed", async (t) => {
      const broker = await startBroker({ path: program.path, t });
      const connection = await connect({ servers: broker.url });
      await broker.pause();
      let hasAnswered = false;
      const answer = connection.flush().then(() => (hasAnswered = true));
      await new Promise((resolve) => setTimeout(resolve, 100));
      assert.equal(hasAnswered, false);
      broker.resume();
      await answer;
      await connection.close();
    });

    test("limits and credentials reach the server; stop removes the store", async (t) => {
      const auth = { user: "u", password: "p" };
      const broker = await startBroker({ path: program.path, t, maxPayload: 2048, auth, maxFile: 2 ** 20 });
      await assert.rejects(connect({ servers: broker.url, reconnect: false }), /Authorization/);
      const connection = await connect({ servers: broker.url, user: "u", pass: "p" });
      assert.equal(connection.info?.max_payload, 2048);
      const account = await (await connection.jetstreamManager()).getAccountInfo();
      assert.equal(account.storage, 0);
      await connection.close();
      await broker.stop();
      assert.equal(existsSync(broker.dir), false);
    });

    test("a server that cannot start is an error with its log", async (t) => {
      const starting = startBroker({ path: program.path, t, extra: "no_such_option_at_all {" });
      await assert.rejects(starting, /ended before/);
    });
  });
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test("a server ends with the process that started it", { skip: brokers().length === 0 }, async (t) => {
  const owner = startNode(["test/support/broker-orphan.ts"], { t });
  const match = await owner.waitFor(/server (\d+) in (\S+) ready/);
  const pid = Number(match[1]);
  const dir = match[2] ?? "";
  assert.ok(isAlive(pid) && existsSync(dir));
  const ending = await owner.kill("SIGTERM");
  assert.equal(ending.code, 143);
  while (isAlive(pid)) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(existsSync(dir), false);
});
