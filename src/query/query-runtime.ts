/** SessionRuntime over a node's services: what a session of this process runs on. One per process; src/node and src/testing make it. */
import { rowsOf } from "../core/batch.ts";
import { ConfigurationError } from "../core/errors.ts";
import type { Schema } from "../core/schema.ts";
import type { Row } from "../core/value.ts";
import type { LogStore } from "../log/log.ts";
import type { Catalog } from "../plan/catalog.ts";
import { schemaOfAttributes } from "../plan/fragment.ts";
import type { Relation } from "../plan/relation.ts";
import type { BatchServices } from "./batch-runner.ts";
import { explainFrame, explainQuery, inspectSink } from "./explain.ts";
import { analysed, planQuery, type PlanningOptions, runBatch } from "./planning.ts";
import { QueryHost } from "./query-host.ts";
import { QueryManager } from "./query-manager.ts";
import type { ExplainMode, ExplainRequest, SessionRuntime, StartRequest } from "./runtime.ts";
import type { NodeServices } from "./services.ts";
import type { StreamingQuery } from "./streaming-query.ts";
import { HostedQuery } from "./streaming-query-view.ts";
import { refuseTarget } from "./target-check.ts";

export interface RuntimeOptions {
  readonly planning: PlanningOptions;
  readonly batch: BatchServices;
  /** Joins the group; called by the first start. */
  readonly services: () => Promise<NodeServices>;
  /** Whether a query without a name may start (not where the name is all that finds its checkpoint). */
  readonly namesRequired: boolean;
  readonly uuid: () => string;
  readonly onClose: () => Promise<void>;
}

/** The services with the session's own zone; the others stay live (a node's membership changes when it joins again). */
const inZone = (services: NodeServices, timeZone: string | undefined): NodeServices =>
  timeZone === undefined || timeZone === services.timeZone
    ? services
    : (Object.create(services, { timeZone: { value: timeZone } }) as NodeServices);

export class QueryRuntime implements SessionRuntime {
  readonly #o: RuntimeOptions;
  readonly queries = new QueryManager();
  readonly #hosts = new Map<string, QueryHost>();
  /** Names of queries that are being started and have no host yet. */
  readonly #starting = new Set<string>();

  constructor(options: RuntimeOptions) {
    this.#o = options;
  }

  /** The hosts of running queries, by name. */
  get hosts(): ReadonlyMap<string, QueryHost> {
    return this.#hosts;
  }

  /** Planning and batch services with what SET changed in the session. */
  #settings({ overrides }: Catalog): readonly [PlanningOptions, BatchServices] {
    const { planning, batch } = this.#o;
    if (overrides === undefined) return [planning, batch];
    const merged = { ...planning, ...overrides };
    return [merged, { ...batch, timeZone: merged.timeZone }];
  }

  async start(request: StartRequest): Promise<StreamingQuery> {
    const { relation, catalog, outputMode, sink } = request;
    const plans = planQuery(relation, catalog, outputMode, sink, ...this.#settings(catalog), request.onError);
    const name = request.name ?? this.#inventedName();
    if (this.#starting.has(name) || this.#hosts.get(name)?.ended === false)
      throw new ConfigurationError(`a query named ${name} is already active in this session`);
    this.#starting.add(name);
    try {
      return await this.#begin(name, request, plans);
    } finally {
      this.#starting.delete(name);
    }
  }

  async #begin(
    name: string,
    request: StartRequest,
    plans: ReturnType<typeof planQuery>,
  ): Promise<StreamingQuery> {
    const { catalog } = request;
    // Its last snapshots need not be waited for: this node has the state.
    await this.#hosts.get(name)?.close();
    const services = inZone(await this.#o.services(), catalog.overrides?.timeZone);
    await refuseTarget(plans.physical, services);
    const host = await QueryHost.start(services, {
      name,
      plan: plans.physical,
      trigger: request.trigger,
      partitions: request.partitions,
    });
    this.#hosts.set(name, host);
    // The node may have joined again while the host was not known here yet.
    if (host.membership !== services.membership) await host.rejoin();
    let target: string | undefined;
    const look = async (): Promise<void> => void (target ??= await inspectSink(plans.physical, services));
    const query = new HostedQuery(
      host,
      services,
      (mode) => {
        // A sink may make its stream later: asked again for the next time.
        void look();
        return explainQuery(plans, mode, target);
      },
      (p) => this.queries.progressed(p),
    );
    try {
      await host.untilRunning();
    } catch (e) {
      this.#hosts.delete(name);
      await host.close();
      throw e;
    }
    void look();
    this.queries.onListenerError = (e): void =>
      services.log("warn", "a query listener threw", { error: String(e) });
    this.queries.add(query, services.clock);
    return query;
  }

  #inventedName(): string {
    if (this.#o.namesRequired)
      throw new ConfigurationError("a query on NATS needs a name: it names the checkpoint", {
        hint: 'writeStream.queryName("orders")',
      });
    return `query-${this.#o.uuid().slice(0, 8)}`;
  }

  async collect(relation: Relation, catalog: Catalog): Promise<{ schema: Schema; rows: readonly Row[] }> {
    const [planning, batch] = this.#settings(catalog);
    const plan = analysed(relation, catalog, planning);
    if (plan.streaming)
      throw new ConfigurationError(
        "a stream has no end to collect: write it with writeStream, or read it with read instead of readStream",
      );
    const batches = await runBatch(plan, planning, batch);
    return { schema: schemaOfAttributes(plan.output), rows: batches.flatMap(rowsOf) };
  }

  analyse(relation: Relation, catalog: Catalog): { schema: Schema; streaming: boolean } {
    const plan = analysed(relation, catalog, this.#settings(catalog)[0]);
    return { schema: schemaOfAttributes(plan.output), streaming: plan.streaming };
  }

  explain(
    request: Pick<StartRequest, "relation" | "catalog"> & Partial<StartRequest>,
    mode: ExplainMode,
  ): string {
    const { relation, catalog, sink } = request;
    if (sink !== undefined) return explainQuery(this.#plans({ ...request, sink }), mode);
    const [planning] = this.#settings(catalog);
    return explainFrame(analysed(relation, catalog, planning), planning, mode);
  }

  #plans({ relation, catalog, outputMode, sink }: ExplainRequest): ReturnType<typeof planQuery> {
    return planQuery(relation, catalog, outputMode ?? "append", sink, ...this.#settings(catalog));
  }

  async explainThere(request: ExplainRequest, mode: ExplainMode, store?: LogStore): Promise<string> {
    const plans = this.#plans(request);
    const { clock } = this.#o.batch;
    const target = store === undefined ? undefined : await inspectSink(plans.physical, { store, clock });
    return explainQuery(plans, mode, target);
  }

  /** Resolves when queries that have ended have taken their last snapshots. */
  async settled(): Promise<void> {
    await Promise.all([...this.#hosts.values()].map((h) => h.settled()));
  }

  /** This node leaves every query; they go on elsewhere. */
  async leave(): Promise<void> {
    await Promise.all([...this.#hosts.values()].map((h) => h.leave()));
  }

  /** The node's lease is lost: nothing of it may run or write any more. */
  async suspend(): Promise<void> {
    await Promise.all([...this.#hosts.values()].map((h) => h.suspend()));
  }

  /** The node has joined again, under another id. */
  async rejoin(): Promise<void> {
    await Promise.all([...this.#hosts.values()].map((h) => h.rejoin()));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#hosts.values()].map((h) => h.close()));
    await this.#o.onClose();
  }
}
