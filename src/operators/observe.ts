/**
 * `df.observe(name, metrics…)`: passes rows through and aggregates them per epoch. Every partition has a part of the answer: `observed` gives its
 * saved accumulator states, `mergeObserved` makes the metrics of all partitions' states. Stateless (nothing outlives the epoch).
 */
import { type Batch, batchFromRows, rowCount } from "../core/batch.ts";
import type { Field } from "../core/data-type.ts";
import { schemaOf } from "../core/schema.ts";
import type { Row, Value } from "../core/value.ts";
import { valueAt } from "../core/vector.ts";
import type { AggregateCall, TypedExpr } from "../expr/ast.ts";
import { compileExprs } from "../expr/compile.ts";
import type { Accumulator, EvaluationContext } from "../expr/contract.ts";
import { accumulatorsOf, compileCalls, updateAll } from "./aggregate-calls.ts";
import { formatAggregate } from "./expr-text.ts";
import type { EpochContext, Operator, OperatorContext, OperatorKind, Output } from "./operator.ts";
import { overRows } from "./row-errors.ts";

export interface ObserveSpec {
  readonly name: string;
  readonly aggregates: readonly AggregateCall[];
  /** The metrics, bound to the results of `aggregates`. */
  readonly metrics: readonly { readonly name: string; readonly expr: TypedExpr }[];
}

/** What the runtime asks of operators that observe. */
export interface Observer {
  readonly observes: string;
  /** Saved states of this partition's epoch, one for each aggregate; undefined when it saw no row. */
  observed(): readonly Value[] | undefined;
}

export const isObserver = (o: object): o is Observer => "observed" in o && typeof o.observed === "function";

/** The metrics of an epoch from the states of all partitions, in partition order. */
export const mergeObserved = (
  spec: ObserveSpec,
  states: readonly (readonly Value[])[],
  context: EvaluationContext,
): Row => {
  const accumulators = accumulatorsOf(spec.aggregates);
  accumulators.forEach((a, i) => {
    a.ensure(1);
    for (const s of states) a.merge(0, s[i]!);
  });
  const fields = spec.aggregates.map((a, i): Field => ({ name: `a${i}`, type: a.type, nullable: true }));
  const batch = batchFromRows(schemaOf(fields), [accumulators.map((a) => a.result(0))]);
  return compileExprs(spec.metrics.map((m) => m.expr))(batch, context).map((v) => valueAt(v, 0));
};

class Observe implements Operator, Observer {
  readonly observes: string;
  readonly #accumulators: readonly Accumulator[];
  readonly #evaluate: ReturnType<typeof compileCalls>;
  #context!: OperatorContext;
  #epoch!: EpochContext;
  #rows = 0;

  constructor(spec: ObserveSpec) {
    this.observes = spec.name;
    this.#accumulators = accumulatorsOf(spec.aggregates);
    this.#evaluate = compileCalls([], spec.aggregates);
  }

  open(context: OperatorContext): void {
    this.#context = context;
  }

  begin(epoch: EpochContext): void {
    this.#epoch = epoch;
    this.#rows = 0;
    for (const a of this.#accumulators) {
      a.ensure(1);
      a.clear(0);
    }
  }

  process(batch: Batch, _port: number, out: Output): void {
    const { batch: rows, result } = overRows(batch, this.#context.onRowError, (b) =>
      this.#evaluate(b, this.#epoch),
    );
    const n = rowCount(rows);
    updateAll(this.#accumulators, result, new Int32Array(n), n);
    this.#rows += n;
    out.emit(rows);
  }

  observed(): readonly Value[] | undefined {
    return this.#rows === 0 ? undefined : this.#accumulators.map((a) => a.save(0));
  }
}

export const observeKind: OperatorKind<ObserveSpec> = {
  kind: "observe",
  stateful: false,
  create: (spec) => new Observe(spec),
  describe: (spec) => `Observe ${spec.name} [${spec.aggregates.map(formatAggregate).join(", ")}]`,
  stateFingerprint: () => "",
};
