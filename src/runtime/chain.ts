/**
 * A stage's operators running as one: a tree walked from its leaves (edges, or the source) to its root. The loop feeds batches at leaves and
 * ends epochs; what reaches the root goes to the stage's output.
 */
import type { Batch } from "../core/batch.ts";
import { batchOf, rowCount } from "../core/batch.ts";
import { ExecutionError, MillraceError } from "../core/errors.ts";
import type { Clock } from "../core/clock.ts";
import { ownsKeyGroup } from "../core/hash.ts";
import {
  isStageInput,
  type EpochContext,
  type Operator,
  type OperatorNode,
  type StageInput,
  watermarkAt,
} from "../operators/operator.ts";
import { isFork } from "../operators/fork.ts";
import { LATE_KIND } from "../operators/late.ts";
import { operatorKind } from "../operators/registry.ts";
import type { Schema } from "../core/schema.ts";
import type { StateStore } from "../state/store.ts";

interface Running {
  readonly node: OperatorNode;
  readonly operator: Operator;
  readonly parent: Running | undefined;
  /** Of the parent; at a root the number of its tree. */
  readonly port: number;
  /** Its late rows go on, its results do not (`df.late()`). */
  readonly lateOnly: boolean;
}

/** What every operator's epoch context is made of: the base watermark and the entry's clock. */
export interface ChainEpoch {
  readonly epoch: number;
  readonly clockMs: number;
  readonly timeZone: string;
  readonly watermark: number;
  readonly lateWatermark: number;
  readonly final: boolean;
}

/** What operators may ask of their surroundings. */
export interface ChainServices {
  readonly clock?: Clock;
  /** A row, of these columns, that could not be computed; without it the error is thrown. */
  readonly onRowError?: (error: unknown, row: () => unknown, columns: Schema | undefined) => void;
}

/** `tree`: which of a fork's inputs the rows come from; 0 without a fork. */
export type ChainOutput = (batch: Batch, tree: number) => void | Promise<void>;

interface Leaf {
  readonly parent: Running | undefined;
  readonly port: number;
  readonly input: StageInput;
}

/** The columns that a leaf wants of what arrives. */
const columnsOf = ({ columns, output }: StageInput, batch: Batch): Batch =>
  columns === undefined
    ? batch
    : batchOf(
        output,
        batch.length,
        columns.map((c) => batch.columns[c]!),
        batch.selection,
      );

const contextOf = (node: OperatorNode, e: ChainEpoch, partition: number): EpochContext => ({
  epoch: e.epoch,
  partition,
  clockMs: e.clockMs,
  timeZone: e.timeZone,
  watermarkMs: watermarkAt(node, e.watermark),
  lateWatermarkMs: watermarkAt(node, e.lateWatermark),
  final: e.final,
});

export class Chain {
  /** Children before parents. */
  readonly #running: Running[] = [];
  readonly #leaves = new Map<string, Leaf[]>();
  readonly #output: ChainOutput;
  readonly #partition: number;

  constructor(
    root: OperatorNode | StageInput,
    store: StateStore,
    partition: { readonly index: number; readonly of: number },
    output: ChainOutput,
    services: ChainServices = {},
  ) {
    this.#output = output;
    this.#partition = partition.index;
    if (isFork(root))
      for (let i = root.inputs.length - 1; i >= 0; i--) this.#build(root.inputs[i]!, undefined, i);
    else this.#build(root, undefined, 0);
    this.#running.reverse();
    for (const { node, operator } of this.#running)
      operator.open?.({
        tables: store.registry(node.id),
        partition: partition.index,
        partitions: partition.of,
        ownsKeyGroup: ownsKeyGroup(partition.index, partition.of),
        ...(services.clock === undefined ? {} : { clock: services.clock }),
        onRowError: (error, row) => {
          if (services.onRowError === undefined) throw error;
          services.onRowError(located(node, error), row, node.inputs[0]?.output);
        },
      });
  }

  #build(node: OperatorNode | StageInput, parent: Running | undefined, port: number): void {
    if (isStageInput(node)) {
      const list = this.#leaves.get(node.edge) ?? [];
      list.push({ parent, port, input: node });
      this.#leaves.set(node.edge, list);
      return;
    }
    const inputs = node.inputs.map((i) => i.output);
    const operator = operatorKind(node.kind).create(node.spec, inputs, node.output);
    const running: Running = { node, operator, parent, port, lateOnly: parent?.node.kind === LATE_KIND };
    this.#running.push(running);
    // Reversed, so that after the reversal of the whole list the first input's operators come first.
    for (let i = node.inputs.length - 1; i >= 0; i--) this.#build(node.inputs[i]!, running, i);
  }

  restored(): void {
    for (const r of this.#running) r.operator.restored?.();
  }

  /** The running operators by node, for watermark observers, metrics and state queries. */
  operators(): readonly { readonly node: OperatorNode; readonly operator: Operator }[] {
    return this.#running;
  }

  begin(epoch: ChainEpoch): void {
    for (const r of this.#running) r.operator.begin?.(contextOf(r.node, epoch, this.#partition));
  }

  /** Rows of an edge, or of "source". */
  async feed(edge: string, batch: Batch): Promise<void> {
    for (const leaf of this.#leaves.get(edge) ?? []) {
      const p = this.#deliver(leaf.parent, leaf.port, columnsOf(leaf.input, batch));
      if (p !== undefined) await p;
    }
  }

  /** Ends the epoch: every operator after the ones below it, so that what they emit at their end is input of this epoch. */
  async end(): Promise<void> {
    for (const r of this.#running) {
      if (r.operator.end === undefined) continue;
      const out: Batch[] = [];
      await this.#guard(r, () => r.operator.end!(this.#collector(r, out)));
      const p = this.#forward(r, out);
      if (p !== undefined) await p;
    }
  }

  async close(): Promise<void> {
    for (const r of this.#running) await r.operator.close?.();
  }

  #collector(r: Running, out: Batch[]): { emit(b: Batch): void; late(b: Batch): void } {
    return {
      emit: (b) => {
        if (rowCount(b) > 0 && !r.lateOnly) out.push(b);
      },
      late: (b) => {
        if (rowCount(b) > 0 && r.lateOnly) out.push(b);
      },
    };
  }

  /** Synchronous as long as every operator on the way is. */
  #deliver(r: Running | undefined, port: number, batch: Batch): void | Promise<void> {
    if (r === undefined) return this.#output(batch, port);
    const out: Batch[] = [];
    const p = this.#guard(r, () => r.operator.process(batch, port, this.#collector(r, out)));
    return p === undefined ? this.#forward(r, out) : p.then(() => this.#forward(r, out));
  }

  #forward(r: Running, out: readonly Batch[]): void | Promise<void> {
    for (let i = 0; i < out.length; i++) {
      const p = this.#deliver(r.parent, r.port, out[i]!);
      if (p !== undefined) return p.then(() => this.#forward(r, out.slice(i + 1)));
    }
  }

  /** Runs operator code; an error that leaves it says which operator it was. */
  #guard(r: Running, f: () => void | Promise<void>): void | Promise<void> {
    const named = (e: unknown): never => {
      throw located(r.node, e);
    };
    try {
      const p = f();
      return p === undefined ? undefined : p.catch(named);
    } catch (e) {
      return named(e);
    }
  }
}

/** The error as ours, with the operator that it came from. */
const located = (node: OperatorNode, e: unknown): MillraceError => {
  const error =
    e instanceof MillraceError
      ? e
      : new ExecutionError(e instanceof Error ? e.message : String(e), { cause: e });
  error.where ??= `operator ${node.kind} (${node.id})`;
  return error;
};
