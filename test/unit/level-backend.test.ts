/** The state store on disk gives what the one in memory gives, short values and files alike, and leaves no files behind. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { STATE_FILE_BYTES, STATE_PART_FILE_BYTES } from "../../src/core/limits.ts";
import { type BackendChange, MemoryBackend } from "../../src/state/backend.ts";
import { LevelBackend } from "../../src/state/level-backend.ts";

const KEYS = ["a/1", "a/2", "b/1", "b/2"];
const VALUES = [10, STATE_FILE_BYTES - 1, STATE_FILE_BYTES, STATE_FILE_BYTES + 1];
const change: fc.Arbitrary<BackendChange> = fc.oneof(
  fc
    .record({ put: fc.constantFrom(...KEYS), size: fc.constantFrom(...VALUES), fill: fc.nat(255) })
    .map(({ put, size, fill }) => ({ put, value: new Uint8Array(size).fill(fill) })),
  fc.record({ del: fc.constantFrom(...KEYS) }),
);
const step = fc.oneof(
  { weight: 4, arbitrary: fc.array(change, { minLength: 1, maxLength: 5 }) },
  { weight: 1, arbitrary: fc.constant("reopen" as const) },
);

const inDirectory = async (work: (directory: string) => Promise<void>): Promise<void> => {
  const directory = mkdtempSync(join(tmpdir(), "millrace-level-"));
  try {
    await work(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
};

test("any writes and reopenings: as in memory, and a file for every long value that is there", () =>
  fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), (steps) =>
      inDirectory(async (directory) => {
        const model = new MemoryBackend();
        let backend = await LevelBackend.open(directory);
        for (const s of [...steps, "reopen" as const]) {
          if (s === "reopen") {
            await backend.close();
            // What a crash before the batch leaves.
            writeFileSync(join(directory, "blobs", "999"), "garbage");
            backend = await LevelBackend.open(directory);
          } else {
            await model.write(s);
            await backend.write(s);
          }
          let files = 0;
          for (const key of KEYS) {
            const value = await model.get(key);
            if (value !== undefined && value.length >= STATE_FILE_BYTES) files++;
            const got = await backend.get(key);
            assert.deepEqual(got && Buffer.from(got), value && Buffer.from(value));
          }
          for (const prefix of ["", "a/", "b/"])
            assert.deepEqual(await backend.keys(prefix), await model.keys(prefix));
          if (s === "reopen") assert.equal(readdirSync(join(directory, "blobs")).length, files);
        }
        await backend.close();
      }),
    ),
    { numRuns: 15 },
  ));

test("a file that is gone is a value that is missing; one that cannot be written is a StorageError", () =>
  inDirectory(async (directory) => {
    const backend = await LevelBackend.open(directory);
    await backend.write([{ put: "a/1", value: new Uint8Array(STATE_FILE_BYTES) }]);
    rmSync(join(directory, "blobs"), { recursive: true });
    assert.equal(await backend.get("a/1"), undefined);
    await assert.rejects(backend.write([{ put: "a/2", value: new Uint8Array(STATE_FILE_BYTES) }]), {
      name: "StorageError",
    });
    assert.equal(await backend.get("a/2"), undefined);
    await backend.close();
  }));

test("a part is a file sooner; ranges of it are what is there, also of one that is none", () =>
  inDirectory(async (directory) => {
    const backend = await LevelBackend.open(directory);
    for (const [key, length] of [
      ["a/1", STATE_PART_FILE_BYTES],
      ["a/2", STATE_PART_FILE_BYTES - 1],
    ] as const) {
      const value = Uint8Array.from({ length }, (_, i) => i % 251);
      await backend.write([{ put: key, value, part: true }]);
      const ranges = [
        [length - 3, length + 9],
        [0, 5],
        [100, 100],
        [700, 900],
      ] as const;
      const found = await backend.ranges(key, ranges);
      assert.deepEqual(
        found?.map((b) => [...b]),
        ranges.map(([from, to]) => [...value.subarray(from, to)]),
      );
    }
    assert.equal(readdirSync(join(directory, "blobs")).length, 1);
    await backend.close();
  }));
