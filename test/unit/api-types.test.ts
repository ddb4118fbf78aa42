/**
 * The type tests of test/types, run by the TypeScript compiler: they hold, there are enough of them, and they fail when a type is loosened.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { repository } from "../support/process.ts";

const ASSERTIONS_MIN = 60;
const compiler = join(repository, "node_modules/typescript/bin/tsc");
const text = (name: string): string => readFileSync(join(repository, "test/types", name), "utf8");

/** What the compiler says of these files, nothing when all is well. */
const check = async (...files: readonly string[]): Promise<string> => {
  const config = join(repository, `test/types/.check-${process.pid}-${files[0]}.json`);
  writeFileSync(
    config,
    JSON.stringify({
      extends: "../../tsconfig.json",
      compilerOptions: { noEmit: true, rootDir: "../.." },
      include: [],
      files,
    }),
  );
  try {
    await promisify(execFile)(process.execPath, [compiler, "-p", config], { cwd: repository });
    return "";
  } catch (e) {
    // The whole checkout is checked elsewhere: what other files say does not count here.
    const said = String((e as { readonly stdout?: string }).stdout ?? e).split("\n");
    return said.filter((line) => /^(test\/types|src\/api|src\/index)/.test(line)).join("\n");
  } finally {
    rmSync(config, { force: true });
  }
};

test("what verbs infer is exact, and what cannot run does not compile", async () => {
  assert.equal(await check("positive.test-d.ts", "negative.test-d.ts", "spine-example.test-d.ts"), "");
});

test("there are at least 60 positive and 60 negative assertions", () => {
  const count = (name: string, pattern: RegExp): number => [...text(name).matchAll(pattern)].length;
  assert.ok(count("positive.test-d.ts", /\bis</g) >= ASSERTIONS_MIN);
  assert.ok(count("negative.test-d.ts", /@ts-expect-error/g) >= ASSERTIONS_MIN);
});

/** Checks a copy of a test file after `loosen`. */
const loosened = async (name: string, loosen: (source: string) => string): Promise<string> => {
  const source = text(name);
  const changed = loosen(source);
  assert.notEqual(changed, source, "the planted change is there");
  const copy = `.loosened-${process.pid}-${name.replace(".test-d", "")}`;
  writeFileSync(join(repository, "test/types", copy), changed);
  try {
    return await check(copy);
  } finally {
    rmSync(join(repository, "test/types", copy), { force: true });
  }
};

test("a loosened type is noticed by the negative tests", async () => {
  // `price` becomes a column that takes everything: what it may not be used for compiles now.
  const output = await loosened("negative.test-d.ts", (s) =>
    s
      .replace('from "./fixture.ts";', 'from "./fixture.ts";\nimport { lit } from "../../src/index.ts";')
      .replace('(c) => c.price.gt("ten")', "() => lit(true)"),
  );
  assert.match(output, /TS2578: Unused '@ts-expect-error' directive/);
});

test("a loosened type is noticed by the positive tests", async () => {
  const output = await loosened("positive.test-d.ts", (s) =>
    s.replace('C<typeof bids, "price">, "long"', 'C<typeof bids, "price">, "long?"'),
  );
  assert.match(output, /TS2344/);
});

/** The first type error of test/types against a copy of the sources with one declaration changed. */
const withLoosened = async (file: string, from: string, to: string): Promise<string> => {
  mkdirSync(join(repository, ".tools"), { recursive: true });
  const copy = mkdtempSync(join(repository, ".tools", "loosened-"));
  try {
    for (const folder of ["src", "actors", "test/types"])
      cpSync(join(repository, folder), join(copy, folder), { recursive: true });
    const path = join(copy, file);
    const source = readFileSync(path, "utf8");
    assert.ok(source.includes(from), `${file} has no "${from}" any more`);
    writeFileSync(path, source.replace(from, to));
    const config = join(copy, "tsconfig.json");
    writeFileSync(
      config,
      JSON.stringify({
        extends: "../../tsconfig.json",
        compilerOptions: { noEmit: true, rootDir: ".", noUnusedLocals: false, noUnusedParameters: false },
        include: ["test/types/*.ts"],
      }),
    );
    await promisify(execFile)(process.execPath, [compiler, "-p", config], { cwd: copy });
    return "";
  } catch (e) {
    const said = String((e as { readonly stdout?: string }).stdout ?? e).split("\n");
    return said.filter((line) => line.startsWith("test/types")).join("\n");
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
};

for (const [what, file, from, to] of [
  [
    "modes of an aggregate without watermark",
    "src/api/frame-types.ts",
    ': "update" | "complete";',
    ': "append" | "update" | "complete";',
  ],
  [
    "columns of withWatermark",
    "src/api/data-frame.ts",
    "withWatermark<K extends TimeKeys<S>>",
    "withWatermark<K extends Keys<S>>",
  ],
  ["nullable values in rows", "src/api/tags.ts", "? JsOf[P] | null", "? JsOf[P]"],
] as const)
  test(`a declaration of src/api made looser is noticed: ${what}`, async () => {
    assert.match(await withLoosened(file, from, to), /TS2578|TS2344/);
  });

/** A pipeline of eight verbs over thirty columns. */
const pipeline = (i: number): string =>
  `export const q${i} = base.filter((c) => c.c${i % 15}.gt(${i}).and(c.s${i % 13}.ne("x"))).withColumn("v${i}", (c) => c.c${i % 15}.mul(2))` +
  `.withWatermark("ts", "10 minutes").join(dim, "id").groupBy((c) => [window(c.ts, "${i + 1} minutes"), c.label])` +
  `.agg((c) => ({ n: count(), s: sum(c.v${i}) })).select((c) => ({ start: c.window.start, k: c.label, s: c.s })).writeStream.outputMode("append");`;

test("200 pipelines of 8 verbs over 30 columns compile (their time: ops/bench/type-check.md)", async () => {
  const longs = Array.from({ length: 15 }, (_, i) => `c${i}: t.long`);
  const texts = Array.from({ length: 13 }, (_, i) => `s${i}: t.string`);
  const source = [
    'import { count, schema, session, sum, t, window } from "../../src/index.ts";',
    `const base = session({ name: "cost" }).readStream.format("rate").schema(schema({ ${[...longs, ...texts].join(", ")}, id: t.long, ts: t.timestamp })).load();`,
    'const dim = session({ name: "dim" }).createDataFrame([], schema({ id: t.long, label: t.string }));',
    ...Array.from({ length: 200 }, (_, i) => pipeline(i)),
  ].join("\n");
  assert.equal(await loosened("spine-example.test-d.ts", () => source), "");
});
