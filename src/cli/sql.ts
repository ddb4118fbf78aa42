/**
 * `millrace sql <text|file>`: runs a script of SQL statements and prints what each gives. Streaming INSERTs go on when the script is done: the
 * process ends when its queries have ended, as with `millrace run`.
 */
import { existsSync, readFileSync } from "node:fs";
import { session } from "../api/session.ts";
import { installNode } from "../node/installation.ts";
import { openServer } from "../http/server.ts";
import { PROCESS_NODE } from "../node/process-node.ts";
import { NODE_FLAGS, settingsFrom } from "../node/settings.ts";
import { growYoungGenerationFast } from "../node/young-generation.ts";
import { resultJson, resultText } from "../sql/statement-result.ts";
import { type Command, print, JSON_FLAG } from "./command.ts";
import { exportFlags } from "./environment.ts";
import { exitCodeOf, report } from "./failure.ts";

export const sql: Command = {
  usage: 'sql <"text"|file.sql> [flags]',
  flags: [...NODE_FLAGS.filter((f) => f.name !== "workers"), JSON_FLAG],
  arity: [1, 1],
  async run(args) {
    exportFlags(args.flags);
    growYoungGenerationFast();
    const target = args.positional[0]!;
    const text = existsSync(target) ? readFileSync(target, "utf8") : target;
    installNode(openServer);
    PROCESS_NODE.onQueryEnd(({ name, failure }) => {
      if (failure === undefined) return;
      process.stderr.write(`millrace: query ${name} failed\n`);
      report(failure);
      process.exitCode = 1;
    });
    const mill = session({ name: "sql", timeZone: settingsFrom(process.env).timeZone });
    try {
      for await (const result of mill.script(text)) {
        const shown = args.flags.has("json")
          ? resultJson(result)
          : resultText(result, { timeZone: mill.timeZone });
        if (shown !== "") print(shown);
      }
    } catch (e) {
      // What runs already would keep the process: the script failed, so all of it ends.
      report(e);
      process.exitCode = exitCodeOf(e);
      await mill.stop();
      await PROCESS_NODE.leave("the script failed");
      return exitCodeOf(e);
    }
    return undefined;
  },
};
