/**
 * One measurement in a process of its own, so that memory, compiled code and garbage of others do not count. The parent names the work and gives its
 * parameters as JSON on the command line; the outcome is the last line of standard output.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Beside this file; when built, this file's code is in a folder beside that of the entry. */
const entry = fileURLToPath(
  new URL(
    import.meta.url.endsWith(".ts") ? "../bench/child-main.ts" : "../bench/child-main.js",
    import.meta.url,
  ),
);

/**
 * Starts the work in a new process. Its standard output is the caller's to read; `told`: it reads its standard input; `nodeOptions`: those of this process are
 * its own, too.
 */
export const startChild = (
  work: string,
  parameters: unknown,
  told = false,
  nodeOptions: readonly string[] = [],
): ChildProcess =>
  spawn(process.execPath, [...process.execArgv, ...nodeOptions, entry, work, JSON.stringify(parameters)], {
    stdio: [told ? "pipe" : "ignore", "pipe", "pipe"],
  });

/** Does the work in a new process. Rejects with what it wrote to standard error when it fails. */
export const inChild = <Outcome>(work: string, parameters: unknown): Promise<Outcome> =>
  outcomeOf(work, startChild(work, parameters));

/** The last line that `child` prints, when it ended well. */
export const outcomeOf = <Outcome>(work: string, child: ChildProcess): Promise<Outcome> =>
  new Promise((resolve, reject) => {
    let [out, error] = ["", ""];
    child.stdout!.on("data", (chunk: Buffer) => void (out += chunk.toString()));
    child.stderr!.on("data", (chunk: Buffer) => void (error += chunk.toString()));
    child.once("error", reject);
    child.once("close", (code) => {
      if (code !== 0) reject(new Error(`the measurement ${work} ended with ${code}: ${error.slice(-2000)}`));
      else resolve(JSON.parse(out.trim().split("\n").at(-1)!) as Outcome);
    });
  });
