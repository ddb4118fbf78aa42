/**
 * What `explain("codegen")` shows, compared with `codegen.txt` beside this file (written anew with UPDATE_PLANS=1; read the difference before committing it):
 * decoders of JSON sources, loops of chains, and the plan of sliding windows by panes.
 */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { field, LONG, STRING, struct, TIMESTAMP } from "../../src/core/data-type.ts";
import { schemaOf } from "../../src/core/schema.ts";
import { SessionCatalog } from "../../src/plan/catalog.ts";
import type { Relation } from "../../src/plan/relation.ts";
import { explainQuery } from "../../src/query/explain.ts";
import { planQuery } from "../../src/query/planning.ts";
import { parseQuery } from "../../src/sql/parser.ts";
import { watermarked } from "../support/plans.ts";

const source = (format: string, options: Readonly<Record<string, string>>): Relation => ({
  kind: "source",
  source: {
    format,
    options,
    schema: schemaOf([
      field("k", STRING),
      field("at", TIMESTAMP),
      field("bid", struct([field("price", LONG), field("channel", STRING), field("unread", STRING)])),
    ]),
    pushed: [],
  },
  streaming: true,
  name: "events",
});

const SOURCES: Readonly<Record<string, Relation>> = {
  files: watermarked(source("ndjson", { path: "in" }), "at", 1000),
  stream: source("nats", { stream: "IN", encoding: "json" }),
  packed: source("nats", { stream: "IN", encoding: "msgpack" }),
};

const shown = (sql: string, mode: "codegen" | "simple"): string => {
  const catalog = new SessionCatalog();
  for (const [name, relation] of Object.entries(SOURCES)) catalog.define({ name, kind: "view", relation });
  const plans = planQuery(
    parseQuery(sql),
    catalog,
    "update",
    { format: "noop", options: {}, partitionBy: [] },
    {
      timeZone: "UTC",
      compatibility: "extended",
      watermarkPolicy: "min",
      staticReload: "once",
      withoutRules: [],
    },
    {} as never,
  );
  return explainQuery(plans, mode);
};

const GOLDEN = new URL("codegen.txt", import.meta.url);
const SLIDING = "SELECT window(at, '10 seconds', '2 seconds') AS w, k, count(*) AS n";
const CASES: readonly (readonly ["codegen" | "simple", string])[] = [
  ["codegen", "SELECT bid.price * 2 AS twice, bid.channel FROM files WHERE k = 'a'"],
  ["codegen", "SELECT at FROM stream"],
  ["simple", `${SLIDING} FROM files GROUP BY window(at, '10 seconds', '2 seconds'), k`],
];

test("generated code and panes as recorded", () => {
  const text = CASES.map(([mode, sql]) => `-- ${sql}\n${shown(sql, mode)}`).join("\n");
  if (process.env["UPDATE_PLANS"] === "1") writeFileSync(GOLDEN, text);
  assert.equal(text, readFileSync(GOLDEN, "utf8"));
});

test("a decoder that is not generated is not shown", () => {
  assert.ok(!shown("SELECT k FROM packed", "codegen").includes("decoder of source"));
});

test("names of fields never stand in generated code", () => {
  const text = shown("SELECT bid.channel FROM files", "codegen");
  const code = text.slice(text.indexOf('"use strict"'));
  assert.ok(!/channel|price/.test(code.slice(0, code.indexOf("-- calc"))), code);
});

test("windows are expanded where panes cannot stand for them", () => {
  const panes = (sql: string): boolean => shown(sql, "simple").includes("by panes");
  const from = "FROM files GROUP BY";
  assert.ok(panes(`SELECT count(*) AS n ${from} window(at, '6 seconds', '2 seconds')`));
  // The size is no multiple of the slide.
  assert.ok(!panes(`SELECT count(*) AS n ${from} window(at, '5 seconds', '2 seconds')`));
  // An aggregate that is not added up before the exchange.
  assert.ok(!panes(`SELECT collect_list(k) AS n ${from} window(at, '6 seconds', '2 seconds')`));
  // An aggregate that reads the window.
  assert.ok(
    !panes(
      `SELECT max(w.start) AS n FROM (SELECT window(at, '6 seconds', '2 seconds') AS w FROM files) GROUP BY w`,
    ),
  );
});
