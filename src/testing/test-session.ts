/** The session of an application under test: its queries run on a TestCluster, on whatever nodes of it are up. */
import { Session } from "../api/session.ts";
import type { SessionRuntime } from "../query/runtime.ts";
import type {
  StreamingQuery,
  StreamingQueryListener,
  StreamingQueryManager,
} from "../query/streaming-query.ts";
import type { TestCluster } from "./cluster.ts";

/** Queries as the first running node sees them; a listener hears of what that node starts. */
class ClusterQueries implements StreamingQueryManager {
  readonly #manager: () => StreamingQueryManager;

  constructor(manager: () => StreamingQueryManager) {
    this.#manager = manager;
  }

  get active(): readonly StreamingQuery[] {
    return this.#manager().active;
  }
  get(id: string): StreamingQuery | undefined {
    return this.#manager().get(id);
  }
  awaitAnyTermination(timeoutMs?: number): Promise<boolean> {
    return this.#manager().awaitAnyTermination(timeoutMs);
  }
  addListener(listener: StreamingQueryListener): void {
    this.#manager().addListener(listener);
  }
  removeListener(listener: StreamingQueryListener): void {
    this.#manager().removeListener(listener);
  }
}

const runtimeOf = async (cluster: TestCluster): Promise<SessionRuntime> => {
  // Batch queries and explain need a node; the first start would make the others.
  let last = (await cluster.node(0)).runtime;
  const runtime = (): SessionRuntime => (last = cluster.first?.runtime ?? last);
  return {
    start: (request) => cluster.start(request),
    collect: (relation, catalog) => runtime().collect(relation, catalog),
    analyse: (relation, catalog) => runtime().analyse(relation, catalog),
    explain: (request, mode) => runtime().explain(request, mode),
    queries: new ClusterQueries(() => runtime().queries),
    close: () => cluster.close(),
  };
};

export const sessionOn = (
  cluster: TestCluster,
  settings: {
    readonly name: string;
    readonly timeZone?: string;
    readonly compatibility?: "extended" | "spark";
    readonly print?: (text: string) => void;
  },
): Session => new Session(settings, () => runtimeOf(cluster));
