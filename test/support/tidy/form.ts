/** The rules about the form of files: length, names, exports, and what no file may mention. */
import { posix } from "node:path";
import { nodes, place, type SourceFile, type SyntaxNode, type Violation } from "./tree.ts";

/** Lines in a TypeScript file. */
const maxLines = 400;

/** Files longer than the limit. There is no list of exceptions. */
export function tooLong(files: readonly SourceFile[]): readonly Violation[] {
  const violations: Violation[] = [];
  for (const { path, text } of files) {
    const lines = text.replace(/\n$/, "").split("\n").length;
    if (lines > maxLines)
      violations.push({ path, problem: `${path} has ${lines} lines, more than ${maxLines}` });
  }
  return violations;
}

/** File names that are not kebab-case nouns: capitals, underscores, "utils" and its kin. */
export function badNames(files: readonly SourceFile[]): readonly Violation[] {
  const violations: Violation[] = [];
  for (const { path } of files) {
    const name = posix.basename(path).replace(/(\.test|\.d|\.test-d)?\.ts$/, "");
    const isKebab = /^[a-z0-9]+(-[a-z0-9]+)*$/.test(name);
    const isVague = path.split(/[/.-]/).some((word) => /^(utils?|helpers?|misc|common)$/.test(word));
    if (!isKebab) violations.push({ path, problem: `${path} is not kebab-case` });
    if (isVague) violations.push({ path, problem: `${path} names no thing` });
  }
  return violations;
}

const declaring: ReadonlySet<string> = new Set([
  "ClassDeclaration",
  "ClassExpression",
  "FunctionDeclaration",
  "TSInterfaceDeclaration",
  "TSTypeAliasDeclaration",
  "VariableDeclarator",
]);

/** `export *`, default exports, and declarations that end in Impl. */
export function badDeclarations(files: readonly SourceFile[]): readonly Violation[] {
  const violations: Violation[] = [];
  for (const file of files) {
    const report = (node: SyntaxNode, what: string): void => {
      violations.push({ path: file.path, problem: `${place(file, node)} ${what}` });
    };
    for (const node of nodes(file)) {
      if (node.type === "ExportAllDeclaration") report(node, "exports with *");
      else if (node.type === "ExportDefaultDeclaration") report(node, "has a default export");
      else if (declaring.has(node.type)) {
        const name = (node["id"] as { readonly name?: unknown } | null)?.name;
        if (typeof name === "string" && name.endsWith("Impl")) report(node, `declares ${name}`);
      }
    }
  }
  return violations;
}

// Written in parts, since this file is in the tree that is searched.
const hosts = [
  ["registry", "npmjs", "org"],
  ["registry", "yarnpkg", "com"],
  ["proxy", "golang", "org"],
  ["sum", "golang", "org"],
  ["deb", "debian", "org"],
  ["pypi", "org"],
  ["static", "crates", "io"],
  ["repo", "maven", "apache", "org"],
].map((parts) => parts.join("."));

const ownFolders = ["work", "root", "home"].map((folder) => new RegExp(`(?<![\\w./~-])/${folder}/[\\w.-]+`));

/** Hosts of package registries and absolute paths of the machine somebody worked on. */
export function strayPlaces(files: readonly SourceFile[]): readonly Violation[] {
  const violations: Violation[] = [];
  for (const { path, text } of files) {
    for (const [index, line] of text.split("\n").entries()) {
      const host = hosts.find((each) => line.includes(each));
      const folder = ownFolders
        .map((pattern) => pattern.exec(line)?.[0])
        .find((match) => match !== undefined);
      for (const found of [host, folder]) {
        if (found !== undefined) violations.push({ path, problem: `${path}:${index + 1} mentions ${found}` });
      }
    }
  }
  return violations;
}
