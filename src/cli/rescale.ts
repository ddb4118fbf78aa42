/** `millrace rescale <query> --partitions N`: changes the number of partitions of a running query (law 13). */
import { ConfigurationError } from "../core/errors.ts";
import { settingsFrom } from "../node/settings.ts";
import { type Command, print } from "./command.ts";
import { QUERY_FLAGS, withQueries } from "./queries.ts";

export const rescale: Command = {
  usage: "rescale <query> --partitions N [--nats URL | --data DIR] [--json]",
  flags: [{ name: "partitions", value: "N", help: "partitions of the keyed stages" }, ...QUERY_FLAGS],
  arity: [1, 1],
  async run(args) {
    if (!args.flags.has("partitions"))
      throw new ConfigurationError("rescale needs --partitions N", { hint: `millrace ${rescale.usage}` });
    return withQueries(args, async (q) => {
      const { partitions } = settingsFrom(process.env);
      const query = await q.find(args.positional[0]!);
      await q.rescale(query, partitions);
      print(
        args.flags.has("json")
          ? JSON.stringify({ query: query.name, session: query.session, partitions })
          : `${query.name}: ${partitions} partitions from the next epoch on`,
      );
      return 0;
    });
  },
};
