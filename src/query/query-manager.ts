/** The queries of a session and their listeners: Spark's StreamingQueryManager. */
import type {
  StreamingQuery,
  StreamingQueryListener,
  StreamingQueryManager,
  StreamingQueryProgress,
} from "./streaming-query.ts";

export class QueryManager implements StreamingQueryManager {
  readonly #queries = new Map<string, StreamingQuery>();
  readonly #listeners = new Set<StreamingQueryListener>();
  readonly #terminated = new Set<() => void>();
  #ended: { readonly failure: unknown } | undefined;

  get active(): readonly StreamingQuery[] {
    return [...this.#queries.values()].filter((q) => q.isActive);
  }

  /** Every query started in this process, ended ones too. */
  get all(): readonly StreamingQuery[] {
    return [...this.#queries.values()];
  }

  get(id: string): StreamingQuery | undefined {
    return this.active.find((q) => q.id === id);
  }

  add(query: StreamingQuery): void {
    this.#queries.set(query.name, query);
    const { id, runId, name } = query;
    for (const l of this.#listeners)
      l.onQueryStarted?.({ id, runId, name, timestamp: query.lastProgress?.timestamp ?? "" });
    query.awaitTermination().then(
      () => this.#end(query, undefined),
      (e: unknown) => this.#end(query, e),
    );
  }

  #end(query: StreamingQuery, failure: unknown): void {
    this.#ended = { failure };
    const exception =
      failure === undefined
        ? {}
        : { exception: failure instanceof Error ? failure.message : String(failure) };
    for (const l of this.#listeners)
      l.onQueryTerminated?.({ id: query.id, runId: query.runId, ...exception });
    for (const f of this.#terminated) f();
  }

  progressed(progress: StreamingQueryProgress): void {
    for (const l of this.#listeners) {
      if (progress.numInputRows === 0 && l.onQueryIdle !== undefined)
        l.onQueryIdle({ id: progress.id, runId: progress.runId, timestamp: progress.timestamp });
      l.onQueryProgress?.({ progress });
    }
  }

  async awaitAnyTermination(timeoutMs?: number): Promise<boolean> {
    if (this.#ended === undefined) {
      const first = this.active.map((q) => q.awaitTermination(timeoutMs));
      const ended = new Promise<void>((resolve) => this.#terminated.add(resolve));
      await Promise.race([Promise.race(first).catch(() => {}), ended]);
    }
    if (this.#ended?.failure !== undefined) throw this.#ended.failure;
    return this.#ended !== undefined;
  }

  resetTerminated(): void {
    this.#ended = undefined;
  }

  addListener(listener: StreamingQueryListener): void {
    this.#listeners.add(listener);
  }

  removeListener(listener: StreamingQueryListener): void {
    this.#listeners.delete(listener);
  }
}
