/**
 * The form of the code as tests. Each rule is held against the checkout, and against a planted violation that it must
 * report, so that none passes by reading nothing.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ambientUses } from "../support/tidy/ambient.ts";
import { againstArrows, layerOf } from "../support/tidy/arrows.ts";
import { badDeclarations, badNames, strayPlaces, tooLong } from "../support/tidy/form.ts";
import { looseDependencies } from "../support/tidy/manifest.ts";
import { checkoutFiles, type SourceFile, typescriptFiles, type Violation } from "../support/tidy/tree.ts";

const library = typescriptFiles("src", "actors");
const everything = typescriptFiles("src", "actors", "examples", "test", "ops");
const file = (path: string, text: string): SourceFile => ({ path, text });
const problems = (found: readonly Violation[]): string[] => found.map(({ problem }) => problem);

function assertClean(found: readonly Violation[]): void {
  assert.equal(found.length, 0, problems(found).slice(0, 40).join("\n"));
}

test("the rules read the whole library", () => {
  assert.ok(library.length >= 24, `${library.length} files`);
  assert.ok(library.some(({ path }) => path === "src/core/batch.ts"));
});

describe("arrows", () => {
  test("every import of the library goes to the right", () => assertClean(againstArrows(library)));

  const planted: readonly (readonly [what: string, path: string, text: string])[] = [
    ["an import from above", "src/core/a.ts", 'import { f } from "../codec/frame.ts";'],
    ["a type from above", "src/core/a.ts", 'import type { F } from "../codec/frame.ts";'],
    ["an inline type from above", "src/log/a.ts", 'import { type F } from "../state/table.ts";'],
    ["an import for its effect", "src/expr/a.ts", 'import "../operators/filter.ts";'],
    ["a dynamic import", "src/plan/a.ts", 'export const f = () => import("../runtime/loop.ts");'],
    ["a type by import()", "src/state/a.ts", 'export type T = import("../expr/ast.ts").Expression;'],
    ["a re-export", "src/codec/a.ts", 'export { f } from "../log/log.ts";'],
    ["a re-export of all", "src/codec/a.ts", 'export * from "../log/log.ts";'],
    ["an actor's import from the query", "actors/a.ts", 'import { q } from "../src/query/query.ts";'],
    ["the public surface from below", "src/sql/a.ts", 'import { session } from "../index.ts";'],
    ["the package by its own name", "src/query/a.ts", 'import { session } from "millrace";'],
    ["layers side by side", "src/http/a.ts", 'import { bench } from "../bench/run.ts";'],
    ["an import out of the layers", "src/core/a.ts", 'import { f } from "../../test/support/x.ts";'],
    ["a computed import", "src/query/a.ts", "export const f = (name: string) => import(name);"],
    ["push-down of values", "src/connectors/a.ts", 'import { walk } from "../expr/ast.ts";'],
    ["push-down past the tree", "src/connectors/a.ts", 'import type { F } from "../expr/function.ts";'],
    ["push-down from below", "src/state/a.ts", 'import type { Expression } from "../expr/ast.ts";'],
    ["a file of no layer", "src/stray.ts", "export const a = 1;"],
  ];
  for (const [what, path, text] of planted) {
    test(`planted: ${what}`, () => assert.equal(againstArrows([file(path, text)]).length, 1));
  }

  const allowed: readonly (readonly [what: string, path: string, text: string])[] = [
    ["to the right", "src/cli/main.ts", 'import { f } from "../core/clock.ts";'],
    ["within the layer", "src/core/a.ts", 'import { f } from "./b.ts"; import { g } from "./deep/c.ts";'],
    ["push-down types", "src/connectors/nats/a.ts", 'import type { Expression } from "../../expr/ast.ts";'],
    ["a dependency", "src/core/a.ts", 'import * as Effect from "effect/Effect"; import fs from "node:fs";'],
    ["the actors from the query", "src/query/a.ts", 'import { stage } from "../../actors/stage.ts";'],
    [
      "in a comment or a string",
      "src/core/a.ts",
      '// import "../log/log.ts"\nexport const s = \'from "../x"\';',
    ],
  ];
  for (const [what, path, text] of allowed) {
    test(`allowed: ${what}`, () => assertClean(againstArrows([file(path, text)])));
  }

  test("a layer is a folder, not a beginning of a name", () => {
    assert.equal(layerOf("src/core-extra/a.ts"), undefined);
    assert.equal(layerOf("src/core/a.ts")?.name, "src/core");
  });
});

describe("ambient time, chance and output", () => {
  test("none below src/query", () => assertClean(ambientUses(library)));

  const uses = [
    "Date.now()",
    "new Date()",
    "Date()",
    "Math.random()",
    "performance.now()",
    "process.hrtime.bigint()",
    "globalThis.Date.now()",
    "globalThis.performance.now()",
    'Date["now"]()',
    "setTimeout(() => 1, 5)",
    "setInterval(() => 1, 5)",
    "globalThis.setTimeout(() => 1, 5)",
    "console.log(1)",
    "[1].forEach(console.log)",
    "crypto.randomUUID()",
  ];
  for (const use of uses) {
    test(`planted: ${use}`, () => {
      for (const path of ["src/core/a.ts", "src/cluster/a.ts", "actors/a.ts"]) {
        assert.equal(ambientUses([file(path, `export const f = () => ${use};`)]).length, 1, path);
      }
      assertClean(ambientUses([file("src/query/a.ts", `export const f = () => ${use};`)]));
    });
  }

  test("planted: the imported forms", () => {
    const imports = [
      'import { setTimeout } from "node:timers/promises";',
      'import { randomUUID } from "node:crypto";',
    ];
    for (const text of imports) assert.equal(ambientUses([file("src/runtime/a.ts", text)]).length, 1, text);
  });

  test("the log waits by timers, and reads no clock", () => {
    assertClean(ambientUses([file("src/log/a.ts", "export const f = () => setTimeout(() => 1, 5);")]));
    assert.equal(ambientUses([file("src/log/a.ts", "export const f = () => Date.now();")]).length, 1);
  });

  test("a date of a value is no clock", () => {
    assertClean(
      ambientUses([file("src/expr/a.ts", "export const f = (ms: number) => new Date(ms).getUTCDay();")]),
    );
  });
});

describe("form", () => {
  test("no file is too long", () => assertClean(tooLong(everything)));
  test("planted: 401 lines", () => {
    assertClean(tooLong([file("src/core/a.ts", "//\n".repeat(400))]));
    assert.equal(tooLong([file("src/core/a.ts", "//\n".repeat(401))]).length, 1);
  });

  test("files have names that say what they hold", () => assertClean(badNames(everything)));
  for (const name of [
    "src/core/utils.ts",
    "src/utils/a.ts",
    "src/core/string-util.ts",
    "src/core/fooBar.ts",
  ]) {
    test(`planted: ${name}`, () => assert.equal(badNames([file(name, "")]).length, 1));
  }

  test("exports are named, nothing ends in Impl", () => assertClean(badDeclarations(everything)));
  const declarations = [
    'export * from "./b.ts";',
    'export * as b from "./b.ts";',
    "export default 1;",
    "export class LogImpl {}",
    "export interface LogImpl { a: 1 }",
    "const logImpl = 1; export { logImpl };",
  ];
  for (const text of declarations) {
    test(`planted: ${text}`, () => assert.equal(badDeclarations([file("src/core/a.ts", text)]).length, 1));
  }

  test("nothing names a registry's host or a folder of somebody's machine", () => {
    assertClean(strayPlaces(checkoutFiles()));
  });
  test("planted: a host and a folder", () => {
    const host = ["registry", "npmjs", "org"].join(".");
    assert.equal(strayPlaces([file("a.md", `see ${host}`)]).length, 1);
    assert.equal(strayPlaces([file("a.ts", `const f = "${"/" + "root"}/x/y";`)]).length, 1);
    assert.equal(strayPlaces([file("a.ts", `const f = "${"/" + "work"}/main/y";`)]).length, 1);
    assertClean(strayPlaces([file("a.ts", 'import "../work/x.ts"; // a/home/x')]));
  });
});

describe("dependencies", () => {
  const textOf = (path: string): string => checkoutFiles(path)[0]?.text ?? "";
  const reasons = textOf("ops/adr/0001-dependencies.md");

  test("each is of one version and has its reason", () => {
    assert.ok(reasons.length > 0);
    assertClean(looseDependencies(textOf("package.json"), reasons));
  });
  test("planted: a range, and a package without a reason", () => {
    const manifest = JSON.stringify({
      dependencies: { effect: "^4.1.0" },
      devDependencies: { "left-pad": "1.3.0" },
    });
    assert.deepEqual(problems(looseDependencies(manifest, reasons)), [
      'effect is wanted as "^4.1.0", not as one version',
      "left-pad has no reason in ops/adr/0001",
    ]);
  });
});
