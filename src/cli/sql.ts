/** `millrace sql <text|file>`: runs a SQL query and prints its rows. */
import { existsSync, readFileSync } from "node:fs";
import { session } from "../api/session.ts";
import { installNode } from "../node/installation.ts";
import { openServer } from "../http/server.ts";
import { NODE_FLAGS } from "../node/settings.ts";
import { type Command, print, JSON_FLAG } from "./command.ts";
import { exportFlags } from "./environment.ts";

export const sql: Command = {
  usage: 'sql <"text"|file.sql> [flags]',
  flags: [...NODE_FLAGS.filter((f) => f.name !== "workers"), JSON_FLAG],
  arity: [1, 1],
  async run(args) {
    exportFlags(args.flags);
    const target = args.positional[0]!;
    const text = existsSync(target) ? readFileSync(target, "utf8") : target;
    installNode(openServer);
    const frame = session({ name: "sql" }).sql(text);
    if (args.flags.has("json")) print(JSON.stringify(await frame.collect(), undefined, 2));
    else await frame.show();
    return undefined;
  },
};
