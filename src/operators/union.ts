/** UNION ALL: the rows of all ports under the names of the first. Stateless. */
import { batchOf } from "../core/batch.ts";
import type { Operator, OperatorKind } from "./operator.ts";

export interface UnionSpec {
  readonly ports: number;
}

export const unionKind: OperatorKind<UnionSpec> = {
  kind: "union",
  stateful: false,
  create: (_spec, _inputs, output): Operator => ({
    process: (batch, _port, out) => out.emit(batchOf(output, batch.length, batch.columns, batch.selection)),
  }),
  describe: (spec) => `Union of ${spec.ports}`,
  stateFingerprint: () => "",
};
