/**
 * transformWithState: a user's StatefulProcessor over keyed rows, with state variables and timers. Semantics: Spark's.
 *
 * In every epoch: initial states (port 1, first epoch), then the rows of every key at once, keys in byte order, then the timers with time < clock
 * (processing time) or < watermark (event time), by time. Late rows are dropped in event-time mode only.
 */
import { type Batch, batchFromRows } from "../core/batch.ts";
import { type DataType, typeName } from "../core/data-type.ts";
import { ConfigurationError, ExecutionError } from "../core/errors.ts";
import { keyGroupOf } from "../core/hash.ts";
import { PROCESSING_TIMER_MS } from "../core/limits.ts";
import type { Schema } from "../core/schema.ts";
import type { Row } from "../core/value.ts";
import { callUser, userFunctionError } from "../expr/user-call.ts";
import { encodeKey, hashRow } from "../state/key-codec.ts";
import { keyTypesText } from "./expr-text.ts";
import {
  type GroupedInput,
  GroupedRows,
  groupStateKeys,
  type InitialInput,
  initialLoad,
} from "./grouped-rows.ts";
import type {
  EpochContext,
  Operator,
  OperatorContext,
  OperatorKind,
  OperatorMetrics,
  Output,
} from "./operator.ts";
import { OperatorCounts } from "./operator-counts.ts";
import {
  type CurrentKey,
  ListState,
  MapState,
  StateEntries,
  type StateScope,
  type StoredElement,
  ValueState,
} from "./state-variables.ts";
import { type StoredTimer, Timers } from "./timers.ts";
import { UndoLog } from "./undo-log.ts";
import { failedRows, iterableResult, rowReader, rowWriter } from "./user-rows.ts";

export type TimeMode = "none" | "processingTime" | "eventTime";

export interface TimerValues {
  getCurrentProcessingTimeInMs(): number;
  getCurrentWatermarkInMs(): number;
}

export interface ExpiredTimerInfo {
  getExpiryTimeInMs(): number;
}

/** A type of `t`, or the type that is in one. */
export type StateType = DataType | { readonly type: DataType };

/** Time to live of what a state variable holds, in processing time. */
export interface TtlConfig {
  readonly ttlMs: number;
}

/** What a processor gets in `init`; state variables are made there and nowhere else. Types: undefined takes any plain data. */
export interface StatefulProcessorHandle {
  getValueState<T = unknown>(name: string, type?: StateType, ttl?: TtlConfig): ValueState<T>;
  getListState<T = unknown>(name: string, type?: StateType, ttl?: TtlConfig): ListState<T>;
  getMapState<K = unknown, T = unknown>(
    name: string,
    keyType?: StateType,
    valueType?: StateType,
    ttl?: TtlConfig,
  ): MapState<K, T>;
  /** For the current key, in ms of the query's time mode. */
  registerTimer(timeMs: number): void;
  deleteTimer(timeMs: number): void;
  listTimers(): number[];
  getQueryInfo(): { readonly epoch: number; readonly partition: number };
}

/** The user's code. Rows and keys are objects by column name. One processor per partition. */
export interface StatefulProcessor<K = unknown, I = unknown, O = unknown> {
  init(handle: StatefulProcessorHandle, outputMode: string, timeMode: TimeMode): void;
  handleInputRows(key: K, rows: Iterable<I>, timers: TimerValues): Iterable<O> | void;
  handleExpiredTimer?(key: K, timers: TimerValues, expired: ExpiredTimerInfo): Iterable<O> | void;
  handleInitialState?(key: K, initial: unknown, timers: TimerValues): void;
  close?(): void;
}

export interface TransformWithStateSpec extends GroupedInput {
  readonly name: string;
  readonly timeMode: TimeMode;
  readonly outputMode: "append" | "update";
  readonly keyNames: readonly string[];
  /** Makes a processor, once per actor. */
  readonly apply: () => StatefulProcessor<never, never, unknown>;
  readonly initial?: InitialInput;
}

const dataTypeOf = (name: string, given: StateType | undefined): DataType | undefined => {
  if (given === undefined) return undefined;
  const isObject = typeof given === "object" && given !== null;
  const type: Partial<DataType> | null | undefined = isObject && "type" in given ? given.type : given;
  if (typeof type?.kind === "string") return type as DataType;
  throw new ConfigurationError(`the type of state ${name} is no type`, { hint: "give one of t: t.long" });
};

/** Throws ExecutionError for what is no processor. */
const processorOf = ({ name, apply }: TransformWithStateSpec): StatefulProcessor => {
  const made = callUser(name, apply) as Partial<StatefulProcessor> | null | undefined;
  for (const method of ["init", "handleInputRows"] as const)
    if (typeof made?.[method] !== "function")
      throw new ExecutionError(`the processor that ${name} makes has no method ${method}`, {
        errorClass: "INVALID_UDF_RESULT",
        hint: "() => new Processor(), an object with init(handle) and handleInputRows(key, rows, timers)",
      });
  return made as StatefulProcessor;
};

/**
 * The variables that `init` makes, for the fingerprint: a program with others, or with other types, cannot go on from the state. As in Spark, `init` is
 * called for this before any state is there; where it throws, the query says so when it runs.
 */
const variablesText = (spec: TransformWithStateSpec): string => {
  const found: string[] = [];
  const note = (name: string, kind: string, ...types: readonly (StateType | undefined)[]): never => {
    const texts = types
      .map((given) => dataTypeOf(name, given))
      .map((d) => (d === undefined ? "any" : typeName(d)));
    found.push(`${name} ${kind} ${texts.join(" ")}`);
    // No key is being handled: it has nothing that could be used.
    return Object.freeze({}) as never;
  };
  try {
    const processor = processorOf(spec);
    const handle: StatefulProcessorHandle = {
      getValueState: (name, type) => note(name, "value", type),
      getListState: (name, type) => note(name, "list", type),
      getMapState: (name, key, value) => note(name, "map", key, value),
      registerTimer: () => {},
      deleteTimer: () => {},
      listTimers: () => [],
      getQueryInfo: () => ({ epoch: 0, partition: 0 }),
    };
    processor.init(handle, spec.outputMode, spec.timeMode);
    processor.close?.();
  } catch {
    return "unknown";
  }
  return found.sort().join(", ");
};

/** Strictly below, at the resolution of event times (µs). */
const STRICTLY_MS = 0.0005;

class TransformWithState implements Operator, StateScope {
  readonly #spec: TransformWithStateSpec;
  readonly #output: Schema;
  readonly #rows: GroupedRows;
  readonly #initial: GroupedRows | undefined;
  readonly #read: (row: Row) => unknown;
  readonly #readInitial: (row: Row) => unknown;
  readonly #readKey: (row: Row) => unknown;
  readonly #write: (value: unknown) => Row;
  readonly #processor: StatefulProcessor<unknown, unknown, unknown>;
  readonly #counts = new OperatorCounts();
  readonly #variables = new Map<string, StateEntries>();
  /** The variables as `lookUp` reads them. */
  readonly #views = new Map<string, { exists(): boolean; get(): unknown }>();
  readonly #undo = new UndoLog();
  #timers!: Timers;
  #context!: OperatorContext;
  #epoch!: EpochContext;
  #current: CurrentKey | undefined;

  constructor(spec: TransformWithStateSpec, inputs: readonly Schema[], output: Schema) {
    this.#spec = spec;
    this.#output = output;
    this.#rows = new GroupedRows(spec);
    const { initial, routeBy } = spec;
    this.#initial = initial === undefined ? undefined : new GroupedRows({ keys: initial.keys, routeBy });
    this.#read = rowReader(inputs[0]!);
    this.#readInitial = rowReader(inputs[1] ?? inputs[0]!);
    this.#readKey = rowReader({
      fields: spec.keys.map((k, i) => ({ name: spec.keyNames[i]!, type: k.type, nullable: true })),
    });
    this.#write = rowWriter(output, spec.name);
    this.#processor = processorOf(spec);
  }

  open(context: OperatorContext): void {
    this.#context = context;
    this.#timers = new Timers(context.tables.keyed<StoredTimer>("timers"), this.#undo);
    let initializing = true;
    const entries = (name: string, ttl: TtlConfig | undefined): StateEntries => {
      if (typeof name !== "string" || name === "")
        throw new ConfigurationError("a state variable needs a name", {
          hint: 'handle.getValueState("sum", t.long)',
        });
      if (!initializing)
        throw new ExecutionError(`state ${name} must be made in init()`, {
          errorClass: "STATEFUL_PROCESSOR_CANNOT_PERFORM_OPERATION_WITH_INVALID_HANDLE_STATE",
        });
      if (this.#variables.has(name))
        throw new ConfigurationError(`state variable ${name} is defined twice`, {
          errorClass: "STATEFUL_PROCESSOR_DUPLICATE_STATE_VARIABLE_DEFINED",
        });
      if (ttl !== undefined && !(ttl.ttlMs > 0))
        throw new ConfigurationError(`the time to live of state ${name} must be positive`, {
          errorClass: "STATEFUL_PROCESSOR_TTL_DURATION_MUST_BE_POSITIVE",
        });
      const table = context.tables.keyed<StoredElement>(`state:${name}`);
      const made = new StateEntries(table, this, ttl?.ttlMs, this.#undo);
      this.#variables.set(name, made);
      return made;
    };
    const { timeMode, outputMode, name } = this.#spec;
    const handle: StatefulProcessorHandle = {
      getValueState: <T>(n: string, type?: StateType, ttl?: TtlConfig) =>
        this.#shown(n, new ValueState<T>(n, entries(n, ttl), dataTypeOf(n, type))),
      getListState: <T>(n: string, type?: StateType, ttl?: TtlConfig) =>
        this.#shown(n, new ListState<T>(n, entries(n, ttl), dataTypeOf(n, type))),
      getMapState: <K, T>(n: string, keyType?: StateType, type?: StateType, ttl?: TtlConfig) => {
        const map = new MapState<K, T>(n, entries(n, ttl), dataTypeOf(n, keyType), dataTypeOf(n, type));
        this.#views.set(n, { exists: () => map.exists(), get: () => new Map(map.iterator()) });
        return map;
      },
      registerTimer: (timeMs) => {
        this.#needsTimeMode();
        this.#timers.register(this.current(), timeMs);
      },
      deleteTimer: (timeMs) => {
        this.#needsTimeMode();
        this.#timers.delete(this.current().key, timeMs);
      },
      listTimers: () => this.#timers.list(this.current().key),
      getQueryInfo: () => ({ epoch: this.#epoch.epoch, partition: context.partition }),
    };
    callUser(`${name}.init`, () => this.#processor.init(handle, outputMode, timeMode));
    initializing = false;
  }

  #shown<V extends { exists(): boolean; get(): unknown }>(name: string, variable: V): V {
    this.#views.set(name, variable);
    return variable;
  }

  #needsTimeMode(): void {
    if (this.#spec.timeMode === "none")
      throw new ExecutionError("timers need a time mode of processingTime or eventTime", {
        errorClass: "STATEFUL_PROCESSOR_CANNOT_PERFORM_OPERATION_WITH_INVALID_TIME_MODE",
      });
  }

  current(): CurrentKey {
    if (this.#current === undefined)
      throw new ExecutionError("state and timers can be used only while a key is handled", {
        errorClass: "STATE_STORE_HANDLE_NOT_INITIALIZED",
      });
    return this.#current;
  }

  clockMs(): number {
    return this.#epoch.clockMs;
  }

  restored(): void {
    for (const v of this.#variables.values()) v.restore();
    this.#timers.restore();
  }

  begin(epoch: EpochContext): void {
    this.#epoch = epoch;
  }

  process(batch: Batch, port: number, out: Output): void {
    const rows = port === 0 ? this.#rows : this.#initial!;
    rows.add(batch, this.#epoch, this.#context.onRowError, this.#counts, out);
  }

  end(out: Output): void | Promise<void> {
    const load = initialLoad(this.#spec.initial, this.#epoch);
    if (load === undefined) return this.#finish(out);
    const [epoch, context, counts] = [this.#epoch, this.#context, this.#counts];
    return this.#initial!.load(load, { epoch, context, counts, out }).then(() => this.#finish(out));
  }

  #finish(out: Output): void {
    const results: Row[] = [];
    const timers = this.#timerValues();
    for (const group of this.#initial?.take() ?? [])
      this.#as(group, (key) => {
        for (const row of group.rows)
          this.#processor.handleInitialState?.(key, this.#readInitial(row), timers);
      });
    for (const group of this.#rows.take()) {
      this.#counts.updated();
      const made = this.#as(group, (key) =>
        this.#processor.handleInputRows(key, group.rows.map(this.#read), timers),
      );
      for (const row of made) results.push(row);
    }
    if (!this.#epoch.final) for (const row of this.#fireTimers(timers)) results.push(row);
    for (const v of this.#variables.values()) this.#counts.removed(v.removeExpired());
    if (results.length > 0) out.emit(batchFromRows(this.#output, results));
    this.#counts.endEpoch();
  }

  #timerValues(): TimerValues {
    const { clockMs, watermarkMs } = this.#epoch;
    return { getCurrentProcessingTimeInMs: () => clockMs, getCurrentWatermarkInMs: () => watermarkMs };
  }

  #fireTimers(timers: TimerValues): Row[] {
    const { timeMode } = this.#spec;
    if (timeMode === "none") return [];
    const now = timeMode === "processingTime" ? this.#epoch.clockMs : this.#epoch.watermarkMs;
    return this.#timers.due(now - STRICTLY_MS).flatMap((timer) => {
      // An earlier timer of this epoch may have deleted it.
      if (!this.#timers.has(timer.key, timer.timeMs)) return [];
      const rows = this.#as(timer, (key) =>
        this.#processor.handleExpiredTimer?.(key, timers, { getExpiryTimeInMs: () => timer.timeMs }),
      );
      this.#timers.delete(timer.key, timer.timeMs);
      return [...rows];
    });
  }

  /** Runs user code for a key; rows it makes while its generator runs see the key too. */
  #as(
    key: CurrentKey & { readonly rows?: readonly Row[] },
    f: (key: unknown) => Iterable<unknown> | void,
  ): readonly Row[] {
    this.#current = key;
    this.#undo.begin();
    try {
      const made = callUser(this.#spec.name, () => [
        ...iterableResult(this.#spec.name, f(this.#readKey(key.keyValues)) ?? []),
      ]);
      return made.map(this.#write);
    } catch (e) {
      // What it throws leaves the key's state and timers as they were.
      this.#undo.rollBack();
      failedRows(this.#context.onRowError, userFunctionError(this.#spec.name, e), key);
      return [];
    } finally {
      this.#undo.end();
      this.#current = undefined;
    }
  }

  lookUp(keyValues: Row): Readonly<Record<string, unknown>> | undefined {
    const types = this.#spec.keys.map((k) => k.type);
    const key = encodeKey(keyValues, types);
    this.#current = { key, keyValues, keyGroup: keyGroupOf(hashRow(keyValues, types)) };
    const found: [string, unknown][] = [];
    for (const [name, view] of this.#views) if (view.exists()) found.push([name, view.get()]);
    const timers = this.#timers.list(key).map((ms) => new Date(ms));
    this.#current = undefined;
    if (timers.length > 0) found.push(["timers", timers]);
    // fromEntries defines properties, so that a variable "__proto__" is an ordinary one.
    return found.length === 0 ? undefined : Object.fromEntries(found);
  }

  metrics(): OperatorMetrics {
    return this.#counts.epoch;
  }

  close(): void {
    callUser(`${this.#spec.name}.close`, () => this.#processor.close?.());
  }
}

export const transformWithStateKind: OperatorKind<TransformWithStateSpec> = {
  kind: "transformWithState",
  stateful: true,
  create: (spec, inputs, output) => new TransformWithState(spec, inputs, output),
  describe: (spec) => `TransformWithState ${spec.name} [${spec.keyNames.join(", ")}] time ${spec.timeMode}`,
  // Variables may come and go (as in Spark); the keys and the time mode may not change.
  stateFingerprint: (spec) =>
    `transformWithState keys=[${keyTypesText(spec.keys)}] time=${spec.timeMode} variables=[${variablesText(spec)}]`,
  stateKeys: groupStateKeys,
  wantsEmptyEpoch: (spec, before, after) => spec.timeMode === "eventTime" && after > before,
  wantsTimerEpoch: (spec, before, now) =>
    spec.timeMode === "processingTime" && now - before >= PROCESSING_TIMER_MS,
};
