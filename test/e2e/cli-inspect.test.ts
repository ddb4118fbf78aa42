/** `logs`, `dlq` and `state` of the command line: over a process that runs, by its directory and by its address, and over what a dead one left. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { repository } from "../support/process.ts";
import { millrace, NodeBed, until } from "./node-bed.ts";

const application = (folder: string): string => `
import { session, schema, t, count, sum } from ${JSON.stringify(join(repository, "src/index.ts"))};
const mill = session({ name: "bed" });
const text = mill.readStream.format("ndjson").schema(schema({ k: t.string, v: t.long, ts: t.timestamp })).load(${JSON.stringify(join(folder, "in"))});
await text.filter((c) => c.v.mul(1000).div(c.v.sub(3)).isNotNull()).groupBy("k").agg((c) => ({ n: count(), total: sum(c.v) }))
  .writeStream.queryName("sums").outputMode("update").onError("deadLetter").format("noop").start();
console.log("up " + process.pid);
`;

const run = async (args: readonly string[], code = 0): Promise<string> => {
  const end = await millrace(args);
  assert.equal(end.code, code, `${args.join(" ")}\n${end.stdout}\n${end.stderr}`);
  assert.doesNotMatch(end.stderr, /\n\s+at .*:\d+:\d+/);
  return code === 2 ? end.stderr : end.stdout;
};

interface Line {
  readonly inputRows: number;
}

test("a query is looked into while it runs and after", async (t) => {
  const bed = new NodeBed(t);
  bed.writeApp("sums.ts", application(bed.folder));
  bed.feed([1, 2, 3, 4].map((v) => ({ k: v % 2 === 0 ? "even" : "odd", v, s: v })));
  const node = bed.start([], "sums.ts");
  const [, url] = await node.waitFor(/HTTP on (http:[^"\s]+)/);
  const data = ["--data", bed.data];
  const epochs = async (): Promise<readonly Line[]> =>
    (JSON.parse(await run(["logs", "sums", "--json", ...data])) as { epochs: readonly Line[] }).epochs;
  await until(async () => (await epochs()).some((e) => e.inputRows === 4), "the rows are in", node);
  assert.match(
    await run(["logs", "sums", "--last", "100", ...data]),
    /epoch \d+: 4 rows in, \d+ out, 0 late, 2 in state/,
  );

  const operators = JSON.parse(await run(["state", "list", "sums", "--json", ...data])) as {
    operator: string;
    keys: unknown;
  }[];
  assert.deepEqual(
    operators.map((o) => o.keys),
    [[{ name: "k", type: "string" }]],
  );
  const { operator } = operators[0]!;
  for (const where of [data, ["--url", url!]]) {
    const answer = JSON.parse(await run(["state", "get", "sums", operator, "even", "--json", ...where])) as {
      state: unknown;
      found: boolean;
    };
    assert.deepEqual([answer.found, answer.state], [true, { "count(1)": 2, "sum(v)": 6 }]);
  }
  assert.match(
    await run(["state", "get", "sums", operator, '"nobody"', ...data], 1),
    /nothing is kept for this key/,
  );

  const letters = async (): Promise<{ position: number; row: unknown; errorClass: string }[]> =>
    JSON.parse(await run(["dlq", "list", "sums", "--json", ...data])) as never;
  const [letter, ...more] = await letters();
  assert.deepEqual([letter!.errorClass, more], ["DIVIDE_BY_ZERO", []]);
  assert.match(await run(["dlq", "list", "sums", "--url", url!]), /DIVIDE_BY_ZERO/);
  assert.equal((await node.kill("SIGTERM")).code, 0);

  // What runs nowhere is read from the directory itself; state needs the program.
  assert.deepEqual(await letters(), [letter]);
  assert.match(await run(["logs", "sums", ...data]), /epoch 1: /);
  assert.match(
    await run(["state", "get", "sums", operator, "even", ...data], 2),
    /a process that runs the query/,
  );
  const shown = await run(["dlq", "show", "sums", String(letter!.position), ...data]);
  assert.match(shown, /class\s+DIVIDE_BY_ZERO/);
  const rows = join(bed.folder, "again.ndjson");
  await run(["dlq", "replay", "sums", "--to", rows, ...data]);
  assert.ok(existsSync(rows));
  const again = readFileSync(rows, "utf8")
    .trim()
    .split("\n")
    .map((l) => JSON.parse(l) as { k: string; v: number });
  assert.deepEqual(
    again.map(({ k, v }) => ({ k, v })),
    [{ k: "odd", v: 3 }],
  );
  assert.match(await run(["dlq", "replay", "sums", "--to", rows, ...data], 2), /cannot be written/);
  assert.deepEqual(JSON.parse(await run(["dlq", "clear", "sums", "--json", ...data])), {
    query: "sums",
    cleared: 1,
  });
  assert.match(await run(["dlq", "list", "sums", ...data]), /no dead letters/);
});

for (const [args, message] of [
  [["dlq", "lst", "q"], /did you mean list\?/],
  [["dlq", "show", "q", "first"], /takes the position of a letter/],
  [["dlq", "list"], /usage: millrace dlq/],
  [["state", "get", "q"], /state takes list <query>, or get <query> <operator> <key>/],
  [["logs", "q", "--last", "0"], /--last must be a whole number/],
  [["logs", "q", "--url", "nowhere"], /--url must be the address of a process/],
  [["logs", "q", "--data", "no-such-directory"], /there is no data directory/],
] as const)
  test(`millrace ${args.join(" ")} is exit code 2`, async () => {
    assert.match(await run(args, 2), message);
  });
