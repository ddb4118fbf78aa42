/** Every operator kind, one line each. */
import { ConfigurationError } from "../core/errors.ts";
import { aggregateKind } from "./aggregate.ts";
import { calcKind } from "./calc.ts";
import { dedupKind } from "./dedup.ts";
import { expandKind } from "./expand.ts";
import { expandWindowKind } from "./expand-window.ts";
import { forkKind } from "./fork.ts";
import { generateKind } from "./generate.ts";
import { groupStateKind } from "./group-state.ts";
import { lateKind } from "./late.ts";
import { limitKind } from "./limit.ts";
import { mapRowsKind } from "./map-rows.ts";
import { observeKind } from "./observe.ts";
import type { OperatorKind } from "./operator.ts";
import { sampleKind } from "./sample.ts";
import { sessionAggregateKind } from "./session-aggregate.ts";
import { sortKind } from "./sort.ts";
import { staticJoinKind } from "./static-join.ts";
import { streamJoinKind } from "./stream-join.ts";
import { topNKind } from "./top-n.ts";
import { transformWithStateKind } from "./transform-with-state.ts";
import { unionKind } from "./union.ts";
import { watermarkKind } from "./watermark.ts";
import { windowKind } from "./window.ts";

// oxlint-disable-next-line typescript/no-explicit-any -- a registry holds kinds of any spec
const KINDS: readonly OperatorKind<any>[] = [
  aggregateKind,
  calcKind,
  dedupKind,
  expandKind,
  expandWindowKind,
  forkKind,
  generateKind,
  groupStateKind,
  lateKind,
  limitKind,
  mapRowsKind,
  observeKind,
  sampleKind,
  sessionAggregateKind,
  sortKind,
  staticJoinKind,
  streamJoinKind,
  topNKind,
  transformWithStateKind,
  unionKind,
  watermarkKind,
  windowKind,
];

// oxlint-disable-next-line typescript/no-explicit-any
export const operatorKind = (kind: string): OperatorKind<any> => {
  const found = KINDS.find((k) => k.kind === kind);
  if (found === undefined) throw new ConfigurationError(`there is no operator kind ${kind}`);
  return found;
};
