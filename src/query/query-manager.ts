/** The queries of a session and their listeners: Spark's StreamingQueryManager. */
import type { Clock } from "../core/clock.ts";
import { MillraceError } from "../core/errors.ts";
import { QUERY_IDLE_MS } from "../core/limits.ts";
import type {
  StreamingQuery,
  StreamingQueryListener,
  StreamingQueryManager,
  StreamingQueryProgress,
} from "./streaming-query.ts";

const iso = (clock: Clock): string => new Date(clock.now()).toISOString();

export class QueryManager implements StreamingQueryManager {
  readonly #queries = new Map<string, StreamingQuery>();
  readonly #listeners = new Set<StreamingQueryListener>();
  readonly #terminated = new Set<() => void>();
  /** By run: the clock of its node, and the end of its idle timer. */
  readonly #clocks = new Map<string, Clock>();
  readonly #idle = new Map<string, () => void>();
  /** Told what a listener threw. */
  onListenerError: (error: unknown) => void = () => {};
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

  /** `clock`: of the query's node, for the start's time and for idleness. */
  add(query: StreamingQuery, clock: Clock): void {
    this.#queries.set(query.name, query);
    const { id, runId, name } = query;
    this.#tell((l) => l.onQueryStarted?.({ id, runId, name, timestamp: iso(clock) }));
    this.#clocks.set(runId, clock);
    this.#awaitIdle(id, runId);
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
        : {
            exception: failure instanceof Error ? failure.message : String(failure),
            ...(failure instanceof MillraceError && failure.errorClass !== undefined
              ? { errorClassOnException: failure.errorClass }
              : {}),
          };
    this.#idle.get(query.runId)?.();
    this.#idle.delete(query.runId);
    this.#clocks.delete(query.runId);
    this.#tell((l) => l.onQueryTerminated?.({ id: query.id, runId: query.runId, ...exception }));
    for (const f of this.#terminated) f();
  }

  progressed(progress: StreamingQueryProgress): void {
    this.#tell((l) => l.onQueryProgress?.({ progress }));
    this.#awaitIdle(progress.id, progress.runId);
  }

  /** Tells after every interval without progress that the query is idle. Only while somebody wants to hear it. */
  #awaitIdle(id: string, runId: string): void {
    this.#idle.get(runId)?.();
    const clock = this.#clocks.get(runId);
    if (clock === undefined || ![...this.#listeners].some((l) => l.onQueryIdle !== undefined)) return;
    const tell = (): void => {
      this.#tell((l) => l.onQueryIdle?.({ id, runId, timestamp: iso(clock) }));
      this.#awaitIdle(id, runId);
    };
    this.#idle.set(runId, clock.after(QUERY_IDLE_MS, tell));
  }

  /** What a listener throws harms neither the query nor the other listeners. */
  #tell(event: (listener: StreamingQueryListener) => void): void {
    for (const l of this.#listeners) {
      try {
        event(l);
      } catch (e) {
        this.onListenerError(e);
      }
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
