/**
 * The sink of an actor: one epoch after the other, its rows and then its commit (law 11). It may be fused into the last stage, or be the only
 * operator of a stage that gathers all rows.
 */
import type { Batch } from "../src/core/batch.ts";
import type { SinkWriter } from "../src/connectors/sink.ts";
import type { DeadLetter, RowErrors } from "../src/runtime/dead-letters.ts";
import type { ActorSink, ProbePoint } from "../src/runtime/behaviour.ts";

export class EpochSink implements ActorSink {
  readonly #writer: SinkWriter;
  readonly #errors: RowErrors | undefined;
  readonly #probe: ((point: ProbePoint, epoch: number) => void | Promise<void>) | undefined;
  readonly commitsFirst: boolean;
  #committed = 0;

  constructor(
    writer: SinkWriter,
    commitsFirst: boolean,
    probe?: (point: ProbePoint, epoch: number) => void | Promise<void>,
    errors?: RowErrors,
  ) {
    this.#errors = errors;
    this.#writer = writer;
    this.commitsFirst = commitsFirst;
    this.#probe = probe;
  }

  async open(committed: number): Promise<void> {
    this.#committed = committed;
    await this.#writer.open(committed);
  }

  async commit(epoch: number, rows: readonly Batch[]): Promise<void> {
    if (epoch <= this.#committed) return;
    this.#errors?.begin(epoch);
    await this.#writer.begin(epoch);
    for (const batch of rows) await this.#writer.write(batch);
    await this.#probe?.("sinkWritten", epoch);
    await this.#writer.commit(epoch);
    this.#committed = epoch;
  }

  /** Rows of the epoch committed last that the program's function refused. */
  takeDeadLetters(): readonly DeadLetter[] {
    return this.#errors?.take() ?? [];
  }

  close(): Promise<void> {
    return this.#writer.close();
  }
}
