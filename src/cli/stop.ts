/** `millrace stop <query>`: stops a query on all nodes; what is planned is finished first. */
import { type Command, print } from "./command.ts";
import { QUERY_FLAGS, withQueries } from "./queries.ts";

export const stop: Command = {
  usage: "stop <query> [--nats URL | --data DIR] [--json]",
  flags: QUERY_FLAGS,
  arity: [1, 1],
  async run(args) {
    const query = await withQueries(args, async (q) => q.stop(await q.find(args.positional[0]!)));
    if (args.flags.has("json")) print(JSON.stringify(query, undefined, 2));
    else if (query.state === "stopping")
      print(
        `${query.name}: the stop is written; epoch ${query.plannedEpoch} is planned and ends when a node runs`,
      );
    else print(`${query.name}: ${query.state} after epoch ${query.committedEpoch}`);
    return query.state === "failed" ? 1 : 0;
  },
};
