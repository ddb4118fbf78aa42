/** Strings of a JSON column that repeat are found in one dictionary; those that do not are not looked for (byte-strings.ts B1, B3). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { field, STRING } from "../../src/core/data-type.ts";
import { rowsOf } from "../../src/core/batch.ts";
import { schemaOf } from "../../src/core/schema.ts";
import { JsonDecoder } from "../../src/connectors/formats/json-decoder.ts";

const ROWS = 4096;

/** Decodes batches of rows in turn; row i of all has the text `key(i)`. Gives the entries of each batch's dictionary. */
const entries = (batches: number, rows: number, key: (i: number) => string): readonly number[] => {
  const decoder = new JsonDecoder(
    schemaOf([field("k", STRING)]),
    { mode: "failFast", corruptColumn: "_corrupt_record", timeZone: "UTC" },
    true,
  );
  return Array.from({ length: batches }, (_, b) => {
    const keys = Array.from({ length: rows }, (_v, i) => key(b * rows + i));
    const batch = decoder.decode([Buffer.from(keys.map((k) => `{"k":"${k}"}`).join("\n"))]);
    assert.deepEqual(
      rowsOf(batch),
      keys.map((k) => [k]),
    );
    const column = batch.columns[0]!;
    assert.equal(column.layout, "dict");
    return column.layout === "dict" ? column.dictionary.length : -1;
  });
};

test("a thousand keys that come in turn have an entry each, however small the batches are", () => {
  assert.deepEqual(
    entries(4, ROWS, (i) => `key-${(i * 7919) % 1000}`),
    [1000, 1000, 1000, 1000],
  );
  assert.equal(entries(200, 50, (i) => `key-${(i * 7919) % 1000}`).at(-1), 1000);
});

test("strings that never repeat are not kept from batch to batch", () => {
  const found = entries(6, ROWS, (i) => `text ${i}`);
  assert.deepEqual(
    found.slice(1),
    found.slice(1).map(() => ROWS),
  );
});

test("strings that begin to repeat are found again after the pause", () => {
  const found = entries(80, ROWS, (i) => (i < 2 * ROWS ? `text ${i}` : `key-${i % 1000}`));
  assert.equal(found.at(-1), 1000);
});
