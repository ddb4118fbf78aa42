/** Loads an application: registers tsx's loader when it is TypeScript, and imports the file. */
import { existsSync, statSync } from "node:fs";
import { register as registerHook } from "node:module";
import { extname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { ConfigurationError } from "../core/errors.ts";

const EXTENSIONS = [".ts", ".mts", ".tsx", ".js", ".mjs"];
const TYPESCRIPT = new Set([".ts", ".mts", ".cts", ".tsx"]);

/** The absolute path of an application's file. ConfigurationError when there is none. */
export const applicationPath = (file: string): string => {
  const path = resolve(file);
  if (!existsSync(path))
    throw new ConfigurationError(`there is no file ${file}`, {
      hint: `an application is a file that ends in ${EXTENSIONS.join(", ")}`,
    });
  if (!statSync(path).isFile()) throw new ConfigurationError(`${file} is not a file`);
  return path;
};

/** Imports the application; resolves when its top level is done. */
export const importApplication = async (path: string): Promise<void> => {
  if (TYPESCRIPT.has(extname(path))) {
    const { register } = await import("tsx/esm/api");
    register();
    const own = import.meta.url;
    // In dist/ this file may be part of a chunk, the hook is a file of its own.
    registerHook(new URL(own.endsWith(".ts") ? "./module-format.ts" : "../cli/module-format.js", own));
  }
  await import(pathToFileURL(path).href);
};
