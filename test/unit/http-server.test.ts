/** The HTTP face over a node that is made here: health, metrics, queries, tokens. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { ConfigurationError } from "../../src/core/errors.ts";
import { openServer } from "../../src/http/server.ts";
import type { NodeView } from "../../src/node/face.ts";
import { settingsFrom } from "../../src/node/settings.ts";
import type { StreamingQuery } from "../../src/query/streaming-query.ts";
import { temporaryDirectory } from "../support/temporary.ts";

const queryNamed = (name: string, calls: string[]): StreamingQuery => ({
  id: `id-${name}`,
  runId: "run",
  name,
  isActive: true,
  status: { message: "Waiting for data to arrive", isDataAvailable: false, isTriggerActive: false },
  lastProgress: undefined,
  recentProgress: [],
  exception: undefined,
  stop: () => Promise.resolve(void calls.push("stop")),
  awaitTermination: () => Promise.resolve(true),
  processAllAvailable: () => Promise.resolve(),
  explain: (mode) => `plan ${mode}`,
  rescale: (n) => Promise.resolve(void calls.push(`rescale ${n}`)),
  inspection: {
    stateOperators: () => [],
    state: (operator, key) =>
      Promise.resolve({
        operator,
        partition: 1,
        epoch: 3,
        state: key === "none" ? undefined : { at: new Date(0), n: 5n, key },
      }),
    deadLetters: () => Promise.resolve([]),
    clearDeadLetters: (through) => Promise.resolve(calls.push(`clear ${through}`)),
  },
});

const open = async (t: TestContext, env: Record<string, string> = {}) => {
  const calls: string[] = [];
  const directory = temporaryDirectory(t);
  const state = { ready: true };
  const node: NodeView = {
    settings: settingsFrom({ MILLRACE_PORT: "0", ...env }),
    directory,
    log: () => {},
    queries: () => [{ session: "s", query: queryNamed("q", calls) }],
    ready: () => state.ready,
    nodes: () => ["node-1"],
  };
  const face = await openServer(node);
  t.after(() => face.close());
  const get = async (
    path: string,
    init?: RequestInit,
  ): Promise<{ status: number; text: string; type: string }> => {
    const answer = await fetch(face.url + path, init);
    return {
      status: answer.status,
      text: await answer.text(),
      type: answer.headers.get("content-type") ?? "",
    };
  };
  return { face, get, calls, state, directory };
};

test("health and readiness", async (t) => {
  const { get, state } = await open(t);
  assert.equal((await get("/healthz")).status, 200);
  const ready = await get("/readyz");
  assert.deepEqual([ready.status, JSON.parse(ready.text)], [200, { status: "ready", nodes: ["node-1"] }]);
  state.ready = false;
  assert.equal((await get("/readyz")).status, 503);
  assert.equal((await get("/healthz")).status, 200);
});

test("metrics have the names and labels that dashboards rely on", async (t) => {
  const { face, get } = await open(t);
  const actor = { query: "q", stage: 1, partition: 2 };
  face.metrics.rowsIn(actor, 5);
  face.metrics.rowsIn(actor, 6);
  face.metrics.rowsLate(actor, 1);
  face.metrics.state(actor, 10, 100);
  face.metrics.epochCommitted("q", 3, 0.02);
  face.metrics.watermark("q", 5000, 1500);
  face.metrics.backlog("q", "s0", 42);
  face.metrics.restart(actor);
  const { text, type } = await get("/metrics");
  assert.match(type, /^text\/plain/);
  const labels = 'query="q",stage="1",partition="2"';
  for (const line of [
    `millrace_input_rows_total{${labels}} 11`,
    `millrace_late_rows_total{${labels}} 1`,
    `millrace_state_rows{${labels}} 10`,
    `millrace_state_bytes{${labels}} 100`,
    `millrace_restarts_total{${labels}} 1`,
    'millrace_epochs_total{query="q"} 1',
    'millrace_epoch_seconds_bucket{le="0.025",query="q"} 1',
    'millrace_watermark_lag_seconds{query="q"} 1.5',
    'millrace_source_lag_offsets{query="q",source="s0"} 42',
  ])
    assert.ok(text.split("\n").includes(line), `${line} in\n${text}`);
});

test("queries are found by id and name, and read without a token", async (t) => {
  const { get } = await open(t);
  const all = JSON.parse((await get("/api/queries")).text) as { name: string; session: string }[];
  assert.deepEqual(
    all.map((q) => [q.session, q.name]),
    [["s", "q"]],
  );
  for (const key of ["q", "id-q", "s.q"]) assert.equal((await get(`/api/queries/${key}`)).status, 200);
  assert.deepEqual(JSON.parse((await get("/api/queries/q/progress")).text), []);
  assert.deepEqual(JSON.parse((await get("/api/queries/q/plan")).text), { plan: "plan extended" });
  for (const path of [
    "/api/queries/other",
    "/api/queries/q/other",
    "/api",
    "/nothing",
    "/api/queries/__proto__",
  ])
    assert.equal((await get(path)).status, 404);
});

test("what changes a query needs the token", async (t) => {
  const { get, calls } = await open(t, { MILLRACE_TOKEN: "secret" });
  const post = (path: string, token: string | undefined, body?: string) =>
    get(path, {
      method: "POST",
      ...(body === undefined ? {} : { body }),
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    });
  for (const token of [undefined, "", "secrey", "secret2"])
    assert.equal((await post("/api/queries/q/stop", token)).status, 401);
  assert.deepEqual(calls, []);
  assert.equal((await post("/api/queries/q/stop", "secret")).status, 200);
  assert.equal((await post("/api/queries/q/rescale", "secret", '{"partitions":8}')).status, 200);
  assert.deepEqual(calls, ["stop", "rescale 8"]);
  for (const bad of ['{"partitions":0}', '{"partitions":257}', '{"partitions":"8"}', "{}"])
    assert.equal((await post("/api/queries/q/rescale", "secret", bad)).status, 400);
  assert.equal((await post("/api/queries/q/rescale", "secret", "{")).status, 409);
  assert.equal((await get("/api/queries/q", { method: "DELETE" })).status, 405);
  assert.equal((await get("/metrics")).status, 200);
});

test("the page loads nothing from elsewhere", async (t) => {
  const { get } = await open(t);
  const { text, type } = await get("/");
  assert.match(type, /^text\/html/);
  assert.doesNotMatch(text, /https?:\/\/|src=|innerHTML/);
});

test("the folder says where the server is and what token it takes, to its owner only", async (t) => {
  const { face, directory } = await open(t);
  const file = join(directory, "http.json");
  const address = JSON.parse(readFileSync(file, "utf8")) as { url: string; token: string; pid: number };
  assert.deepEqual([address.url, address.pid], [face.url, process.pid]);
  assert.ok(address.token.length >= 32);
  assert.equal(statSync(file).mode & 0o077, 0);
  await face.close();
  assert.equal(existsSync(file), false);
});

test("a taken port is refused as a wrong setting", async (t) => {
  const { face } = await open(t);
  const port = new URL(face.url).port;
  await assert.rejects(
    open(t, { MILLRACE_PORT: port }),
    (e) =>
      e instanceof ConfigurationError &&
      e.message.includes(`port ${port} on 127.0.0.1 cannot be used: it is taken`),
  );
});
