/**
 * The tools of `make lint`, each run with the checkout's own configuration over a small project that breaks a rule of
 * it: a tool that finds nothing there guards nothing.
 */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { type Ending, repository, runProgram } from "../support/process.ts";
import { type Hooks, temporaryDirectory } from "../support/temporary.ts";

const bin = (name: string): string => join(repository, "node_modules/.bin", name);
const printed = ({ stdout, stderr }: Ending): string => `${stdout}\n${stderr}`;

/** A project in a temporary folder with the checkout's configuration and dependencies. */
function project(
  t: Hooks,
  files: Readonly<Record<string, string>>,
  configurations: readonly string[],
): string {
  const folder = temporaryDirectory(t);
  for (const name of configurations) {
    writeFileSync(join(folder, name), readFileSync(join(repository, name), "utf8"));
  }
  symlinkSync(join(repository, "node_modules"), join(folder, "node_modules"));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

describe("types", () => {
  const other = "export const b = 1;\nexport type T = 1;\n";
  const compile = (t: Hooks, text: string): Promise<Ending> => {
    const cwd = project(t, { "package.json": '{"type":"module"}', "src/a.ts": text, "src/b.ts": other }, [
      "tsconfig.json",
    ]);
    return runProgram(bin("tsc"), ["--noEmit", "-p", "tsconfig.json"], { cwd });
  };

  test("a sound file passes", async (t) => {
    const ending = await compile(t, 'import { b } from "./b.ts";\nexport const a: number = b;\n');
    assert.equal(ending.code, 0, printed(ending));
  });

  const planted: readonly (readonly [what: string, text: string, message: RegExp])[] = [
    ["a wrong type", 'export const a: number = "x";', /TS2322/],
    ["an unchecked index", "export const a = (x: number[]): number => x[0];", /TS2322/],
    ["an explicit undefined", "export const a: { b?: number } = { b: undefined };", /TS2375|TS2412/],
    ["an enum", "export enum A { B }", /TS1294/],
    ["a type imported as a value", 'import { T } from "./b.ts";\nexport type A = T;', /TS1484/],
    ["a missing override", "class A { f() {} }\nexport class B extends A { f() {} }", /TS4114/],
  ];
  for (const [what, text, message] of planted) {
    test(`planted: ${what}`, async (t) => {
      const ending = await compile(t, `${text}\n`);
      assert.notEqual(ending.code, 0);
      assert.match(printed(ending), message);
    });
  }
});

describe("lint", () => {
  const lint = (t: Hooks, files: Readonly<Record<string, string>>): Promise<Ending> => {
    const cwd = project(t, files, ["tsconfig.json", ".oxlintrc.json"]);
    return runProgram(bin("oxlint"), ["--type-aware", "--deny-warnings", "src"], { cwd });
  };

  test("a sound file passes", async (t) => {
    const ending = await lint(t, { "src/a.ts": "export const a = (x: number): number => x + 1;\n" });
    assert.equal(ending.code, 0, printed(ending));
  });

  const long = "  x += 1;\n".repeat(70);
  const planted: readonly (readonly [rule: string, files: Readonly<Record<string, string>>])[] = [
    [
      "no-floating-promises",
      { "src/a.ts": "const f = async () => 1;\nexport const g = () => {\n  f();\n};\n" },
    ],
    ["await-thenable", { "src/a.ts": "export const f = async (x: number) => await x;\n" }],
    ["no-explicit-any", { "src/a.ts": "export const f = (x: any) => x as number;\n" }],
    [
      "consistent-type-imports",
      { "src/a.ts": 'import { B } from "./b.ts";\nexport type A = B;\n', "src/b.ts": "export type B = 1;\n" },
    ],
    ["no-unused-vars", { "src/a.ts": "const x = 1;\nexport const y = 2;\n" }],
    ["no-console", { "src/a.ts": "console.log(1);\nexport {};\n" }],
    ["max-lines", { "src/a.ts": `${"export {};\n".repeat(401)}` }],
    ["max-lines-per-function", { "src/a.ts": `export function f(x: number) {\n${long}  return x;\n}\n` }],
    [
      "no-cycle",
      {
        "src/a.ts": 'import { b } from "./b.ts";\nexport const a = () => b;\n',
        "src/b.ts": 'import { a } from "./a.ts";\nexport const b = () => a;\n',
      },
    ],
  ];
  for (const [rule, files] of planted) {
    test(`planted: ${rule}`, async (t) => {
      const ending = await lint(t, files);
      assert.notEqual(ending.code, 0);
      assert.match(printed(ending), new RegExp(`\\(${rule}\\)`));
    });
  }
});

describe("format", () => {
  const check = (t: Hooks, text: string): Promise<Ending> => {
    const cwd = project(t, { "src/a.ts": text }, [".prettierrc.json", ".prettierignore"]);
    return runProgram(bin("prettier"), ["--check", "."], { cwd });
  };
  test("a formatted file passes", async (t) =>
    assert.equal((await check(t, "export const a = 1;\n")).code, 0));
  test("planted: a file that is not", async (t) => {
    const ending = await check(t, "export const a  =  1\n");
    assert.equal(ending.code, 1);
    assert.match(printed(ending), /src\/a\.ts/);
  });
});

describe("dead code", () => {
  const manifest = JSON.stringify({
    name: "planted",
    type: "module",
    exports: { ".": "./dist/src/index.js", "./testing": "./dist/src/testing/index.js" },
    bin: { planted: "dist/src/cli/main.js" },
  });
  const sound = {
    "package.json": manifest,
    "src/index.ts": 'export { a } from "./a.ts";\n',
    "src/a.ts": "export const a = 1;\n",
    "src/testing/index.ts": "export {};\n",
    "src/cli/main.ts": "export {};\n",
  };
  const look = (t: Hooks, files: Readonly<Record<string, string>>): Promise<Ending> => {
    const cwd = project(t, { ...sound, ...files }, ["knip.json", "tsconfig.json", "tsconfig.build.json"]);
    const rules = "files,exports,unlisted,unresolved";
    return runProgram(bin("knip"), ["--include", rules, "--no-config-hints"], { cwd });
  };
  test("a project in use passes", async (t) => {
    const ending = await look(t, {});
    assert.equal(ending.code, 0, printed(ending));
  });
  const planted: readonly (readonly [string, Readonly<Record<string, string>>, RegExp])[] = [
    ["a dead export", { "src/a.ts": "export const a = 1;\nexport const deadExport = 2;\n" }, /deadExport/],
    ["a dead file", { "src/core/dead-file.ts": "export const x = 1;\n" }, /dead-file\.ts/],
    ["an unlisted dependency", { "src/a.ts": 'import "not-listed";\nexport const a = 1;\n' }, /not-listed/],
  ];
  for (const [what, files, message] of planted) {
    test(`planted: ${what}`, async (t) => {
      const ending = await look(t, files);
      assert.notEqual(ending.code, 0);
      assert.match(printed(ending), message);
    });
  }
});

describe("the packed package", () => {
  const manifest = (more: object): string =>
    JSON.stringify({
      name: "planted",
      version: "1.0.0",
      type: "module",
      license: "Apache-2.0",
      files: ["dist"],
      exports: { ".": { types: "./dist/index.d.ts", default: "./dist/index.js" } },
      ...more,
    });
  const sound = {
    "package.json": manifest({}),
    "dist/index.js": "export const a = 1;\n",
    "dist/index.d.ts": "export declare const a = 1;\n",
  };
  const check = (t: Hooks, files: Readonly<Record<string, string>>): Promise<Ending> => {
    const cwd = project(t, { ...sound, ...files }, []);
    return runProgram(process.execPath, [join(repository, "ops/setup/check-package.mjs"), cwd]);
  };
  test("a sound package passes", async (t) => {
    const ending = await check(t, {});
    assert.equal(ending.code, 0, printed(ending));
  });
  test("planted: publint finds a file that is not packed", async (t) => {
    const ending = await check(t, { "package.json": manifest({ bin: { planted: "dist/absent.js" } }) });
    assert.equal(ending.code, 1);
    assert.match(printed(ending), /publint/);
    assert.match(printed(ending), /absent/);
  });
  test("planted: attw finds types that the runtime does not have", async (t) => {
    const ending = await check(t, {
      "dist/index.js": "module.exports = {};\n",
      "package.json": manifest({
        type: "commonjs",
        exports: { ".": { types: "./dist/index.d.mts", default: "./dist/index.js" } },
      }),
      "dist/index.d.mts": "export default 1;\n",
    });
    assert.equal(ending.code, 1);
    assert.match(printed(ending), /attw/);
  });
});
