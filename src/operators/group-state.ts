/**
 * mapGroupsWithState and flatMapGroupsWithState. In every epoch the function is called once for each key with rows, then once for each key whose
 * timeout passed (`hasTimedOut`, no rows); keys in byte order, timeouts by time. Semantics: Spark's GroupState: every call resets the timeout; a
 * timeout fires when its time < clock (processing time) or < watermark (event time); late rows are dropped with event-time timeouts only.
 * Port 1, when there is one, brings the initial states: the function is called for their keys in the first epoch even without rows.
 */
import { type Batch, batchFromRows } from "../core/batch.ts";
import { type DataType, type Field, struct } from "../core/data-type.ts";
import { PROCESSING_TIMER_MS } from "../core/limits.ts";
import type { Schema } from "../core/schema.ts";
import type { Row, Value } from "../core/value.ts";
import { toUserValue } from "../expr/user-values.ts";
import { callUser, userFunctionError } from "../expr/user-call.ts";
import { encodeKey } from "../state/key-codec.ts";
import type { KeyedTable, StateKey } from "../state/table.ts";
import { ExpiryQueue } from "./expiry-queue.ts";
import { keyTypesText } from "./expr-text.ts";
import { GroupState, type GroupTimeout } from "./group-state-handle.ts";
import {
  type Group,
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
import { failedRows, iterableResult, rowReader, rowWriter } from "./user-rows.ts";
import { type StateCodec, stateCodec, stateTypeText } from "./user-state.ts";

export interface GroupStateSpec extends GroupedInput {
  readonly name: string;
  readonly mode: "mapGroups" | "flatMapGroups";
  readonly timeout: GroupTimeout;
  /** Names under which the function sees the keys. */
  readonly keyNames: readonly string[];
  /** Undefined: any plain data. */
  readonly stateType: DataType | undefined;
  /** (key, rows, state) → row (mapGroups) or rows (flatMapGroups). */
  readonly apply: (key: never, rows: never, state: never) => unknown;
  /** Keys of port 1; its other columns, named `values`, are the state (the column itself when it is one and the state is no struct). */
  readonly initial?: InitialInput & { readonly values: readonly number[] };
}

/** [key group, key values, has state, state, timeout] */
type Stored = readonly [number, Row, 0 | 1, Value, number | null];

/** Strictly below, at the resolution of event times (µs). */
const STRICTLY_MS = 0.0005;

class GroupStateOperator implements Operator {
  readonly #spec: GroupStateSpec;
  readonly #output: Schema;
  readonly #rows: GroupedRows;
  readonly #initial: GroupedRows | undefined;
  readonly #initialFields: readonly Field[];
  readonly #read: (row: Row) => unknown;
  readonly #readKey: (row: Row) => unknown;
  readonly #write: (value: unknown) => Row;
  readonly #codec: StateCodec;
  readonly #counts = new OperatorCounts();
  readonly #timeouts = new ExpiryQueue<StateKey>();
  #table!: KeyedTable<Stored>;
  #context!: OperatorContext;
  #epoch!: EpochContext;

  constructor(spec: GroupStateSpec, inputs: readonly Schema[], output: Schema) {
    this.#spec = spec;
    this.#output = output;
    this.#rows = new GroupedRows(spec);
    const { initial, routeBy } = spec;
    this.#initial = initial === undefined ? undefined : new GroupedRows({ keys: initial.keys, routeBy });
    this.#initialFields = (initial?.values ?? []).map((i) => inputs[1]!.fields[i]!);
    this.#read = rowReader(inputs[0]!);
    this.#readKey = rowReader({
      fields: spec.keys.map((k, i) => ({ name: spec.keyNames[i]!, type: k.type, nullable: true })),
    });
    this.#write = rowWriter(output, spec.name);
    this.#codec = stateCodec(spec.stateType);
  }

  open(context: OperatorContext): void {
    this.#context = context;
    this.#table = context.tables.keyed("groups");
  }

  restored(): void {
    for (const [key, stored] of this.#table.scan())
      if (stored[4] !== null) this.#timeouts.add(stored[4], key);
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
    const groups = this.#rows.take();
    const initial = this.#takeInitial(groups);
    const results: Row[] = [];
    for (const group of [...groups, ...initial].sort((a, b) => (a.key < b.key ? -1 : 1)))
      for (const row of this.#call(group, false)) results.push(row);
    if (this.#spec.timeout !== "none" && !this.#epoch.final)
      for (const group of this.#timedOut()) for (const row of this.#call(group, true)) results.push(row);
    if (results.length > 0) out.emit(batchFromRows(this.#output, results));
    this.#counts.endEpoch();
  }

  /** Stores initial states; returns the groups that have one but no rows. */
  #takeInitial(groups: readonly Group[]): Group[] {
    const withRows = new Set(groups.map((g) => g.key));
    const only: Group[] = [];
    for (const group of this.#initial?.take() ?? []) {
      const row = group.rows.at(-1)!;
      const values = this.#spec.initial!.values.map((i) => row[i]!);
      const whole = this.#initialFields.length !== 1 || this.#spec.stateType?.kind === "struct";
      const state = whole
        ? toUserValue(values, struct(this.#initialFields))
        : toUserValue(values[0]!, this.#initialFields[0]!.type);
      this.#table.put(
        group.key,
        [group.keyGroup, group.keyValues, 1, this.#codec.encode(state), null],
        group.keyGroup,
      );
      if (!withRows.has(group.key)) only.push({ ...group, rows: [] });
    }
    return only;
  }

  #timedOut(): Group[] {
    const limit =
      (this.#spec.timeout === "processingTime" ? this.#epoch.clockMs : this.#epoch.watermarkMs) - STRICTLY_MS;
    const due: (Group & { readonly at: number })[] = [];
    for (const key of new Set(this.#timeouts.takeThrough(limit))) {
      const stored = this.#table.get(key);
      // The queue keeps times that calls have since changed; the table knows which count.
      if (stored === undefined || stored[4] === null || stored[4] > limit) continue;
      due.push({ key, keyGroup: stored[0], keyValues: stored[1], rows: [], at: stored[4] });
    }
    return due.sort((a, b) => a.at - b.at || (a.key < b.key ? -1 : 1));
  }

  /** One call of the user's function; what it throws leaves the state as it was. */
  #call(group: Group, hasTimedOut: boolean): readonly Row[] {
    const { name, timeout } = this.#spec;
    const stored = this.#table.get(group.key);
    const state = new GroupState({
      stored: stored === undefined || stored[2] === 0 ? undefined : { value: stored[3] },
      codec: this.#codec,
      timeout,
      hasTimedOut,
      watermarkMs: this.#epoch.watermarkMs,
      clockMs: this.#epoch.clockMs,
    });
    try {
      const rows = this.#results(group, state);
      this.#keep(group, state);
      return rows;
    } catch (e) {
      failedRows(this.#context.onRowError, userFunctionError(name, e), group);
      // The timeout has fired, here and in every replay.
      if (hasTimedOut && stored !== undefined)
        this.#table.put(group.key, [stored[0], stored[1], stored[2], stored[3], null], stored[0]);
      return [];
    }
  }

  #results(group: Group, state: GroupState): readonly Row[] {
    const { apply, mode, name } = this.#spec;
    const f = apply as unknown as (key: unknown, rows: Iterable<unknown>, state: GroupState) => unknown;
    const made = callUser(name, () => {
      const result = f(this.#readKey(group.keyValues), group.rows.map(this.#read), state);
      return mode === "mapGroups" ? [result] : [...iterableResult(name, result)];
    });
    return made.map(this.#write);
  }

  #keep(group: Group, state: GroupState): void {
    const { value, timeoutMs } = state.outcome();
    this.#counts.updated();
    if (value === undefined && timeoutMs === null) {
      if (this.#table.get(group.key) !== undefined) this.#counts.removed();
      this.#table.delete(group.key);
      return;
    }
    const stored: Stored = [
      group.keyGroup,
      group.keyValues,
      value === undefined ? 0 : 1,
      value?.value ?? null,
      timeoutMs,
    ];
    this.#table.put(group.key, stored, group.keyGroup);
    if (timeoutMs !== null) this.#timeouts.add(timeoutMs, group.key);
  }

  lookUp(key: Row): Readonly<Record<string, unknown>> | undefined {
    const stored = this.#table.get(
      encodeKey(
        key,
        this.#spec.keys.map((k) => k.type),
      ),
    );
    if (stored === undefined) return undefined;
    const [, , has, state, timeoutMs] = stored;
    return {
      ...(has === 1 ? { state: this.#codec.decode(state) } : {}),
      ...(timeoutMs === null ? {} : { timeout: new Date(timeoutMs) }),
    };
  }

  metrics(): OperatorMetrics {
    return this.#counts.epoch;
  }
}

export const groupStateKind: OperatorKind<GroupStateSpec> = {
  kind: "groupState",
  stateful: true,
  create: (spec, inputs, output) => new GroupStateOperator(spec, inputs, output),
  describe: (spec) =>
    `GroupState ${spec.mode} ${spec.name} [${spec.keyNames.join(", ")}] timeout ${spec.timeout}`,
  stateFingerprint: (spec) =>
    `groupState keys=[${keyTypesText(spec.keys)}] state=${stateTypeText(spec.stateType)} timeout=${spec.timeout}`,
  stateKeys: groupStateKeys,
  wantsEmptyEpoch: (spec, before, after) => spec.timeout === "eventTime" && after > before,
  wantsTimerEpoch: (spec, before, now) =>
    spec.timeout === "processingTime" && now - before >= PROCESSING_TIMER_MS,
};
