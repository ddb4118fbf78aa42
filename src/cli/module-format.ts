/**
 * A loader's hook: TypeScript that says `import` or `export` is an ES module, whatever the nearest package.json says or leaves out. Node's default for a
 * folder without `"type"` is CommonJS, in which neither a top-level `await` nor this package can be loaded by tsx.
 */
import { readFileSync } from "node:fs";
import type { ResolveHook } from "node:module";
import { fileURLToPath } from "node:url";

const SYNTAX = /^\s*(?:import|export)\b(?!\s*[(=.])/m;

const saysImport = (url: string): boolean => {
  try {
    return SYNTAX.test(readFileSync(fileURLToPath(url), "utf8"));
  } catch {
    return false;
  }
};

const PROGRAM = /^file:.*\.tsx?(?:\?|$)/;

/** @public Called by Node. */
export const resolve: ResolveHook = async (specifier, context, next) => {
  const found = await next(specifier, context);
  const given = found.format ?? undefined;
  if (given === "module" || !PROGRAM.test(found.url) || found.url.includes("/node_modules/")) return found;
  return saysImport(found.url) ? { ...found, format: "module" } : found;
};
