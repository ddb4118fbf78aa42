/**
 * The rule against what is ambient: below src/query time, chance and output come in as values, so that a simulation
 * owns them.
 *
 *  I1. From actors down to src/core nothing calls Date.now, new Date(), Math.random, performance.now, process.hrtime,
 *      a timer, crypto's random functions, or touches console.
 *  I2. `new Date(ms)` reads no clock and is free; so is setImmediate, which yields to I/O and measures nothing.
 *  I3. src/log may set timers: what it waits for is a server or a disk, and a simulation brings its own log. It may
 *      neither read the clock nor roll dice.
 *  I4. The Clock of production is a file of src/query or above, so no exception is made for it.
 */
import { nodes, place, type SourceFile, type SyntaxNode, type Violation } from "./tree.ts";

const governed = [
  "actors/",
  ...["cluster", "runtime", "plan", "operators", "expr", "connectors", "state", "log", "codec", "core"].map(
    (layer) => `src/${layer}/`,
  ),
];

const members: Readonly<Record<string, ReadonlySet<string>>> = Object.assign(Object.create(null), {
  Date: new Set(["now"]),
  Math: new Set(["random"]),
  performance: new Set(["now", "timeOrigin", "mark", "measure"]),
  process: new Set(["hrtime", "uptime"]),
  crypto: new Set(["randomUUID", "randomBytes", "randomInt", "getRandomValues"]),
});

const timers: ReadonlySet<string> = new Set(["setTimeout", "setInterval"]);
const timerModules: ReadonlySet<string> = new Set([
  "timers",
  "node:timers",
  "timers/promises",
  "node:timers/promises",
]);
const randomNames: ReadonlySet<string> = new Set([
  "randomUUID",
  "randomBytes",
  "randomInt",
  "getRandomValues",
]);
const globals: ReadonlySet<string> = new Set(["globalThis", "global"]);

const nameOf = (value: unknown): string | undefined => {
  const node = value as SyntaxNode | null | undefined;
  if (node?.type === "Identifier") return String(node["name"]);
  if (node?.type === "Literal" && typeof node["value"] === "string") return node["value"];
  if (node?.type === "MemberExpression" && globals.has(nameOf(node["object"]) ?? ""))
    return nameOf(node["property"]);
  return undefined;
};

function memberFault(node: SyntaxNode): string | undefined {
  const object = nameOf(node["object"]);
  const property = nameOf(node["property"]);
  if (object === undefined) return undefined;
  if (object === "console") return "console";
  return property !== undefined && members[object]?.has(property) === true
    ? `${object}.${property}`
    : undefined;
}

function callFault(node: SyntaxNode, mayWait: boolean): string | undefined {
  const callee = nameOf(node["callee"]);
  if (callee === undefined) return undefined;
  if (timers.has(callee)) return mayWait ? undefined : callee;
  return callee === "Date" ? "Date()" : undefined;
}

function importFault(node: SyntaxNode, mayWait: boolean): string | undefined {
  const source = nameOf(node["source"]) ?? "";
  if (timerModules.has(source)) return mayWait ? undefined : `import of ${source}`;
  if (source !== "node:crypto" && source !== "crypto") return undefined;
  const specifiers = (node["specifiers"] ?? []) as { readonly imported?: unknown }[];
  return specifiers.map(({ imported }) => nameOf(imported)).find((name) => randomNames.has(name ?? ""));
}

function faultOf(node: SyntaxNode, mayWait: boolean): string | undefined {
  if (node.type === "MemberExpression") return memberFault(node);
  if (node.type === "CallExpression") return callFault(node, mayWait);
  if (node.type === "ImportDeclaration") return importFault(node, mayWait);
  if (node.type !== "NewExpression" || nameOf(node["callee"]) !== "Date") return undefined;
  return (node["arguments"] as unknown[]).length === 0 ? "new Date()" : undefined;
}

/** The uses of ambient time, chance and output below src/query. */
export function ambientUses(files: readonly SourceFile[]): readonly Violation[] {
  const violations: Violation[] = [];
  for (const file of files) {
    if (!governed.some((folder) => file.path.startsWith(folder))) continue;
    const mayWait = file.path.startsWith("src/log/");
    for (const node of nodes(file)) {
      const found = faultOf(node, mayWait);
      if (found !== undefined)
        violations.push({ path: file.path, problem: `${place(file, node)} uses ${found}` });
    }
  }
  return violations;
}
