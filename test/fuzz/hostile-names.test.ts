/** Names that mean something to JavaScript or to SQL are only names: through generated code, frames, state, restarts and the sink. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MemorySource } from "../../src/connectors/memory-input.ts";
import { MemorySink } from "../../src/connectors/memory-sink.ts";
import { field, LONG, STRING, TIMESTAMP } from "../../src/core/data-type.ts";
import { schemaOf } from "../../src/core/schema.ts";
import { SessionCatalog } from "../../src/plan/catalog.ts";
import { parseQuery } from "../../src/sql/parser.ts";
import { TestCluster } from "../../src/testing/cluster.ts";

const HOSTILE = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "a.b",
  'quo"te',
  "it's",
  "back`tick",
  "new\nline",
  "${x}",
  "*/ throw 1; /*",
  "\\",
  "日本",
  "👩‍🚀",
  "\u2028",
  " ",
  "select",
  "0",
];

const quoted = (name: string): string => `\`${name.replaceAll("`", "``")}\``;

/** Three different names, also without regard to case. */
const names = fc.uniqueArray(
  fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ minLength: 1, maxLength: 8 })),
  {
    minLength: 3,
    maxLength: 3,
    selector: (n) => n.toLowerCase(),
  },
);

const run = async ([k, v, out]: readonly string[]): Promise<unknown[][]> => {
  const cluster = new TestCluster({ partitions: 2 });
  try {
    const schema = schemaOf([field(k!, STRING), field(v!, LONG), field("ts", TIMESTAMP)]);
    const handle = new MemorySource(schema);
    const catalog = new SessionCatalog();
    const source = { format: "memory", options: {}, schema, pushed: [], handle };
    const view = "in `this` view";
    catalog.define({
      name: view,
      kind: "view",
      relation: { kind: "source", source, streaming: true, name: "memory" },
    });
    const [key, value] = [quoted(k!), quoted(v!)];
    const sql =
      `SELECT named_struct('${out!.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}', ${key}) AS ${key}, ` +
      `sum(${value}) FILTER (WHERE ${value} > 0) AS ${quoted(out!)}, max(upper(${key})) AS ${value} ` +
      `FROM ${quoted(view)} GROUP BY ${key}`;
    const sink = new MemorySink();
    await cluster.start({
      name: "q",
      relation: parseQuery(sql),
      catalog,
      outputMode: "complete",
      trigger: { kind: "processingTime", intervalMs: 1_000 },
      sink: { format: "memory", options: {}, partitionBy: [], handle: sink },
      partitions: undefined,
    });
    await handle.addData([["x", 1, 0] as never, ["y", 5, 0] as never]);
    await cluster.processAllAvailable("q");
    await cluster.kill(0);
    await cluster.restart(0);
    await handle.addData([["x", 2, 0] as never]);
    await cluster.processAllAvailable("q");
    assert.deepEqual(
      sink.schema!.fields.map((f) => f.name),
      [k, out, v],
    );
    return sink
      .rowsByEpoch()
      .at(-1)![1]
      .map((row) => [...row]);
  } finally {
    await cluster.close();
  }
};

test("any names are only names", async () => {
  await fc.assert(
    fc.asyncProperty(names, async (chosen) => {
      const rows = await run(chosen);
      assert.deepEqual(
        rows.sort((a, b) => (String(a[2]) < String(b[2]) ? -1 : 1)),
        [
          [["x"], 3, "X"],
          [["y"], 5, "Y"],
        ],
      );
    }),
    { numRuns: Number(process.env["MILLRACE_COUNT"] ?? 60) },
  );
  assert.equal(({} as Record<string, unknown>)["x"], undefined);
});
