/**
 * The arrow rule: a file imports only from its own layer or one to the right of it.
 *
 *  I1. Every form counts: import, import type, export from, import(), import("…") in a type.
 *  I2. A file that belongs to no layer, and an import that cannot be read as text, are violations themselves.
 *  I3. The one exception is the contract of push-down: connectors take types, and types only, from src/expr/ast.ts.
 */
import { posix } from "node:path";
import { nodes, place, type SourceFile, type SyntaxNode, type Violation } from "./tree.ts";

/** From the left to the right; the layers of one entry may not import each other. */
export const layers: readonly (readonly string[])[] = [
  ["src/cli", "src/index.ts"],
  ["src/testing", "src/bench", "src/http"],
  ["src/node"],
  ["src/api"],
  ["src/sql"],
  ["src/query"],
  ["actors"],
  ["src/cluster"],
  ["src/runtime"],
  ["src/plan"],
  ["src/operators"],
  ["src/expr"],
  ["src/connectors"],
  ["src/state"],
  ["src/log"],
  ["src/codec"],
  ["src/core"],
];

interface Layer {
  readonly name: string;
  readonly rank: number;
}

/** The layer of a path, by its folder. */
export function layerOf(path: string): Layer | undefined {
  for (const [rank, names] of layers.entries()) {
    const name = names.find((each) => path === each || path.startsWith(`${each}/`));
    if (name !== undefined) return { name, rank };
  }
  return undefined;
}

/** An import of one file. `isType`: nothing of it is left when the program runs. */
export interface Import {
  readonly specifier: string | undefined;
  readonly isType: boolean;
  readonly at: string;
}

interface Named {
  readonly importKind?: string;
  readonly exportKind?: string;
}

function isTypeOnly(node: SyntaxNode): boolean {
  if (node["importKind"] === "type" || node["exportKind"] === "type" || node.type === "TSImportType")
    return true;
  const specifiers = node["specifiers"];
  if (!Array.isArray(specifiers) || specifiers.length === 0) return false;
  return (specifiers as Named[]).every((each) => each.importKind === "type" || each.exportKind === "type");
}

const importing: ReadonlySet<string> = new Set([
  "ImportDeclaration",
  "ExportNamedDeclaration",
  "ExportAllDeclaration",
  "ImportExpression",
  "TSImportType",
  "TSExternalModuleReference",
]);

/** Every import of a file, in its order. */
export function importsOf(file: SourceFile): readonly Import[] {
  const imports: Import[] = [];
  for (const node of nodes(file)) {
    if (!importing.has(node.type)) continue;
    const source = (node["source"] ?? node["expression"] ?? undefined) as
      { readonly value?: unknown } | undefined;
    if (node.type === "ExportNamedDeclaration" && source === undefined) continue;
    const specifier = typeof source?.value === "string" ? source.value : undefined;
    imports.push({ specifier, isType: isTypeOnly(node), at: place(file, node) });
  }
  return imports;
}

function isException(from: Layer, to: string, isType: boolean): boolean {
  return from.name === "src/connectors" && to === "src/expr/ast.ts" && isType;
}

function fault(file: SourceFile, from: Layer, each: Import): string | undefined {
  if (each.specifier === undefined) return from.name === "src/cli" ? undefined : "imports by a computed name";
  if (each.specifier === "millrace" || each.specifier.startsWith("millrace/")) {
    return "imports the package by its own name from within";
  }
  if (!each.specifier.startsWith(".")) return undefined;
  const target = posix.normalize(posix.join(posix.dirname(file.path), each.specifier));
  const to = layerOf(target);
  if (to === undefined) return `imports ${target}, which is in no layer`;
  if (to.name === from.name || to.rank > from.rank) return undefined;
  if (isException(from, target, each.isType)) return undefined;
  return `${from.name} imports ${target} of ${to.name}, which is ${to.rank === from.rank ? "beside" : "above"} it`;
}

/** The imports that run against the arrows. */
export function againstArrows(files: readonly SourceFile[]): readonly Violation[] {
  const violations: Violation[] = [];
  for (const file of files) {
    const from = layerOf(file.path);
    if (from === undefined) {
      violations.push({ path: file.path, problem: `${file.path} is in no layer` });
      continue;
    }
    for (const each of importsOf(file)) {
      const problem = fault(file, from, each);
      if (problem !== undefined) violations.push({ path: file.path, problem: `${each.at} ${problem}` });
    }
  }
  return violations;
}
