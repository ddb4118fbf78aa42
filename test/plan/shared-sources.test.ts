/** A source that several parts of a query name is read once: one stage, a tree of operators for each part. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { EVENTS_SCHEMA, nexmarkCatalog } from "../../src/bench/nexmark/views.ts";
import { nexmarkQuery } from "../../src/bench/nexmark/queries.ts";
import { isFork } from "../../src/operators/fork.ts";
import { analyse } from "../../src/plan/analyse.ts";
import { SessionCatalog } from "../../src/plan/catalog.ts";
import { explainPhysical } from "../../src/plan/explain-physical.ts";
import { optimise } from "../../src/plan/optimise.ts";
import type { PhysicalPlan } from "../../src/plan/physical.ts";
import { planStream } from "../../src/plan/physical-planner.ts";
import { parseQuery } from "../../src/sql/parser.ts";
import { OPTIONS } from "../support/plans.ts";

const planned = (query: string, sql = nexmarkQuery(query, 100).sql): PhysicalPlan => {
  const catalog = nexmarkCatalog({ format: "ndjson", options: { path: "/in" } }, 4000);
  const plan = optimise(analyse(parseQuery(sql), catalog, OPTIONS), { timeZone: "UTC" });
  return planStream(plan, { format: "noop", options: {}, partitionBy: [] }, true, {
    outputMode: "append",
    watermarkPolicy: "min",
    runBatch: async () => [],
    staticReload: "epoch",
    onError: "fail",
  });
};

test("queries over several kinds of one stream of events have one source", () => {
  for (const [query, trees] of Object.entries({ q0: 1, q3: 2, q4: 2, q8: 2, q20: 2, q23: 3 })) {
    const sources = planned(query).stages.filter((s) => s.kind === "source");
    assert.equal(sources.length, 1, query);
    const { root, outputs } = sources[0]!;
    assert.equal(isFork(root) ? root.inputs.length : 1, trees, query);
    if (isFork(root))
      assert.deepEqual(
        root.spec.edges,
        outputs.map((e) => e.id),
      );
  }
});

test("the stage reads the columns of all parts, each once; explain shows who takes which", () => {
  const text = explainPhysical(planned("q8"));
  assert.match(text, /Fork: one read for e0, e1 \(fork-0\)/);
  assert.equal(text.match(/Source s\d/g)!.length, 1);
  const [, columns] = /Source s0 ndjson \[(.*)\]/.exec(text)!;
  assert.deepEqual(columns!.split(", ").toSorted(), [
    "(auction IS NOT NULL)",
    "(person IS NOT NULL)",
    "auction.dateTime",
    "auction.seller",
    "person.dateTime",
    "person.id",
    "person.name",
  ]);
  assert.match(text, /Input: rows of the source \[person\.id, /);
  assert.match(text, /Input: rows of the source \[[^\]]*auction\.seller/);
});

test("what the parts read alike is read once and handed to both", () => {
  const sql = `SELECT A.id FROM (SELECT id, name FROM person) A JOIN (SELECT id, city FROM person) B ON A.id = B.id`;
  const plan = planned("", sql);
  const source = plan.stages.find((s) => s.kind === "source")!;
  const names = source.source!.spec.schema.fields.map((f) => f.name);
  assert.equal(new Set(names).size, names.length);
  assert.equal(names.filter((n) => n === "person.id").length, 1);
});

test("other options are another input", () => {
  const catalog = new SessionCatalog();
  for (const path of ["one", "two"]) {
    const source = { format: "ndjson", options: { path }, schema: EVENTS_SCHEMA, pushed: [] };
    catalog.define({
      name: path,
      kind: "view",
      relation: { kind: "source", source, streaming: true, name: path },
    });
  }
  const sql = "SELECT person FROM one UNION ALL SELECT person FROM two";
  const plan = optimise(analyse(parseQuery(sql), catalog, OPTIONS), { timeZone: "UTC" });
  const physical = planStream(plan, { format: "noop", options: {}, partitionBy: [] }, true, {
    outputMode: "append",
    watermarkPolicy: "min",
    runBatch: async () => [],
    staticReload: "epoch",
    onError: "fail",
  });
  assert.equal(physical.stages.filter((s) => s.kind === "source").length, 2);
});
