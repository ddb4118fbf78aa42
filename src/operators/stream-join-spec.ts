/** What a stream-stream join is told, and how that reads in plans and fingerprints. */
import type { TypedExpr } from "../expr/ast.ts";
import { formatExpr, keyNames, keyTypesText } from "./expr-text.ts";
import type { StateKeys } from "./operator.ts";
import type { EventTimeForm } from "./watermark-time.ts";

/** When a side forgets a row: never; when the time of an equality key, or of an expression minus `offsetMs`, is <= watermark. */
export type JoinEviction =
  | { readonly kind: "never" }
  | { readonly kind: "key"; readonly key: number; readonly form: EventTimeForm }
  | {
      readonly kind: "value";
      readonly expr: TypedExpr;
      readonly form: EventTimeForm;
      /** State watermark = watermark + offsetMs. */
      readonly offsetMs: number;
      /** The state watermark is never above this. */
      readonly atMostMs?: number;
    };

export interface JoinSide {
  /** Bound to this side's input. */
  readonly keys: readonly TypedExpr[];
  readonly late: { readonly expr: TypedExpr; readonly form: EventTimeForm } | undefined;
  readonly evict: JoinEviction;
}

export interface StreamJoinSpec {
  readonly how: "inner" | "left" | "right" | "full" | "semi" | "anti";
  readonly left: JoinSide;
  readonly right: JoinSide;
  readonly routeBy?: readonly number[];
  /** Keys compared by <=>; all false when absent. */
  readonly nullSafe?: readonly boolean[];
  /** Beyond equality of keys; bound to left ++ right. */
  readonly condition: TypedExpr | undefined;
}

const describeEviction = (e: JoinEviction, side: JoinSide): string => {
  if (e.kind === "never") return "never";
  return e.kind === "key"
    ? `${formatExpr(side.keys[e.key]!)} <= watermark`
    : `${formatExpr(e.expr)} <= watermark ${e.offsetMs < 0 ? "-" : "+"} ${Math.abs(e.offsetMs)} ms${e.atMostMs === undefined ? "" : `, at most ${e.atMostMs}`}`;
};

export const describeStreamJoin = (spec: StreamJoinSpec): string => {
  const keys = spec.left.keys.map((k, i) => `${formatExpr(k)} = ${formatExpr(spec.right.keys[i]!)}`);
  const condition = spec.condition === undefined ? "" : ` on ${formatExpr(spec.condition)}`;
  return `StreamJoin ${spec.how} [${keys.join(", ")}]${condition}, evicts left: ${describeEviction(spec.left.evict, spec.left)}, right: ${describeEviction(spec.right.evict, spec.right)}${spec.how === "anti" ? " (extension)" : ""}`;
};

/** "columns": the form of the state's blobs. */
export const streamJoinFingerprint = (spec: StreamJoinSpec): string =>
  `join ${spec.how} columns left=[${keyTypesText(spec.left.keys)}] right=[${keyTypesText(spec.right.keys)}] on ${spec.condition === undefined ? "true" : formatExpr(spec.condition)}`;

/** Kept by the key's values, which have the names of the left side's columns. */
export const streamJoinStateKeys = ({ left: { keys }, routeBy }: StreamJoinSpec): StateKeys => ({
  names: keyNames(keys),
  types: keys.map((k) => k.type),
  routeBy: routeBy ?? keys.map((_, i) => i),
});
