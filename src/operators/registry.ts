/** Every operator kind, one line each. */
import { ConfigurationError } from "../core/errors.ts";
import type { OperatorKind } from "./operator.ts";

// oxlint-disable-next-line typescript/no-explicit-any -- a registry holds kinds of any spec
const KINDS: readonly OperatorKind<any>[] = [];

// oxlint-disable-next-line typescript/no-explicit-any
export const operatorKind = (kind: string): OperatorKind<any> => {
  const found = KINDS.find((k) => k.kind === kind);
  if (found === undefined) throw new ConfigurationError(`there is no operator kind ${kind}`);
  return found;
};
