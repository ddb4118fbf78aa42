/**
 * The root of a source stage that several parts of a query read: its inputs are trees over the same rows, each with an edge of its own. The chain takes it
 * apart (src/runtime/chain.ts); it never runs. Stateless.
 */
import { ConfigurationError } from "../core/errors.ts";
import type { OperatorKind, OperatorNode, StageInput } from "./operator.ts";

export const FORK_KIND = "fork";

export interface ForkSpec {
  /** Of each input: the id of the edge that its rows leave by. */
  readonly edges: readonly string[];
}

export const isFork = (n: OperatorNode | StageInput): n is OperatorNode<ForkSpec> => n.kind === FORK_KIND;

export const forkKind: OperatorKind<ForkSpec> = {
  kind: FORK_KIND,
  stateful: false,
  create: () => {
    throw new ConfigurationError("a fork stands at the root of a stage only");
  },
  describe: ({ edges }) => `Fork: one read for ${edges.join(", ")}`,
  stateFingerprint: () => "",
};
