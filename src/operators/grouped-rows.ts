/** The rows of one epoch, grouped by key: operators with user state see all rows of a key at once, keys in byte order (law 2). */
import { type Batch, rowCount, rowsOf } from "../core/batch.ts";
import type { DataType } from "../core/data-type.ts";
import type { Row } from "../core/value.ts";
import type { TypedExpr } from "../expr/ast.ts";
import { compileExprs } from "../expr/compile.ts";
import type { StateKey } from "../state/table.ts";
import type { EpochContext, OperatorContext, Output, StateKeys } from "./operator.ts";
import type { OperatorCounts } from "./operator-counts.ts";
import { KeyEncoder } from "./row-keys.ts";
import { keepRows, overRows, type OnRowError } from "./row-errors.ts";
import { type EventTimeForm, notLate } from "./watermark-time.ts";

export interface Group {
  readonly key: StateKey;
  readonly keyGroup: number;
  readonly keyValues: Row;
  readonly rows: Row[];
}

export interface GroupedInput {
  readonly keys: readonly TypedExpr[];
  readonly routeBy?: readonly number[] | undefined;
  readonly late?: { readonly expr: TypedExpr; readonly form: EventTimeForm } | undefined;
}

/** States that keys begin with: rows of port 1 in a batch plan; on streams what `load` gives, once, in the query's first epoch. */
export interface InitialInput {
  readonly keys: readonly TypedExpr[];
  readonly load?: () => Promise<readonly Batch[]>;
}

/** How the state of user functions over such rows is addressed. */
export const groupStateKeys = ({
  keys,
  keyNames,
  routeBy,
}: GroupedInput & { readonly keyNames: readonly string[] }): StateKeys => ({
  names: keyNames,
  types: keys.map((k) => k.type),
  routeBy: routeBy ?? keys.map((_, i) => i),
});

interface LoadContext {
  readonly epoch: EpochContext;
  readonly context: OperatorContext;
  readonly counts: OperatorCounts;
  readonly out: Output;
}

/** Epochs are counted from 1, whatever stops and restarts the query. */
const FIRST_EPOCH = 1;

/** What brings the initial states into this epoch; undefined where nothing does. */
export const initialLoad = (
  initial: InitialInput | undefined,
  { epoch, final }: EpochContext,
): InitialInput["load"] => (epoch === FIRST_EPOCH && !final ? initial?.load : undefined);

export class GroupedRows {
  readonly #input: GroupedInput;
  readonly #evaluate: ReturnType<typeof compileExprs>;
  readonly #encoder: KeyEncoder;
  #groups = new Map<StateKey, Group>();

  constructor(input: GroupedInput) {
    this.#input = input;
    const late = input.late === undefined ? [] : [input.late.expr];
    this.#evaluate = compileExprs([...input.keys, ...late]);
    this.#encoder = new KeyEncoder(
      input.keys.map((k) => k.type),
      input.routeBy,
    );
  }

  get types(): readonly DataType[] {
    return this.#input.keys.map((k) => k.type);
  }

  add(batch: Batch, epoch: EpochContext, onRowError: OnRowError, counts: OperatorCounts, out: Output): void {
    let { batch: rows, result } = overRows(batch, onRowError, (b) => this.#evaluate(b, epoch));
    const { late, keys } = this.#input;
    if (late !== undefined && !epoch.final) {
      const mask = notLate(result[keys.length]!, rowCount(rows), late.form, epoch.lateWatermarkMs);
      if (mask !== undefined) {
        const dropped = keepRows(
          rows,
          mask.map((m) => 1 - m),
        );
        counts.late(rowCount(dropped));
        out.late(dropped);
        rows = keepRows(rows, mask);
        result = this.#evaluate(rows, epoch);
      }
    }
    const n = rowCount(rows);
    const keyed = this.#encoder.encode(result.slice(0, keys.length), n);
    rowsOf(rows).forEach((row, i) => {
      const key = keyed.keys[i]!;
      const group = this.#groups.get(key);
      if (group !== undefined) group.rows.push(row);
      else
        this.#groups.set(key, { key, keyGroup: keyed.keyGroup(i), keyValues: keyed.values(i), rows: [row] });
    });
  }

  /** Adds the rows of a whole static frame, and keeps those whose keys are this partition's. */
  async load(
    load: () => Promise<readonly Batch[]>,
    { epoch, context, counts, out }: LoadContext,
  ): Promise<void> {
    for (const batch of await load()) this.add(batch, epoch, context.onRowError, counts, out);
    for (const [key, { keyGroup }] of this.#groups)
      if (!context.ownsKeyGroup(keyGroup)) this.#groups.delete(key);
  }

  /** All groups in key order; empties this. */
  take(): Group[] {
    const groups = [...this.#groups.values()].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
    this.#groups = new Map();
    return groups;
  }
}
