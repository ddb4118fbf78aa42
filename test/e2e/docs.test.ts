/**
 * Every block of code in docs/ that says it runs is run by the command line, and prints the block of text behind it. A block of TypeScript begins with
 * `// runs`, one of SQL with `-- runs`.
 */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { repository, runNode } from "../support/process.ts";
import type { Hooks } from "../support/temporary.ts";
import { millrace } from "./node-bed.ts";

interface Block {
  readonly language: "ts" | "sql";
  readonly code: string;
  readonly expected: string | undefined;
}

const blocksOf = (page: string): readonly Block[] => {
  const fences = [...page.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map((m) => ({
    language: m[1]!,
    text: m[2]!,
  }));
  return fences.flatMap(({ language, text }, i) => {
    const next = fences[i + 1];
    if ((language !== "ts" && language !== "sql") || !/^(\/\/|--) runs\n/.test(text)) return [];
    return [{ language, code: text, expected: next?.language === "text" ? next.text : undefined }];
  });
};

const docs = join(repository, "docs");
const pages = readdirSync(docs).filter((f) => f.endsWith(".md"));
const all = pages.flatMap((page) =>
  blocksOf(readFileSync(join(docs, page), "utf8")).map((block, i) => ({
    name: `${page} ${i + 1}`,
    ...block,
  })),
);

test("blocks that run are found, with what they print", () => {
  assert.ok(all.length >= 8);
  for (const { name, expected } of all) assert.notEqual(expected, undefined, name);
  const planted =
    "```ts\n// runs\n1;\n```\n\n```text\n2\n```\n\n```ts\nnot this\n```\n\n```sql\n-- runs\nSELECT 1\n```\n";
  assert.deepEqual(
    blocksOf(planted).map((b) => [b.language, b.expected]),
    [
      ["ts", "2\n"],
      ["sql", undefined],
    ],
  );
});

/** A folder below the checkout, so that programs in it find the library by its own name. */
const folderFor = (t: Hooks): string => {
  mkdirSync(join(repository, ".tools"), { recursive: true });
  const folder = mkdtempSync(join(repository, ".tools", "docs-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};

/** What the compiler says of programs. */
const compiled = async (folder: string, programs: readonly string[]): Promise<string> => {
  programs.forEach((code, i) => writeFileSync(join(folder, `block-${i}.ts`), code));
  const compilerOptions = { noEmit: true, rootDir: repository };
  const config = { extends: join(repository, "tsconfig.json"), compilerOptions, include: ["*.ts"] };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
  const end = await runNode([join(repository, "node_modules/typescript/bin/tsc"), "-p", folder]);
  return `${end.stdout}${end.stderr}`;
};

test("every TypeScript program of the pages compiles; a wrong one does not", async (t) => {
  const programs = pages.flatMap((page) =>
    [...readFileSync(join(docs, page), "utf8").matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map((m) => m[1]!),
  );
  assert.ok(programs.length >= 7);
  assert.equal(await compiled(folderFor(t), programs), "");
  const wrong = 'import { session } from "millrace";\nsession({ name: "x" }).range(3).select("nope");\n';
  assert.match(await compiled(folderFor(t), [wrong]), /block-0\.ts/);
});

for (const { name, language, code, expected } of all)
  test(`docs/${name}`, async (t) => {
    const folder = folderFor(t);
    const file = join(folder, `block.${language}`);
    writeFileSync(file, code);
    const command = language === "sql" ? "sql" : "run";
    const end = await millrace([command, file, "--data", join(folder, "data"), "--port", "0"]);
    assert.equal(end.code, 0, end.stderr);
    assert.equal(end.stdout.trimEnd(), expected!.trimEnd(), end.stderr);
  });
