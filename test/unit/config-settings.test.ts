/** Settings: flags as environment, then defaults; every refusal names the flag. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigurationError } from "../../src/core/errors.ts";
import { NODE_FLAGS, redacted, settingsFrom, variableOf } from "../../src/node/settings.ts";

test("defaults are those of the documentation", () => {
  const s = settingsFrom({});
  assert.deepEqual(
    { ...s },
    {
      nats: undefined,
      creds: undefined,
      tlsCa: undefined,
      replicas: 1,
      data: ".millrace",
      port: undefined,
      host: "127.0.0.1",
      token: undefined,
      partitions: 4,
      partitionsGiven: false,
      leaseMs: 5000,
      leaveMs: 10_000,
      idleTimeoutMs: undefined,
      stateMemory: undefined,
      replayDigest: false,
      workers: 1,
      logLevel: "info",
      timeZone: "UTC",
      logAddress: undefined,
      boot: undefined,
      worker: undefined,
      workersOfParent: 1,
    },
  );
});

test("every flag has its variable", () => {
  assert.equal(variableOf("lease-ms"), "MILLRACE_LEASE_MS");
  const values: Record<string, string> = {
    nats: "nats://h:1",
    creds: "c",
    "tls-ca": "ca",
    "idle-timeout": "30 seconds",
    "replay-digest": "on",
    "state-memory": "64mb",
    replicas: "3",
    data: "d",
    port: "0",
    host: "localhost",
    token: "t",
    partitions: "7",
    "lease-ms": "1000",
    "leave-ms": "0",
    workers: "2",
    "log-level": "warn",
    "time-zone": "Europe/Berlin",
  };
  assert.deepEqual(NODE_FLAGS.map((f) => f.name).sort(), Object.keys(values).sort());
  const s = settingsFrom(Object.fromEntries(Object.entries(values).map(([k, v]) => [variableOf(k), v])));
  assert.deepEqual(
    [s.nats, s.creds, s.tlsCa, s.replicas, s.data, s.port, s.host, s.token],
    ["nats://h:1", "c", "ca", 3, "d", 0, "localhost", "t"],
  );
  assert.deepEqual(
    [s.partitions, s.leaseMs, s.workers, s.logLevel, s.timeZone, s.replayDigest],
    [7, 1000, 2, "warn", "Europe/Berlin", true],
  );
});

test("MILLRACE_NATS goes before NATS_URL, the program's own setting before both", () => {
  const env = { NATS_URL: "nats://a", MILLRACE_NATS: "nats://b" };
  assert.equal(settingsFrom({ NATS_URL: "nats://a" }).nats, "nats://a");
  assert.equal(settingsFrom(env).nats, "nats://b");
  assert.equal(settingsFrom(env, { nats: "nats://c" }).nats, "nats://c");
  assert.equal(settingsFrom({}, { leaseMs: 900 }).leaseMs, 900);
  assert.equal(settingsFrom({}, { leaseMs: "2 seconds" }).leaseMs, 2000);
});

const refused: readonly (readonly [string, string, RegExp])[] = [
  ["MILLRACE_PARTITIONS", "0", /--partitions must be a whole number from 1 to 256, not "0"/],
  ["MILLRACE_PARTITIONS", "257", /--partitions/],
  ["MILLRACE_PARTITIONS", "4.5", /--partitions/],
  ["MILLRACE_PORT", "65536", /--port must be a whole number from 0 to 65535/],
  ["MILLRACE_PORT", "http", /--port/],
  ["MILLRACE_WORKERS", "0", /--workers/],
  ["MILLRACE_REPLICAS", "2", /--replicas is one of 1, 3/],
  ["MILLRACE_LEASE_MS", "1", /--lease-ms must be from/],
  ["MILLRACE_LEASE_MS", "soon", /--lease-ms/],
  ["MILLRACE_LOG_LEVEL", "loud", /--log-level is one of debug, info, warn, error/],
  ["MILLRACE_TIME_ZONE", "Mars/Olympus", /--time-zone: there is no time zone "Mars\/Olympus"/],
  ["MILLRACE_HOST", "0.0.0.0", /--host 0.0.0.0 can be reached from other machines: it needs --token/],
  ["MILLRACE_NATS", "http://x y", /--nats/],
  ["MILLRACE_CREDS", "file", /--creds goes with --nats/],
];

for (const [name, value, message] of refused)
  test(`${name}=${value} is refused, naming the flag`, () => {
    assert.throws(
      () => settingsFrom({ [name]: value }),
      (e) => e instanceof ConfigurationError && message.test(e.message),
    );
  });

test("a password in a URL is not shown", () => {
  assert.equal(redacted("nats://user:secret@h:1"), "nats://…@h:1");
  assert.throws(
    () => settingsFrom({ MILLRACE_NATS: "nats://user:secret@h h" }),
    (e) => e instanceof ConfigurationError && !e.message.includes("secret"),
  );
});

test("names of Object's prototype are no settings", () => {
  assert.equal(
    settingsFrom({}, JSON.parse('{"__proto__": {"nats": "nats://x"}}') as Record<string, unknown>).nats,
    undefined,
  );
});

test("a number of partitions that nobody asked for is told apart: it changes no query that is there", () => {
  assert.equal(settingsFrom({}).partitionsGiven, false);
  assert.equal(settingsFrom({ MILLRACE_PARTITIONS: "4" }).partitionsGiven, true);
});

test("the timeout of silent columns is a duration, and off by default", () => {
  assert.equal(settingsFrom({ MILLRACE_IDLE_TIMEOUT: "2 minutes" }).idleTimeoutMs, 120_000);
  assert.equal(settingsFrom({}, { idleTimeout: 1500 }).idleTimeoutMs, 1500);
  assert.throws(() => settingsFrom({ MILLRACE_IDLE_TIMEOUT: "soon" }), /--idle-timeout must be a duration/);
  assert.throws(() => settingsFrom({ MILLRACE_IDLE_TIMEOUT: "0" }), /--idle-timeout/);
  assert.equal(settingsFrom({ MILLRACE_LEAVE_MS: "0" }).leaveMs, 0);
  assert.equal(settingsFrom({}, { leaveMs: 2500 }).leaveMs, 2500);
  assert.throws(() => settingsFrom({ MILLRACE_LEAVE_MS: "15000" }), /--leave-ms must be .* from 0 to 14000/);
});
