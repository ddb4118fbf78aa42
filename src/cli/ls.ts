/** `millrace ls`: the queries there are. */
import type { QueryRecord } from "../node/catalogue.ts";
import { type Command, print } from "./command.ts";
import { QUERY_FLAGS, withQueries } from "./queries.ts";

const HEAD = ["QUERY", "SESSION", "STATE", "EPOCH", "WATERMARK", "LAST EPOCH"];

const cellsOf = (q: QueryRecord): readonly string[] => [
  q.name,
  q.session,
  q.state,
  String(q.committedEpoch),
  q.watermark ?? "-",
  q.lastEpochAt ?? "-",
];

const table = (rows: readonly (readonly string[])[]): string => {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((r) => r[i]!.length)));
  return rows
    .map((r) =>
      r
        .map((c, i) => c.padEnd(widths[i]!))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
};

export const ls: Command = {
  usage: "ls [--nats URL | --data DIR] [--json]",
  flags: QUERY_FLAGS,
  arity: [0, 0],
  async run(args) {
    const all = await withQueries(args, (q) => q.all());
    if (args.flags.has("json")) print(JSON.stringify(all, undefined, 2));
    else print(all.length === 0 ? "no queries" : table([HEAD, ...all.map(cellsOf)]));
    return 0;
  },
};
