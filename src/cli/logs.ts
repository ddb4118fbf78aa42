/** `millrace logs <query>`: what the epochs of a query did, a line each; its failure, if it failed, as the last line. */
import { ConfigurationError } from "../core/errors.ts";
import { type Command, print } from "./command.ts";
import { type EpochLine, QUERY_FLAGS, URL_FLAGS, withQueries } from "./queries.ts";

const LINES = 20;

const lineOf = (e: EpochLine): string =>
  `${e.at}  epoch ${e.epoch}: ${e.inputRows} rows in, ${e.outputRows} out, ${e.lateRows} late, ${e.stateRows} in state, ${e.ms} ms`;

const linesWanted = (text: string | undefined): number => {
  const n = Number(text ?? LINES);
  if (!Number.isSafeInteger(n) || n < 1)
    throw new ConfigurationError(`--last must be a whole number from 1, not ${text}`);
  return n;
};

export const logs: Command = {
  usage: "logs <query> [--last N] [--nats URL | --data DIR | --url URL] [--json]",
  flags: [
    { name: "last", value: "N", help: `how many epochs, the newest (default ${LINES})` },
    ...QUERY_FLAGS,
    ...URL_FLAGS,
  ],
  arity: [1, 1],
  async run(args) {
    const last = linesWanted(args.flags.get("last"));
    const json = args.flags.has("json");
    return withQueries(args, async (q) => {
      const query = await q.find(args.positional[0]!);
      const epochs = (await q.epochs(query)).slice(-last);
      if (json) print(JSON.stringify({ query: query.name, epochs, failure: query.failure }, undefined, 2));
      else {
        const failure = query.failure === undefined ? [] : [`failed: ${query.failure}`];
        print([...epochs.map(lineOf), ...failure].join("\n") || "no epoch is committed yet");
      }
      return 0;
    });
  },
};
