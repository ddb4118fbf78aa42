/** The files of the checkout as the rules see them: what git tracks or would, never what was built or fetched. */
import { execFileSync } from "node:child_process";
import { readFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { parseSync, type Program } from "oxc-parser";
import { repository } from "../process.ts";

/** A file by its path from the root, with its text. The rules take these and never read the disk. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** A rule's finding. */
export interface Violation {
  readonly path: string;
  readonly problem: string;
}

/** Every text file of the checkout below `folders` (all of it when none is named). */
export function checkoutFiles(...folders: readonly string[]): readonly SourceFile[] {
  const args = ["ls-files", "--cached", "--others", "--exclude-standard", "-z", "--", ...folders];
  const listed = execFileSync("git", args, { cwd: repository, encoding: "utf8", maxBuffer: 2 ** 26 });
  const paths = [...new Set(listed.split("\0"))].filter((path) => path !== "").sort();
  const files: SourceFile[] = [];
  for (const path of paths) {
    const full = join(repository, path);
    if (!existsSync(full)) continue;
    const text = readFileSync(full, "utf8");
    if (!text.includes("\0")) files.push({ path, text });
  }
  return files;
}

/** The TypeScript files of the checkout below `folders`. */
export const typescriptFiles = (...folders: readonly string[]): readonly SourceFile[] =>
  checkoutFiles(...folders).filter(({ path }) => path.endsWith(".ts"));

const programs = new WeakMap<SourceFile, Program>();

/** The syntax tree. Throws when the file does not parse: a rule must not pass on what it cannot read. */
export function parse(file: SourceFile): Program {
  const known = programs.get(file);
  if (known !== undefined) return known;
  const { program, errors } = parseSync(file.path, file.text);
  if (errors.length > 0) throw new SyntaxError(`${file.path}: ${errors[0]?.message ?? "does not parse"}`);
  programs.set(file, program);
  return program;
}

/** A node of the syntax tree, of whatever kind. */
export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly [property: string]: unknown;
}

const isNode = (value: unknown): value is SyntaxNode =>
  typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string";

/** All nodes of a file, parents first. */
export function* nodes(file: SourceFile): Generator<SyntaxNode> {
  const open: unknown[] = [parse(file)];
  while (open.length > 0) {
    const next = open.pop();
    if (Array.isArray(next)) {
      for (let i = next.length - 1; i >= 0; i--) open.push(next[i]);
    } else if (typeof next === "object" && next !== null) {
      if (isNode(next)) yield next;
      open.push(...Object.values(next).reverse());
    }
  }
}

/** "path:line" of a node, for messages. */
export function place(file: SourceFile, node: SyntaxNode): string {
  return `${file.path}:${file.text.slice(0, node.start).split("\n").length}`;
}
