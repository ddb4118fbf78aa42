/**
 * Resolved logical plans: frozen plain data. Columns are attributes with ids unique within the plan; every expression is typed and coerced.
 * Made by `analyse`, rewritten by `optimise`, walked by `physical`.
 */
import type { Row } from "../core/value.ts";
import type { SourceSpec } from "../connectors/source.ts";
import type { AggregateCall, Attribute, SortOrder, TypedExpr, WindowFrame } from "../expr/ast.ts";
import type { JoinHow, RowFunction, StatefulFunction } from "./relation.ts";

/** An expression with the attribute it makes. */
export interface Named {
  readonly attribute: Attribute;
  readonly expr: TypedExpr;
}
export interface NamedAggregate {
  readonly attribute: Attribute;
  readonly call: AggregateCall;
}
/** A window function: `call` is an AggregateCall over the frame, or a ranking/offset function by the same shape. */
export interface NamedWindow {
  readonly attribute: Attribute;
  readonly call: AggregateCall;
  readonly frame: WindowFrame<TypedExpr>;
}

interface NodeBase {
  readonly output: readonly Attribute[];
  /** True when a stream is below. */
  readonly streaming: boolean;
}

export type LogicalPlan = NodeBase &
  (
    | { readonly kind: "source"; readonly source: SourceSpec; readonly name: string }
    | { readonly kind: "rows"; readonly rows: readonly Row[] }
    | { readonly kind: "project"; readonly child: LogicalPlan; readonly exprs: readonly Named[] }
    | { readonly kind: "filter"; readonly child: LogicalPlan; readonly condition: TypedExpr }
    | {
        readonly kind: "watermark";
        readonly child: LogicalPlan;
        readonly column: Attribute;
        readonly delayMs: number;
        readonly name: string;
        /** Which `withWatermark` of the query: nodes of one number (a view read twice) show one column's event time. */
        readonly definition: number;
      }
    /**
     * Keys are computed below (a project) and are attributes here. `eventTime`: the key that is, or is a window of, a
     * watermarked column. Sliding windows are expanded below by `expandWindow`; session windows are `session`.
     */
    | {
        readonly kind: "aggregate";
        readonly child: LogicalPlan;
        readonly keys: readonly Attribute[];
        readonly aggregates: readonly NamedAggregate[];
        readonly eventTime: EventTimeKey | undefined;
        readonly session: SessionKey | undefined;
        /** What this node was rewritten from; the mode rules treat those as Spark does. */
        readonly origin?: "distinct" | "intersect" | "except" | "internal";
      }
    /** One row for each sliding window that the timestamp falls in; adds the window column. Tumbling windows are plain expressions. */
    | {
        readonly kind: "expandWindow";
        readonly child: LogicalPlan;
        readonly time: TypedExpr;
        readonly sizeMs: number;
        readonly slideMs: number;
        readonly offsetMs: number;
        readonly attribute: Attribute;
      }
    /** GROUPING SETS: one copy of the row for each list of expressions. */
    | {
        readonly kind: "expand";
        readonly child: LogicalPlan;
        readonly projections: readonly (readonly TypedExpr[])[];
      }
    | {
        readonly kind: "join";
        readonly left: LogicalPlan;
        readonly right: LogicalPlan;
        readonly how: JoinHow;
        readonly condition: TypedExpr | undefined;
        readonly nullAware?: boolean;
        /** Conditions with constants bound the state too, as Spark reads them (W4 of join-watermarks.ts). */
        readonly constantBounds?: boolean;
        /** What this join was rewritten from. */
        readonly origin?: "intersect" | "except" | "subquery";
      }
    | { readonly kind: "union"; readonly children: readonly LogicalPlan[] }
    | {
        readonly kind: "dedup";
        readonly child: LogicalPlan;
        readonly keys: readonly Attribute[];
        readonly withinWatermark: boolean;
      }
    | { readonly kind: "sort"; readonly child: LogicalPlan; readonly orders: readonly SortOrder<TypedExpr>[] }
    | {
        readonly kind: "limit";
        readonly child: LogicalPlan;
        readonly limit: number | undefined;
        readonly offset: number;
      }
    | {
        readonly kind: "sample";
        readonly child: LogicalPlan;
        readonly fraction: number;
        readonly seed: number;
      }
    | {
        readonly kind: "window";
        readonly child: LogicalPlan;
        readonly partitionBy: readonly TypedExpr[];
        readonly orderBy: readonly SortOrder<TypedExpr>[];
        readonly functions: readonly NamedWindow[];
        /** Of a stream: only ranks 1 to this pass the filter above (`top-n.ts`), so that it can be kept up. */
        readonly topN?: number;
      }
    | {
        readonly kind: "generate";
        readonly child: LogicalPlan;
        readonly fn: string;
        readonly args: readonly TypedExpr[];
        readonly outer: boolean;
        readonly generated: readonly Attribute[];
      }
    | { readonly kind: "mapRows"; readonly child: LogicalPlan; readonly fn: RowFunction }
    | {
        readonly kind: "groupState";
        readonly child: LogicalPlan;
        readonly keys: readonly Attribute[];
        readonly fn: StatefulFunction;
        readonly initial: LogicalPlan | undefined;
        readonly initialKeys: readonly Attribute[];
      }
    | {
        readonly kind: "observe";
        readonly child: LogicalPlan;
        readonly name: string;
        readonly metrics: readonly Named[];
        readonly aggregates: readonly NamedAggregate[];
      }
    | { readonly kind: "late"; readonly child: LogicalPlan }
    /** Early rows of the aggregate that is its child; `marker` behind its columns: true in rows that are final. */
    | {
        readonly kind: "emit";
        readonly child: LogicalPlan;
        readonly marker: Attribute;
        readonly everyMs: number | undefined;
      }
    /** Correlated LATERAL and subqueries that could not be turned into joins; batch only. `outer` attributes come from the left row. */
    | {
        readonly kind: "apply";
        readonly left: LogicalPlan;
        readonly right: LogicalPlan;
        readonly how: "inner" | "left" | "semi" | "anti" | "scalar";
        readonly condition: TypedExpr | undefined;
        readonly outer: readonly Attribute[];
      }
    | {
        readonly kind: "recursive";
        readonly anchor: LogicalPlan;
        readonly step: LogicalPlan;
        readonly reference: number;
      }
    | { readonly kind: "recursiveReference"; readonly reference: number }
  );

export interface EventTimeKey {
  readonly key: Attribute;
  /** "column": the key is the event-time column itself; "window": a struct {start, end}. */
  readonly form: "column" | "window";
}
export interface SessionKey {
  /** The key attribute that holds the session's window. */
  readonly key: Attribute;
  /** Milliseconds of the row's gap; rows with a gap <= 0 or null time are left out. */
  readonly gap: TypedExpr;
  readonly time: TypedExpr;
}
