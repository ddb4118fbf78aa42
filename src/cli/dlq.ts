/**
 * `millrace dlq list|show|replay|clear <query>`: the rows that `onError("deadLetter")` set aside. `replay` gives their rows as lines of JSON, to be published or
 * written where the query reads: a row can be worked on again only by its source.
 */
import { writeFile } from "node:fs/promises";
import { ConfigurationError } from "../core/errors.ts";
import { nearest } from "../expr/suggestion.ts";
import type { FiledLetter } from "../query/dead-letter-log.ts";
import { plainJson } from "../core/plain-json.ts";
import type { Arguments } from "./arguments.ts";
import { type Command, print } from "./command.ts";
import { type Queries, QUERY_FLAGS, URL_FLAGS, withQueries } from "./queries.ts";

const USAGE =
  "dlq list|show|replay|clear <query> [position] [--to FILE] [--nats URL | --data DIR | --url URL] [--json]";

const json = (x: unknown): string => JSON.stringify(plainJson(x), undefined, 2);

const lineOf = (l: FiledLetter): string =>
  `${l.position}  epoch ${l.epoch}, stage ${l.stage}, partition ${l.partition}: ${l.error.split("\n")[0]}  row ${JSON.stringify(plainJson(l.row))}`;

const describe = (l: FiledLetter): string =>
  [
    ["position", l.position],
    ["epoch", l.epoch],
    ["stage", l.stage],
    ["partition", l.partition],
    ["class", l.errorClass ?? ""],
    ["error", l.error],
    ["where", l.where ?? ""],
    ["row", JSON.stringify(plainJson(l.row))],
  ]
    .map(([name, value]) => `${String(name).padEnd(10)}${value}`)
    .join("\n");

const positionOf = (text: string | undefined, action: string): number | undefined => {
  if (text === undefined) return undefined;
  const n = Number(text);
  if (!Number.isSafeInteger(n) || n < 1)
    throw new ConfigurationError(
      `dlq ${action} takes the position of a letter, not ${JSON.stringify(text)}`,
      {
        hint: "dlq list shows them",
      },
    );
  return n;
};

type Action = (q: Queries, args: Arguments, key: string, at: number | undefined) => Promise<string>;

const ACTIONS: ReadonlyMap<string, Action> = new Map<string, Action>([
  [
    "list",
    async (q, args, key) => {
      const letters = await q.deadLetters(await q.find(key));
      if (args.flags.has("json")) return json(letters);
      return letters.map(lineOf).join("\n") || "no dead letters";
    },
  ],
  [
    "show",
    async (q, args, key, at) => {
      if (at === undefined) throw new ConfigurationError("dlq show needs the position of a letter");
      const letters = await q.deadLetters(await q.find(key));
      const letter = letters.find((l) => l.position === at);
      if (letter === undefined)
        throw new ConfigurationError(`there is no dead letter ${at}`, {
          hint:
            letters.length === 0
              ? "there are none"
              : `there are ${letters.map((l) => l.position).join(", ")}`,
        });
      return args.flags.has("json") ? json(letter) : describe(letter);
    },
  ],
  [
    "replay",
    async (q, args, key, at) => {
      const letters = (await q.deadLetters(await q.find(key))).filter(
        (l) => at === undefined || l.position === at,
      );
      const lines = letters.map((l) => `${JSON.stringify(plainJson(l.row))}\n`).join("");
      const file = args.flags.get("to");
      if (file === undefined) return lines;
      try {
        await writeFile(file, lines, { flag: "wx" });
      } catch (e) {
        throw new ConfigurationError(`${file} cannot be written: ${(e as Error).message}`, { cause: e });
      }
      return args.flags.has("json")
        ? json({ rows: letters.length, file })
        : `${letters.length} rows in ${file}`;
    },
  ],
  [
    "clear",
    async (q, args, key, at) => {
      const query = await q.find(key);
      const cleared = await q.clearDeadLetters(query, at);
      return args.flags.has("json")
        ? json({ query: query.name, cleared })
        : `${query.name}: ${cleared} forgotten`;
    },
  ],
]);

export const dlq: Command = {
  usage: USAGE,
  flags: [
    { name: "to", value: "FILE", help: "replay: a new file of JSON lines instead of standard output" },
    ...QUERY_FLAGS,
    ...URL_FLAGS,
  ],
  arity: [2, 3],
  async run(args) {
    const [name, key, position] = args.positional;
    const action = ACTIONS.get(name!);
    if (action === undefined)
      throw new ConfigurationError(`dlq has no ${JSON.stringify(name)}`, {
        hint: `did you mean ${nearest(name!, [...ACTIONS.keys()])[0]}? millrace ${USAGE}`,
      });
    const at = positionOf(position, name!);
    print(await withQueries(args, (q) => action(q, args, key!, at)));
    return 0;
  },
};
