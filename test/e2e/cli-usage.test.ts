/** The command line from outside: usage, exit codes, and errors without a stack trace. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { millrace, NodeBed, rowsBetween } from "./node-bed.ts";
import { repository, runNode } from "../support/process.ts";
import { temporaryDirectory } from "../support/temporary.ts";

const STACK = /\n\s+at .*[(:]\S+:\d+:\d+\)?/;

test("no command is usage on standard error and exit code 2; --help is usage on standard output and 0", async () => {
  const none = await millrace([]);
  assert.deepEqual([none.code, none.stdout], [2, ""]);
  assert.match(none.stderr, /^usage: millrace <command>/);
  const help = await millrace(["--help"]);
  assert.deepEqual([help.code, help.stderr], [0, ""]);
  for (const command of ["run", "sql", "ls", "status", "stop", "explain", "rescale", "logs", "dlq", "state"])
    assert.match(help.stdout, new RegExp(`^  ${command} `, "m"));
  const run = await millrace(["run", "--help"]);
  assert.equal(run.code, 0);
  assert.match(run.stdout, /--workers N/);
});

test("what is misspelt is answered with the nearest, and exit code 2", async () => {
  const command = await millrace(["statsu"]);
  assert.deepEqual([command.code, /did you mean status\?/.test(command.stderr)], [2, true]);
  const flag = await millrace(["run", "app.ts", "--prot", "1"]);
  assert.deepEqual(
    [flag.code, /unknown flag --prot[\s\S]*did you mean --port\?/.test(flag.stderr)],
    [2, true],
  );
  const version = await millrace(["--version"]);
  assert.match(version.stdout, /^\d+\.\d+\.\d+\n$/);
});

const wrong: readonly (readonly [readonly string[], RegExp])[] = [
  [["run"], /usage: millrace run/],
  [["run", "a.ts", "b.ts"], /usage: millrace run/],
  [["run", "no-such-app.ts"], /there is no file no-such-app\.ts/],
  [["run", "x.ts", "--partitions", "many"], /--partitions must be a whole number/],
  [["run", "x.ts", "--host", "0.0.0.0"], /needs --token/],
  [["ls", "--data", "no-such-directory"], /there is no data directory no-such-directory/],
  [["rescale", "q"], /rescale needs --partitions/],
  [["explain", "q", "--mode", "loud"], /--mode is one of/],
];
for (const [args, message] of wrong)
  test(`millrace ${args.join(" ")} is exit code 2`, async () => {
    const { code, stderr } = await millrace(args);
    assert.equal(code, 2, stderr);
    assert.match(stderr, message);
    assert.doesNotMatch(stderr, STACK);
  });

// Node takes .ts there for CommonJS; `npm init` of some versions writes "commonjs".
for (const manifest of [undefined, '{"name":"mine"}', '{"type":"commonjs"}'])
  test(`a program runs in a folder with ${manifest ?? "no"} package.json`, async (t) => {
    const folder = temporaryDirectory(t);
    if (manifest !== undefined) writeFileSync(join(folder, "package.json"), manifest);
    writeFileSync(join(folder, "lib.ts"), "export const one: number = 1;\n");
    const library = JSON.stringify(join(repository, "src/index.ts"));
    writeFileSync(
      join(folder, "app.ts"),
      `import { session } from ${library};\nimport { one } from "./lib.ts";\nconst mill = session({ name: "mine" });\n` +
        "console.log(await mill.range(one).collect());\nawait mill.stop();\n",
    );
    writeFileSync(
      join(folder, "old.ts"),
      'const { join } = require("node:path");\nconsole.log(join("a", "b"));\n',
    );
    const { code, stdout, stderr } = await millrace(["run", join(folder, "app.ts")]);
    assert.deepEqual([code, stdout], [0, "[ { id: 0 } ]\n"], stderr);
    const old = await millrace(["run", join(folder, "old.ts")]);
    assert.deepEqual([old.code, old.stdout], [0, "a/b\n"], old.stderr);
  });

test("a query that fails is exit code 1, with cause, operator and input, and no stack trace", async (t) => {
  const bed = new NodeBed(t);
  bed.feed(rowsBetween(0, 10));
  bed.writeApp("failing.ts", failing(bed.folder));
  const end = await bed.start([], "failing.ts").ended;
  assert.equal(end.code, 1, end.stderr);
  assert.match(end.stderr, /query failing failed/);
  assert.match(end.stderr, /DIVIDE_BY_ZERO/);
  assert.match(end.stderr, /operator calc.*stage 0 partition 0, epoch 1, input files/);
  assert.doesNotMatch(end.stderr, STACK);
  const status = await millrace(["status", "failing", "--data", bed.data]);
  assert.equal(status.code, 1);
  assert.match(status.stdout, /^state +failed$/m);
  assert.match(status.stdout, /DIVIDE_BY_ZERO/);
});

const failing = (folder: string): string => `
import { session, schema, t, lit } from ${JSON.stringify(new URL("../../src/index.ts", import.meta.url).href)};
const mill = session({ name: "bed" });
await mill.readStream.format("ndjson").schema(schema({ k: t.string, v: t.long })).load(${JSON.stringify(`${folder}/in`)})
  .select((c) => ({ r: lit(1).div(c.v) }))
  .writeStream.queryName("failing").outputMode("append").format("json").option("path", ${JSON.stringify(`${folder}/out`)}).start();
`;

test("an application with a wrong query is exit code 1 before anything starts", async (t) => {
  const bed = new NodeBed(t);
  bed.writeApp(
    "wrong.ts",
    failing(bed.folder).replace(".select(", '.groupBy("k").agg(() => ({ n: lit(1) })).select('),
  );
  const end = await bed.start([], "wrong.ts").ended;
  assert.equal(end.code, 1, end.stderr);
  assert.match(end.stderr, /AnalysisError/);
  assert.doesNotMatch(end.stderr, STACK);
});

test("explain prints the plans of an application and starts nothing", async (t) => {
  const bed = new NodeBed(t);
  const end = await millrace(["explain", "app.ts", "--json"], bed.folder);
  assert.equal(end.code, 0, end.stderr);
  const json = end.stdout.slice(end.stdout.indexOf("["));
  const [query] = JSON.parse(json) as { query: string; plan: string }[];
  assert.equal(query?.query, "counts");
  assert.match(query!.plan, /== Physical Plan ==/);
  assert.equal((await millrace(["ls"], bed.folder)).code, 2);
});

test("ls, status, rescale and stop reach a running process through its data directory", async (t) => {
  const bed = new NodeBed(t);
  bed.feed(rowsBetween(0, 300));
  const node = bed.start();
  await bed.untilWritten(1, node);
  const at = ["--data", bed.data];
  assert.match((await millrace(["ls", ...at])).stdout, /^counts +bed +active/m);
  assert.match((await millrace(["explain", "counts", ...at])).stdout, /== Physical Plan ==/);
  const rescaled = await millrace(["rescale", "counts", "--partitions", "2", ...at]);
  assert.equal(rescaled.code, 0, rescaled.stderr);
  const stopped = await millrace(["stop", "bed.counts", ...at]);
  assert.deepEqual(
    [stopped.code, /counts: stopped after epoch \d+/.test(stopped.stdout)],
    [0, true],
    stopped.stderr,
  );
  assert.equal((await node.ended).code, 0);
  assert.match((await millrace(["ls", ...at])).stdout, /^counts +bed +stopped/m);
});

test("under tsx alone a program runs by its environment and serves no HTTP", async (t) => {
  const bed = new NodeBed(
    t,
    "await query.processAllAvailable(); await query.stop(); await query.awaitTermination();",
  );
  bed.feed(rowsBetween(0, 400));
  const end = await runNode(["app.ts"], {
    cwd: bed.folder,
    env: { MILLRACE_DATA: bed.data, NATS_URL: undefined },
  });
  assert.equal(end.code, 0, end.stderr);
  assert.equal(end.stderr, "");
  assert.ok(bed.written().length > 0);
});
