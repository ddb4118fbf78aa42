/**
 * `testApplication(…)`: an application's session over a cluster in this process, on an embedded log, under virtual time. The same nodes, actors, state
 * and protocol as in production; what the test holds in its hands is time, and who dies when.
 */
import { parseDuration } from "../core/duration.ts";
import { ConfigurationError } from "../core/errors.ts";
import type { Session } from "../api/session.ts";
import type { Flags } from "../api/frame-types.ts";
import type { DataStreamWriter } from "../api/stream-writer.ts";
import type { Duration, InputRowOf } from "../api/tags.ts";
import type { TypedSchema } from "../api/schema.ts";
import type { MemorySource } from "../connectors/memory-input.ts";
import { MemorySink } from "../connectors/memory-sink.ts";
import type { StartRequest } from "../query/runtime.ts";
import { TestCluster } from "./cluster.ts";
import { TestQuery } from "./test-query.ts";
import { sessionOn } from "./test-session.ts";

export interface TestApplicationOptions {
  /** Name of the session. Default "test". */
  readonly name?: string;
  /** Nodes that every query starts on. Default 1. */
  readonly nodes?: number;
  /** Partitions of keyed stages. Default 4. */
  readonly partitions?: number;
  /** IANA zone of the session. Default UTC. */
  readonly timeZone?: string;
  readonly compatibility?: "extended" | "spark";
  /** What the clock shows first. Default 2026-01-01T00:00:00Z. */
  readonly startTime?: Date;
  /** Where show() and explain() print. */
  readonly print?: (text: string) => void;
}

/** Who dies: a node by its index, with or without its disk; or an actor, the one of a stage and a partition. */
export type Victim =
  | number
  | { readonly node: number; readonly disk?: "kept" | "lost" }
  | { readonly stage: number; readonly partition?: number };

/** Virtual time moves in steps of at most this, so that what waits for a moment sees it. */
const STEP_MS = 1_000;

export class TestApplication {
  readonly session: Session;
  readonly #cluster: TestCluster;
  readonly #doomed = new Set<string>();
  #queries = 0;

  constructor(options: TestApplicationOptions = {}) {
    const { name = "test", startTime, print, nodes, partitions, timeZone, compatibility } = options;
    this.#cluster = new TestCluster({
      session: name,
      ...(nodes === undefined ? {} : { nodes }),
      ...(partitions === undefined ? {} : { partitions }),
      ...(timeZone === undefined ? {} : { timeZone }),
      ...(compatibility === undefined ? {} : { compatibility }),
      ...(startTime === undefined ? {} : { startMs: startTime.getTime() }),
      probe: (_node, { stage, partition }) => {
        if (this.#doomed.delete(`${stage}/${partition}`) || this.#doomed.delete(`${stage}/*`))
          throw new Error(`actor ${stage}/${partition} was killed by the test`);
      },
    });
    this.session = sessionOn(this.#cluster, {
      name,
      ...(timeZone === undefined ? {} : { timeZone }),
      ...(compatibility === undefined ? {} : { compatibility }),
      ...(print === undefined ? {} : { print }),
    });
  }

  /** The virtual time. */
  get now(): Date {
    return new Date(this.#cluster.clock.now());
  }

  /** Indexes of the nodes that run. */
  get nodes(): readonly number[] {
    return this.#cluster.running;
  }

  /**
   * Starts a query on every node, its rows kept in memory whatever sink the writer names: `start(df.writeStream.outputMode("update"))`. A query that writes to a
   * real sink starts as in the program, with `writer.start()`.
   */
  async start<S, F extends Flags, M extends string>(
    writer: DataStreamWriter<S, F, M>,
  ): Promise<TestQuery<S>> {
    const sink = new MemorySink();
    const request: StartRequest = writer.format("memory").handle(sink).request();
    const name = request.name ?? `query-${++this.#queries}`;
    await this.#cluster.start({ ...request, name });
    return new TestQuery<S>(this.#cluster, sink, name, request.outputMode === "complete");
  }

  /** Adds rows to a source of `session.memorySource(schema)`. They are durable when it resolves, not yet processed; without a trigger, several epochs may share them. */
  async addData<S>(
    source: MemorySource & { readonly schema: TypedSchema<S> },
    rows: readonly InputRowOf<NoInfer<S>>[],
  ): Promise<void> {
    await source.addData(rows as readonly Readonly<Record<string, unknown>>[]);
  }

  /** Waits until the query (all of them when none is named) has processed and written all input that is there. Rejects with the query's failure. */
  async processAllAvailable(query?: TestQuery<unknown> | string): Promise<void> {
    const name = typeof query === "string" ? query : query?.name;
    for (const n of name === undefined ? this.#cluster.names : [name])
      await this.#cluster.processAllAvailable(n);
  }

  /** Moves the clock on: triggers fire, timeouts pass, leases run out. Milliseconds or "10 seconds". */
  async advanceTime(time: Duration | number): Promise<void> {
    for (let left = parseDuration(time); left > 0; left -= STEP_MS)
      await this.#cluster.advanceTime(Math.min(left, STEP_MS));
  }

  /** Ends a node as kill -9 does, its disk kept or lost; or lets an actor fail at the next step it takes, which its supervisor restarts. */
  async kill(victim: Victim): Promise<void> {
    if (typeof victim === "object" && "stage" in victim) {
      this.#doomed.add(`${victim.stage}/${victim.partition ?? "*"}`);
      return;
    }
    const { node, disk = "kept" } = typeof victim === "number" ? { node: victim } : victim;
    if (!this.nodes.includes(node))
      throw new ConfigurationError(`no node ${node} is running; there are ${this.nodes.join(", ")}`);
    await this.#cluster.kill(node, disk);
  }

  /** Starts a node again, or one more, with all queries; it takes over its share. */
  restart(node = 0): Promise<void> {
    return this.#cluster.restart(node);
  }

  /** Lets a node leave in good order, as on SIGTERM. */
  leave(node: number): Promise<void> {
    return this.#cluster.leave(node);
  }

  /** Ends everything. */
  close(): Promise<void> {
    return this.#cluster.close();
  }
}

/** Opens an application under test; `close()` it at the end of the test. */
export const testApplication = (options: TestApplicationOptions = {}): TestApplication =>
  new TestApplication(options);
