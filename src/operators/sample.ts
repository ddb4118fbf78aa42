/**
 * SAMPLE: takes each row with a probability. Which rows is a function of seed, epoch, partition and the row's number in the epoch, so that a
 * replay takes the same ones (law 2). Stateless.
 */
import { rowCount } from "../core/batch.ts";
import { combineHash, mix } from "../core/hash.ts";
import type { Operator, OperatorKind } from "./operator.ts";
import { liveRows, select } from "./row-errors.ts";

export interface SampleSpec {
  /** 0 … 1 */
  readonly fraction: number;
  readonly seed: number;
}

const HASHES = 2 ** 32;

export const sampleKind: OperatorKind<SampleSpec> = {
  kind: "sample",
  stateful: false,
  create: ({ fraction, seed }): Operator => {
    const bound = fraction * HASHES;
    let partition = 0;
    let salt = 0;
    let row = 0;
    return {
      open: (context) => {
        partition = context.partition;
      },
      begin: ({ epoch }) => {
        salt = combineHash(combineHash(mix(seed), epoch), partition);
        row = 0;
      },
      process: (batch, _port, out) => {
        const taken = liveRows(batch).filter(() => combineHash(salt, mix(row++)) < bound);
        if (taken.length === rowCount(batch)) out.emit(batch);
        else if (taken.length > 0) out.emit(select(batch, taken));
      },
    };
  },
  describe: (spec) => `Sample ${spec.fraction} seed ${spec.seed}`,
  stateFingerprint: () => "",
};
