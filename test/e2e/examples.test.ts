/** Every example runs by the command line without a server, ends by itself with exit code 0, and prints what examples/expected holds. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { repository } from "../support/process.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { millrace } from "./node-bed.ts";

const folder = join(repository, "examples");
const examples = readdirSync(folder).filter((f) => /^\d\d-.*\.(ts|sql)$/.test(f));

const expected = (example: string): string =>
  readFileSync(join(folder, "expected", `${example.slice(0, example.lastIndexOf("."))}.txt`), "utf8");

const run = (example: string, data: string, ...flags: readonly string[]): ReturnType<typeof millrace> =>
  millrace([
    example.endsWith(".sql") ? "sql" : "run",
    join("examples", example),
    "--data",
    data,
    "--port",
    "0",
    ...flags,
  ]);

test("the examples are numbered from 01 on, each with its expected output", () => {
  assert.ok(examples.length >= 8);
  assert.deepEqual(
    examples.map((f) => f.slice(0, 2)),
    examples.map((_, i) => String(i + 1).padStart(2, "0")),
  );
  for (const example of examples) assert.ok(expected(example).length > 0, example);
});

for (const example of examples)
  test(`examples/${example}`, async (t) => {
    const { code, stdout, stderr } = await run(example, temporaryDirectory(t));
    assert.equal(code, 0, stderr);
    assert.equal(stdout, expected(example), stderr);
  });

test("an example started again with its checkpoint has nothing left to do", async (t) => {
  const data = temporaryDirectory(t);
  const first = await run("03-bids.ts", data, "--partitions", "1");
  assert.equal(first.stdout, expected("03-bids.ts"), first.stderr);
  const again = await run("03-bids.ts", data);
  assert.deepEqual([again.code, again.stdout], [0, ""], again.stderr);
});
