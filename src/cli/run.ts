/**
 * `millrace run <app>`: runs an application. Its flags become the environment that its sessions and its worker processes read; the process ends
 * when the program and its queries have ended: 0, or 1 when one failed.
 */
import { FencedError, UnavailableError } from "../core/errors.ts";
import { HTTP_PORT_DEFAULT } from "../core/limits.ts";
import { PROCESS_NODE } from "../node/process-node.ts";
import { NODE_FLAGS, settingsFrom } from "../node/settings.ts";
import { followParent, runWorkers } from "../node/workers.ts";
import { growYoungGenerationFast } from "../node/young-generation.ts";
import { applicationPath, importApplication } from "./application.ts";
import type { Arguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { exportFlags } from "./environment.ts";
import { exitCodeOf, report, wasReported } from "./failure.ts";

/** Leaves what runs already and ends with the error's exit code. */
const giveUp = async (error: unknown): Promise<void> => {
  // A start() that the signal cut short: the process ends with the signal's way of leaving.
  if (PROCESS_NODE.signalled && (error instanceof UnavailableError || error instanceof FencedError)) return;
  const code = wasReported(error) ? 1 : exitCodeOf(error);
  report(error);
  process.exitCode = code;
  await PROCESS_NODE.leave("the program failed");
  process.exit(code);
};

const runHere = async (path: string): Promise<undefined> => {
  PROCESS_NODE.onQueryEnd(({ name, failure }) => {
    if (failure === undefined) return;
    process.stderr.write(`millrace: query ${name} failed\n`);
    report(failure);
    process.exitCode = 1;
  });
  process.on("unhandledRejection", (e) => void giveUp(e));
  process.on("uncaughtException", (e) => void giveUp(e));
  try {
    await importApplication(path);
  } catch (e) {
    await giveUp(e);
  }
  return undefined;
};

export const run: Command = {
  usage: "run <app.ts> [flags] [-- arguments of the program]",
  flags: NODE_FLAGS,
  arity: [1, 1],
  async run(args: Arguments): Promise<number | undefined> {
    exportFlags(args.flags);
    process.env["MILLRACE_PORT"] ??= String(HTTP_PORT_DEFAULT);
    const settings = settingsFrom(process.env);
    const path = applicationPath(args.positional[0]!);
    const script = process.argv[1]!;
    process.argv = [process.argv[0]!, path, ...args.rest];
    if (settings.workers > 1 && settings.worker === undefined)
      return runWorkers(settings, script, [path, ...args.rest]);
    growYoungGenerationFast();
    followParent(settings, (why) => {
      report(why);
      process.exit(1);
    });
    return runHere(path);
  },
};
