/** Several splits of the file source: the same rows, once each, whatever the number of splits, also when it changes between starts. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { LONG, STRING, field } from "../../../src/core/data-type.ts";
import { rowsOf } from "../../../src/core/batch.ts";
import { ConfigurationError, ExecutionError } from "../../../src/core/errors.ts";
import { schemaOf } from "../../../src/core/schema.ts";
import type { Row } from "../../../src/core/value.ts";
import { PIECE_BYTES_MIN, spreadFiles } from "../../../src/connectors/file-pieces.ts";
import { sourceFactory } from "../../../src/connectors/registry.ts";
import type { Json, Source, SplitRange } from "../../../src/connectors/source.ts";
import { MemoryStore } from "../../../src/log/memory-log.ts";
import type { LogStore } from "../../../src/log/log.ts";
import { SYSTEM_CLOCK as clock } from "../../../src/query/system-clock.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

const SCHEMA = schemaOf([field("k", STRING), field("v", LONG)]);

const source = (
  path: string,
  options: Readonly<Record<string, string>>,
  store: LogStore = new MemoryStore({ clock }),
  splits?: number,
): Source => {
  const factory = sourceFactory("ndjson");
  const context = { store, clock, queryName: "q", sourceId: "s0", timeZone: "UTC" };
  const spec = { format: "ndjson", options: { path, ...options }, schema: SCHEMA, pushed: [] };
  return factory.create(spec, splits === undefined ? context : { ...context, splits }, "stream");
};

const read = async (s: Source, ranges: readonly SplitRange[]): Promise<Row[]> => {
  const rows: Row[] = [];
  const reader = s.reader();
  for (const range of JSON.parse(JSON.stringify(ranges)) as SplitRange[])
    for await (const batch of reader.read(range, new AbortController().signal)) rows.push(...rowsOf(batch));
  return rows;
};

const line = (k: string, v: number): string => JSON.stringify({ k, v });

test("however files are cut, every line is read once, in order", async (t) => {
  const dir = temporaryDirectory(t);
  const lines = fc.array(fc.oneof(fc.string({ unit: "grapheme", maxLength: 40 }), fc.constant(null)), {
    maxLength: 30,
  });
  let n = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(lines, fc.boolean()), { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 50 }),
      async (texts, splits, pieceMin) => {
        const expected: Row[] = [];
        const files = texts.map(([keys, ended]) => {
          const path = `f${n++}.ndjson`;
          // null: an empty line.
          const text = keys.map((k, i) => (k === null ? "" : line(k, i))).join("\n") + (ended ? "\n" : "");
          keys.forEach((k, i) => void (k !== null && expected.push([k, i])));
          writeFileSync(join(dir, path), text);
          return { path, size: Buffer.byteLength(text), mtimeMs: 0 };
        });
        const s = source(dir, {});
        const runs = spreadFiles(files, splits, true, pieceMin);
        assert.equal(runs.length, splits);
        const rows = await read(
          s,
          runs.map((data, i) => ({ split: String(i), from: 1, to: 2, data: data as readonly Json[] })),
        );
        assert.deepEqual(rows, expected);
      },
    ),
    { numRuns: 100 },
  );
});

test("whole files go to one split each; nothing is lost", () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat({ max: 1000 }), { maxLength: 20 }),
      fc.integer({ min: 1, max: 9 }),
      (sizes, splits) => {
        const files = sizes.map((size, i) => ({ path: `f${i}`, size, mtimeMs: i }));
        assert.deepEqual(spreadFiles(files, splits, false).flat(), files);
      },
    ),
  );
});

/** Enough rows for pieces of a file. */
const bigFile = (dir: string, name: string, from: number, count: number): Row[] => {
  const rows = Array.from({ length: count }, (_, i): Row => [`key-${"x".repeat(i % 37)}`, from + i]);
  writeFileSync(join(dir, name), rows.map(([k, v]) => line(k as string, v as number)).join("\n"));
  return rows;
};

test("one large file is cut; offsets are positions of files, so the next start may have another number of splits", async (t) => {
  const dir = temporaryDirectory(t);
  const store = new MemoryStore({ clock });
  const rows = bigFile(dir, "a.ndjson", 0, 20_000);
  const ends: Record<string, Json> = {};
  const seen: Row[] = [];
  const epoch = async (splits: number): Promise<readonly SplitRange[]> => {
    const s = source(dir, { splits: String(splits) }, store);
    const e = s.enumerator();
    await e.open(Object.keys(ends).length === 0 ? undefined : ends);
    const ranges = await e.plan({});
    assert.deepEqual(await e.plan({}), []);
    for (const r of ranges) ends[r.split] = r.to;
    seen.push(...(await read(s, ranges)));
    return ranges;
  };
  const first = await epoch(4);
  assert.deepEqual(
    first.map((r) => [r.split, r.timeline ?? r.split]),
    ["files", "files-1", "files-2", "files-3"].map((name) => [name, "files"]),
  );
  const sizes = first.map((r) => (r.data as { from: number; to: number }[]).map((p) => p.to - p.from));
  assert.ok(sizes.flat().every((n) => n >= PIECE_BYTES_MIN));
  assert.equal(sizes.flat().length, 4);
  for (const splits of [1, 2, 3]) {
    rows.push(...bigFile(dir, `b${splits}.ndjson`, splits * 100_000, 5_000));
    assert.ok((await epoch(splits)).length === splits);
    assert.deepEqual(await epoch(splits + 1), []);
  }
  assert.deepEqual(seen, rows);
});

test("an error in the middle of a file names its line", async (t) => {
  const dir = temporaryDirectory(t);
  const rows = bigFile(dir, "a.ndjson", 0, 20_000);
  const lines = rows.map(([k, v]) => line(k as string, v as number));
  lines[15_000] = "{oops";
  writeFileSync(join(dir, "a.ndjson"), lines.join("\n"));
  for (const splits of ["1", "4"]) {
    const s = source(dir, { splits, mode: "failFast" });
    const e = s.enumerator();
    await e.open(undefined);
    await assert.rejects(
      read(s, await e.plan({})),
      (x: unknown) => x instanceof ExecutionError && x.message.includes("a.ndjson, line 15001"),
    );
  }
});

test("option splits before what the query would take; bad ones are refused", async (t) => {
  const dir = temporaryDirectory(t);
  assert.equal(await source(dir, {}).parallelism(), 1);
  assert.equal(await source(dir, {}, undefined, 3).parallelism(), 3);
  assert.equal(await source(dir, { splits: "2" }, undefined, 3).parallelism(), 2);
  for (const splits of ["0", "257", "x"])
    assert.throws(
      () => sourceFactory("ndjson").validate({ path: dir, splits }, "stream"),
      ConfigurationError,
    );
});
