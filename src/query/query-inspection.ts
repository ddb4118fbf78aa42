/**
 * What a running query keeps, looked at from outside: the state of one key, and dead letters.
 *
 * State is read as it was committed, never out of a running actor: from this node's store, or from the newest snapshot where that is newer or the actor runs
 * elsewhere. The answer says of which epoch it is. The tables of one operator are filled with the one key group that is asked for.
 */
import { AnalysisError, MillraceError, StateCorruptError, UnavailableError } from "../core/errors.ts";
import { typeName } from "../core/data-type.ts";
import { keyGroupOf, partitionOfKeyGroup } from "../core/hash.ts";
import { STATE_READ_ATTEMPTS } from "../core/limits.ts";
import type { Row } from "../core/value.ts";
import { nearest } from "../expr/suggestion.ts";
import { fromUserValue } from "../expr/user-values.ts";
import { isStageInput, type OperatorNode, type StageInput, type StateKeys } from "../operators/operator.ts";
import { operatorKind } from "../operators/registry.ts";
import { hashRow } from "../state/key-codec.ts";
import { isPart } from "../state/parts.ts";
import { download, findSnapshots } from "../state/snapshot.ts";
import { type Lineage, type StateRecord, StateStore } from "../state/store.ts";
import { clearDeadLetters, type FiledLetter, readDeadLetters } from "./dead-letter-log.ts";
import type { QueryHost } from "./query-host.ts";
import type { NodeServices } from "./services.ts";

/** An operator whose state can be asked for by key. */
export interface StateOperator {
  readonly operator: string;
  readonly kind: string;
  readonly description: string;
  readonly stage: number;
  /** Type by name, in order. */
  readonly keys: readonly { readonly name: string; readonly type: string }[];
}
export interface StateLookup {
  readonly operator: string;
  readonly partition: number;
  /** The epoch after which this was the state; 0 before the first. */
  readonly epoch: number;
  /** Undefined when there is none for the key. */
  readonly state: Readonly<Record<string, unknown>> | undefined;
}
export interface QueryInspection {
  stateOperators(): readonly StateOperator[];
  /** `key`: a value, a list of values in the order of the keys, or an object by their names. Throws AnalysisError for a key that does not fit. */
  state(operator: string, key: unknown): Promise<StateLookup>;
  /** What `onError("deadLetter")` set aside. */
  deadLetters(): Promise<readonly FiledLetter[]>;
  /** Forgets them, up to a position of the log; gives how many. */
  clearDeadLetters(through?: number): Promise<number>;
}

interface Addressed {
  readonly stage: number;
  readonly node: OperatorNode;
  readonly keys: StateKeys;
}

interface Content {
  readonly record: StateRecord;
  blob(i: number): Promise<Uint8Array>;
}

const operatorsBelow = (n: OperatorNode | StageInput): readonly OperatorNode[] =>
  isStageInput(n) ? [] : [n, ...n.inputs.flatMap(operatorsBelow)];

/** The values of a key as they were given, one per column. */
const partsOf = (key: unknown, names: readonly string[]): readonly unknown[] => {
  if (Array.isArray(key) && (names.length !== 1 || key.length === 1)) return key as readonly unknown[];
  if (typeof key !== "object" || key === null || names.some((n) => !Object.hasOwn(key, n))) return [key];
  return names.map((n) => (key as Readonly<Record<string, unknown>>)[n]);
};

const keyRow = (key: unknown, { names, types }: StateKeys): Row => {
  const parts = partsOf(key, names);
  const shape = names.map((n, i) => `${n} ${typeName(types[i]!)}`).join(", ");
  if (parts.length !== names.length)
    throw new AnalysisError(`the key has ${parts.length} parts, but the state is kept by (${shape})`, {
      hint: "give a JSON list with a value for each of them, or an object by their names",
    });
  return parts.map((x, i) => {
    try {
      return fromUserValue(x, types[i]!);
    } catch (e) {
      if (!(e instanceof MillraceError)) throw e;
      throw new AnalysisError(
        `the key does not fit (${shape}): ${JSON.stringify(x)} is no ${typeName(types[i]!)}`,
      );
    }
  });
};

export class HostedInspection implements QueryInspection {
  readonly #host: QueryHost;
  readonly #services: NodeServices;

  constructor(host: QueryHost, services: NodeServices) {
    this.#host = host;
    this.#services = services;
  }

  #addressed(): readonly Addressed[] {
    return this.#host.definition.plan.stages.flatMap((stage) =>
      operatorsBelow(stage.root).flatMap((node) => {
        const keys = operatorKind(node.kind).stateKeys?.(node.spec, node.output);
        return keys === undefined ? [] : [{ stage: stage.id, node, keys }];
      }),
    );
  }

  stateOperators(): readonly StateOperator[] {
    return this.#addressed().map(({ stage, node, keys }) => ({
      operator: node.id,
      kind: node.kind,
      description: operatorKind(node.kind).describe(node.spec),
      stage,
      keys: keys.names.map((name, i) => ({ name, type: typeName(keys.types[i]!) })),
    }));
  }

  async state(operator: string, key: unknown): Promise<StateLookup> {
    const all = this.#addressed();
    const found = all.find((a) => a.node.id === operator);
    if (found === undefined) {
      const ids = all.map((a) => a.node.id);
      throw new AnalysisError(
        `the query has no operator ${JSON.stringify(operator)} whose state is kept by key`,
        {
          hint:
            ids.length === 0
              ? "it has none at all"
              : `did you mean ${nearest(operator, ids)[0]}? There are ${ids.join(", ")}`,
        },
      );
    }
    const row = keyRow(key, found.keys);
    const { names: _, types, routeBy } = found.keys;
    const group = keyGroupOf(
      hashRow(
        routeBy.map((i) => row[i]!),
        routeBy.map((i) => types[i]!),
      ),
    );
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#read(found, row, group);
      } catch (e) {
        // The actor has committed meanwhile, and what the record named is gone.
        if (!(e instanceof StateCorruptError) || attempt === STATE_READ_ATTEMPTS) throw e;
      }
    }
  }

  async #read({ stage, node }: Addressed, key: Row, group: number): Promise<StateLookup> {
    const { follower, definition } = this.#host;
    const topology = follower.latest?.entry.topology;
    if (topology === undefined) return { operator: node.id, partition: 0, epoch: 0, state: undefined };
    const of = topology.partitions[stage]!;
    const partition = partitionOfKeyGroup(group, of);
    const lineage = {
      checkpoint: follower.run?.queryId ?? follower.latest!.entry.queryId,
      stage,
      topology: topology.version,
      partition,
      fingerprint: definition.plan.fingerprint,
    };
    const prefix = `${definition.name}/${topology.version}/${stage}/${partition}`;
    const store = new StateStore(this.#services.backend, prefix, lineage);
    const kind = operatorKind(node.kind);
    const operator = kind.create(
      node.spec,
      node.inputs.map((i) => i.output),
      node.output,
    );
    try {
      operator.open?.({
        tables: store.registry(node.id),
        partition,
        partitions: of,
        ownsKeyGroup: (g) => partitionOfKeyGroup(g, of) === partition,
        onRowError: (e) => {
          throw e;
        },
      });
      const content = await this.#content(store, lineage);
      for (const [i, info] of (content?.record.blobs ?? []).entries())
        if (!info.table.startsWith(`${node.id}/`)) continue;
        else if (!isPart(info))
          store.loadBlob(info.table, await content!.blob(i), (g) => g === group, info.epoch);
        else if (info.part === group) await store.addPart(info, await content!.blob(i));
      operator.restored?.();
      const epoch = content?.record.epoch ?? 0;
      const entry = follower.known(epoch);
      operator.begin?.({
        epoch,
        partition,
        clockMs: entry?.clockMs ?? this.#services.clock.now(),
        timeZone: this.#services.timeZone,
        watermarkMs: 0,
        lateWatermarkMs: 0,
        final: false,
      });
      return { operator: node.id, partition, epoch, state: operator.lookUp?.(key) };
    } finally {
      await operator.close?.();
    }
  }

  /** The newer of this node's record and the newest whole snapshot. */
  async #content(store: StateStore, lineage: Lineage): Promise<Content | undefined> {
    const local = await store.readRecord();
    const log = await this.#services.store.open(
      this.#host.names.snapshot(lineage.stage, lineage.topology, lineage.partition),
    );
    for await (const found of findSnapshots(log, lineage)) {
      if (local !== undefined && local.epoch >= found.manifest.record.epoch) break;
      const snapshot = await download(log, found);
      if (snapshot !== undefined)
        return { record: snapshot.record, blob: (i) => Promise.resolve(snapshot.blobs[i]!) };
    }
    return local && { record: local, blob: (i) => store.readBlob(local.blobs[i]!) };
  }

  async deadLetters(): Promise<readonly FiledLetter[]> {
    return readDeadLetters(await this.#services.store.open(this.#host.names.deadLetters));
  }

  async clearDeadLetters(through?: number): Promise<number> {
    return clearDeadLetters(await this.#services.store.open(this.#host.names.deadLetters), through);
  }
}

/** Of a query that does not run here. */
export const NO_INSPECTION: QueryInspection = {
  stateOperators: () => [],
  state: () => Promise.reject(new UnavailableError("the query does not run here")),
  deadLetters: () => Promise.resolve([]),
  clearDeadLetters: () => Promise.resolve(0),
};
