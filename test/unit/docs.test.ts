/** The pages of docs/: generated ones are up to date, lists are complete, links lead somewhere. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { ERROR_CLASSES } from "../../ops/docs/error-classes.ts";
import { classesIn, errorClasses, renderErrors, usedClasses } from "../../ops/docs/errors.ts";
import { renderFunctions } from "../../ops/docs/functions.ts";
import { sinkFactories, sourceFactories } from "../../src/connectors/registry.ts";
import * as errors from "../../src/core/errors.ts";
import { aggregateDefinitions } from "../../src/expr/aggregates/registry.ts";
import { functionDefinitions } from "../../src/expr/registry.ts";
import { repository } from "../support/process.ts";

const docs = join(repository, "docs");
const page = (name: string): string => readFileSync(join(docs, name), "utf8");
const pages = readdirSync(docs).filter((f) => f.endsWith(".md"));

const stale = "run npx tsx ops/docs/main.ts";

test("functions.md is what the registries say", () => {
  assert.equal(page("functions.md"), renderFunctions(), stale);
  const rows = page("functions.md")
    .split("\n")
    .filter((line) => line.startsWith("| `")).length;
  assert.ok(rows >= functionDefinitions().length + aggregateDefinitions().length);
});

test("errors.md is what the sources say", () => assert.equal(page("errors.md"), renderErrors(), stale));

test("every class of src/core/errors.ts has an entry", () => {
  const exported = Object.entries(errors)
    .filter(([, v]) => typeof v === "function" && v.prototype instanceof errors.MillraceError)
    .map(([name]) => name);
  assert.deepEqual(
    errorClasses()
      .map((c) => c.name)
      .sort(),
    exported.sort(),
  );
});

const listed = new Set(ERROR_CLASSES.map(([name]) => name));

test("every error class that the sources name has an entry, in order, once", () => {
  const missing = [...usedClasses().keys()].filter((name) => !listed.has(name));
  assert.deepEqual(missing, [], "add them to ops/docs/error-classes.ts");
  const names = ERROR_CLASSES.map(([name]) => name);
  assert.deepEqual(names, [...new Set(names)].sort());
  for (const name of listed) assert.ok(page("errors.md").includes(`### ${name}\n`), name);
});

test("a class that has no entry is noticed", () => {
  const found = classesIn(
    'throw fail("BRAND_NEW_CLASS.SUB", "x"); const e = { errorClass: "DIVIDE_BY_ZERO" }; "MILLRACE_PORT"',
  );
  assert.deepEqual(found, ["BRAND_NEW_CLASS.SUB", "DIVIDE_BY_ZERO"]);
  assert.equal(listed.has("BRAND_NEW_CLASS"), false);
});

test("every error class of the golden cases has an entry", () => {
  const folder = join(repository, "test/golden/cases");
  for (const file of readdirSync(folder).filter((f) => f.endsWith(".json")))
    for (const [, name] of readFileSync(join(folder, file), "utf8").matchAll(
      /"(?:error|refused)": ?"([A-Z]+(?:_[A-Z]+)+)[."]/g,
    ))
      assert.ok(listed.has(name!), `${file}: ${name}`);
});

test("connectors.md names every format and option", () => {
  const text = page("connectors.md");
  for (const factory of [...sourceFactories(), ...sinkFactories()])
    for (const name of [factory.format, ...factory.optionNames])
      assert.ok(text.includes(`\`${name}\``), `${factory.format}: ${name}`);
});

test("links between pages and files lead somewhere", () => {
  for (const name of pages)
    for (const [, target] of page(name).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
      if (/^https?:/.test(target!)) continue;
      assert.ok(existsSync(join(dirname(join(docs, name)), target!)), `${name}: ${target}`);
    }
  for (const name of pages)
    if (name !== "index.md") assert.ok(page("index.md").includes(`(${name})`), `index.md lacks ${name}`);
});
