/** The generator against the check values of reference/nexmark.md, section 2.6. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { END_TIME_MS, generateLines, nexmarkFiles } from "../../src/bench/nexmark/data.ts";
import { NexmarkGenerator, type NexmarkOptions } from "../../src/bench/nexmark/generator.ts";
import { crc32 } from "../../src/core/crc32.ts";
import { removeTemporary, temporaryDirectory } from "../support/temporary.ts";

const sumOf = (events: number, options: NexmarkOptions): { bytes: number; crc: string } => {
  let [bytes, crc] = [0, 0];
  generateLines(new NexmarkGenerator(options), 0, events, (block) => {
    bytes += block.length;
    crc = crc32(block, crc);
  });
  return { bytes, crc: (crc >>> 0).toString(16).padStart(8, "0") };
};

const BEAM: readonly (readonly [
  events: number,
  delayUs: number,
  group: number,
  bytes: number,
  crc: string,
])[] = [
  [1_000, 100, 1, 190_030, "85981567"],
  [100_000, 100, 1, 19_038_729, "232f74a8"],
  [100_000, 100, 1000, 19_038_729, "1d629ce1"],
  [100_000, 10_000, 1, 19_038_729, "7348e611"],
  [100_000, 10_000, 1000, 19_038_729, "a722fc27"],
];

test("events as Beam's generator makes them", () => {
  for (const [events, delayUs, group, bytes, crc] of BEAM)
    assert.deepEqual(sumOf(events, { delayUs, group, links: false }), { bytes, crc });
});

test("events with channel and url, in order and in groups out of order", () => {
  assert.equal(sumOf(100_000, { delayUs: 10_000, group: 1 }).crc, "97160d10");
  assert.equal(sumOf(100_000, { delayUs: 10_000, group: 1000 }).crc, "5f9f1952");
});

test("any event can be made alone, and every line is JSON", () => {
  const options = { delayUs: 10_000, group: 7 };
  const generator = new NexmarkGenerator(options);
  const lines: string[] = [];
  generateLines(
    generator,
    0,
    500,
    (block) => void lines.push(...Buffer.from(block).toString().trimEnd().split("\n")),
  );
  for (const n of [499, 0, 50, 123]) {
    let alone = "";
    generateLines(generator, n, n + 1, (block) => void (alone = Buffer.from(block).toString().trimEnd()));
    assert.equal(alone, lines[n]);
  }
  const kinds = lines.map((l) => Object.keys(JSON.parse(l) as object).join());
  assert.equal(kinds.filter((k) => k === "person").length, 10);
  assert.equal(kinds.filter((k) => k === "auction").length, 30);
  assert.equal(kinds.filter((k) => k === "bid").length, 460);
});

test("data files are made once, end with the markers, and are checked against the sum", () => {
  const root = temporaryDirectory();
  try {
    const data = { events: 2_000, delayUs: 10_000, group: 1 };
    const files = nexmarkFiles(root, data);
    const names = readdirSync(files.parts).sort();
    assert.equal(names.length, files.files);
    const texts = names.map((n) => readFileSync(join(files.parts, n)));
    const ends = texts.at(-1)!.toString().trimEnd().split("\n");
    assert.equal(ends.length, 3);
    for (const line of ends) assert.ok(line.includes(`"dateTime":${END_TIME_MS}`));
    const events = Buffer.concat(texts.slice(0, -1));
    assert.equal(events.length, files.bytes);
    assert.equal(crc32(events).toString(16).padStart(8, "0"), files.crc32);
    const mark = join(files.parts, "kept");
    writeFileSync(mark, "");
    assert.deepEqual(nexmarkFiles(root, data), files);
    assert.ok(existsSync(mark), "the set was made anew");
    assert.throws(() => nexmarkFiles(root, { ...data, crc32: "00000000" }), /expected 00000000/);
  } finally {
    removeTemporary(root);
  }
});
