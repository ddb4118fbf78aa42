/** `session.streams`: Spark's StreamingQueryManager, there before the runtime is. */
import type {
  StreamingQuery,
  StreamingQueryListener,
  StreamingQueryManager,
} from "../query/streaming-query.ts";

export class SessionQueries implements StreamingQueryManager {
  readonly #listeners = new Set<StreamingQueryListener>();
  readonly #runtime: () => Promise<{ readonly queries: StreamingQueryManager }>;
  #manager: StreamingQueryManager | undefined;

  /** `runtime`: the session's, made at the first call. */
  constructor(runtime: () => Promise<{ readonly queries: StreamingQueryManager }>) {
    this.#runtime = runtime;
  }

  /** The runtime is there: listeners that were added before go to it. */
  attach(manager: StreamingQueryManager | undefined): void {
    this.#manager = manager;
    for (const listener of this.#listeners) manager?.addListener(listener);
  }

  /** Queries of this session that run. */
  get active(): readonly StreamingQuery[] {
    return this.#manager?.active ?? [];
  }
  /** An active query by its id. */
  get(id: string): StreamingQuery | undefined {
    return this.#manager?.get(id);
  }
  /** Resolves when any query of the session ends; false when `timeoutMs` passed first. Rejects when it failed. */
  async awaitAnyTermination(timeoutMs?: number): Promise<boolean> {
    return (await this.#runtime()).queries.awaitAnyTermination(timeoutMs);
  }
  addListener(listener: StreamingQueryListener): void {
    this.#listeners.add(listener);
    this.#manager?.addListener(listener);
  }
  removeListener(listener: StreamingQueryListener): void {
    this.#listeners.delete(listener);
    this.#manager?.removeListener(listener);
  }
}
