/** `millrace status <query>`: what a query does, and why it failed if it did (exit code 1). */
import type { QueryRecord } from "../node/catalogue.ts";
import { type Command, print } from "./command.ts";
import { QUERY_FLAGS, withQueries } from "./queries.ts";

/** A query as lines of `name  value`; values that are not known are left out. */
export const describeQuery = (q: QueryRecord): string => {
  const lines: readonly (readonly [string, string | number | undefined])[] = [
    ["query", q.name],
    ["session", q.session],
    ["id", q.id],
    ["run", q.runId],
    ["state", q.state],
    ["failure", q.failure],
    [
      "epoch",
      q.plannedEpoch > q.committedEpoch
        ? `${q.committedEpoch} (${q.plannedEpoch} planned)`
        : q.committedEpoch,
    ],
    ["partitions", q.partitions.length === 0 ? undefined : q.partitions.join(", ")],
    ["watermark", q.watermark],
    ["last epoch", q.lastEpochAt],
    ["rows in", q.inputRows],
    ["rows out", q.outputRows],
    ["late rows", q.lateRows],
    ["state rows", q.stateRows],
  ];
  return lines
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name.padEnd(12)}${value}`)
    .join("\n");
};

export const status: Command = {
  usage: "status <query> [--nats URL | --data DIR] [--json]",
  flags: QUERY_FLAGS,
  arity: [1, 1],
  async run(args) {
    const query = await withQueries(args, (q) => q.find(args.positional[0]!));
    print(args.flags.has("json") ? JSON.stringify(query, undefined, 2) : describeQuery(query));
    return query.state === "failed" ? 1 : 0;
  },
};
