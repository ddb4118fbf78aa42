/** Log lines: JSON for machines, readable for people; errors without a stack unless debugging. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigurationError, ExecutionError } from "../../src/core/errors.ts";
import { describeError, loggerTo } from "../../src/node/log-output.ts";
import type { LogLevel } from "../../src/query/services.ts";

const capture = (level: LogLevel, readable: boolean) => {
  const lines: string[] = [];
  const log = loggerTo({
    level,
    readable,
    write: (l) => lines.push(l),
    now: () => Date.parse("2024-01-02T03:04:05.678Z"),
  });
  return { lines, log };
};

test("a line is one JSON object with time, level, message and fields", () => {
  const { lines, log } = capture("info", false);
  log("warn", "a\nb", { query: "q", n: 1n, error: new ConfigurationError("bad", { hint: "good" }) });
  log("debug", "not shown");
  assert.equal(lines.length, 1);
  assert.deepEqual(JSON.parse(lines[0]!), {
    time: "2024-01-02T03:04:05.678Z",
    level: "warn",
    message: "a\nb",
    query: "q",
    n: "1",
    error: "bad\n  hint: good",
  });
});

test("readable lines carry the fields behind the message", () => {
  const { lines, log } = capture("debug", true);
  log("debug", "started", { query: "q", pids: [1, 2] });
  assert.equal(lines[0], "03:04:05.678 debug started  query=q pids=[1,2]\n");
});

test("an error is message, place, cause and hint; its stack only when debugging", () => {
  const e = new ExecutionError("division by zero", { cause: new Error("row 7"), hint: "try_divide" });
  e.where = "stage 1";
  assert.equal(describeError(e), "division by zero\n  at stage 1\n  hint: try_divide\n  cause: row 7");
  assert.match(describeError(e, true), /config-log-output\.test/);
  assert.equal(describeError("text"), "text");
});
