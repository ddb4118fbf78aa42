/** `millrace state get <query> <operator> <key>` and `state list <query>`: what an operator of a running query keeps for a key. */
import { ConfigurationError } from "../core/errors.ts";
import { type Command, print } from "./command.ts";
import { QUERY_FLAGS, type StateAnswer, URL_FLAGS, withQueries } from "./queries.ts";

const USAGE = "state list <query> | get <query> <operator> <key> [--data DIR | --url URL] [--json]";

const describe = (a: StateAnswer): string =>
  a.found
    ? `epoch ${a.epoch}, partition ${a.partition}\n${JSON.stringify(a.state, undefined, 2)}`
    : `epoch ${a.epoch}, partition ${a.partition}: nothing is kept for this key`;

export const state: Command = {
  usage: USAGE,
  flags: [...QUERY_FLAGS, ...URL_FLAGS],
  arity: [2, 4],
  async run(args) {
    const [action, key, operator, value] = args.positional;
    const json = args.flags.has("json");
    const complete = action === "get" ? value !== undefined : action === "list" && operator === undefined;
    if (!complete)
      throw new ConfigurationError(`state takes list <query>, or get <query> <operator> <key>`, {
        hint: 'a key is JSON: 5, "a", [1,"b"] or {"name":"value"}; a text that is no JSON stands for itself',
      });
    return withQueries(args, async (q) => {
      const query = await q.find(key!);
      if (action === "get") {
        const answer = await q.state(query, operator!, value!);
        print(json ? JSON.stringify(answer, undefined, 2) : describe(answer));
        return answer.found ? 0 : 1;
      }
      const all = await q.stateOperators(query);
      const lines = all.map(
        (o) => `${o.operator}  ${o.keys.map((k) => `${k.name} ${k.type}`).join(", ")}  ${o.description}`,
      );
      print(json ? JSON.stringify(all, undefined, 2) : lines.join("\n") || "no operator keeps state by key");
      return 0;
    });
  },
};
