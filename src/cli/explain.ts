/**
 * `millrace explain <app|query>`: the plans of every query that an application would start, without starting any; or of a query that has a
 * checkpoint.
 */
import { existsSync } from "node:fs";
import { type RuntimeProvider, setRuntimeProvider } from "../api/runtime-provider.ts";
import { nodeRuntime } from "../node/session-runtime.ts";
import { ConfigurationError } from "../core/errors.ts";
import type { ExplainMode, SessionRuntime, StartRequest } from "../query/runtime.ts";
import { NO_INSPECTION } from "../query/query-inspection.ts";
import type { StreamingQuery } from "../query/streaming-query.ts";
import { applicationPath, importApplication } from "./application.ts";
import type { Arguments } from "./arguments.ts";
import { type Command, print } from "./command.ts";
import { exportFlags } from "./environment.ts";
import { QUERY_FLAGS, withQueries } from "./queries.ts";

const MODES: readonly ExplainMode[] = ["simple", "extended", "codegen", "cost"];

interface Explained {
  readonly query: string;
  readonly plan: string;
}

/** What `start()` gives while explaining: a query that is over. */
const overAlready = (name: string, plan: string): StreamingQuery => ({
  id: "",
  runId: "",
  name,
  isActive: false,
  status: { message: "Explained", isDataAvailable: false, isTriggerActive: false },
  lastProgress: undefined,
  recentProgress: [],
  exception: undefined,
  stop: () => Promise.resolve(),
  awaitTermination: () => Promise.resolve(true),
  processAllAvailable: () => Promise.resolve(),
  explain: () => plan,
  rescale: () => Promise.resolve(),
  inspection: NO_INSPECTION,
});

const explaining =
  (mode: ExplainMode, found: Explained[]): RuntimeProvider =>
  async (settings) => {
    const runtime: SessionRuntime = await nodeRuntime(settings);
    return {
      queries: runtime.queries,
      collect: (...args) => runtime.collect(...args),
      analyse: (...args) => runtime.analyse(...args),
      explain: (...args) => runtime.explain(...args),
      close: () => runtime.close(),
      start: async (request: StartRequest) => {
        const query = request.name ?? `query ${found.length + 1}`;
        const plan = (await runtime.explainThere?.(request, mode)) ?? runtime.explain(request, mode);
        found.push({ query, plan });
        return overAlready(query, plan);
      },
    };
  };

const explainApplication = async (
  args: Arguments,
  file: string,
  mode: ExplainMode,
): Promise<readonly Explained[]> => {
  exportFlags(args.flags);
  const found: Explained[] = [];
  setRuntimeProvider(explaining(mode, found));
  await importApplication(applicationPath(file));
  return found;
};

const explainQuery = (args: Arguments, key: string): Promise<readonly Explained[]> =>
  withQueries(args, async (q) => {
    const query = await q.find(key);
    return [{ query: query.name, plan: await q.plan(query) }];
  });

const modeOf = (text: string): ExplainMode => {
  const mode = MODES.find((m) => m === text);
  if (mode === undefined) throw new ConfigurationError(`--mode is one of ${MODES.join(", ")}, not ${text}`);
  return mode;
};

export const explain: Command = {
  usage: "explain <app.ts|query> [--mode simple|extended|codegen|cost] [--nats URL | --data DIR] [--json]",
  flags: [
    { name: "mode", value: "MODE", help: "simple, extended (default), codegen or cost" },
    ...QUERY_FLAGS,
  ],
  arity: [1, 1],
  async run(args) {
    const target = args.positional[0]!;
    const mode = modeOf(args.flags.get("mode") ?? "extended");
    const isFile = existsSync(target) || /\.[mc]?[jt]sx?$/.test(target);
    const found = isFile ? await explainApplication(args, target, mode) : await explainQuery(args, target);
    if (args.flags.has("json")) print(JSON.stringify(found, undefined, 2));
    else print(found.map((f) => `Query ${f.query}\n\n${f.plan}`).join("\n\n") || "no query is started");
    return 0;
  },
};
