/**
 * What a node shows outside: HTTP and metrics. The server is a layer above (src/http), so that a node without it loads no server; it is
 * registered here by src/index.ts and opened with the first query.
 */
import type { RuntimeMetrics } from "../runtime/metrics.ts";
import type { StreamingQuery } from "../query/streaming-query.ts";
import type { Logger } from "../query/services.ts";
import type { Settings } from "./settings.ts";

/** A query of this process, with the session it belongs to. */
export interface ShownQuery {
  readonly session: string;
  readonly query: StreamingQuery;
}

/** What the face may look at. */
export interface NodeView {
  readonly settings: Settings;
  /** Where `http.json` goes, by which the command line finds this process. */
  readonly directory: string;
  readonly log: Logger;
  queries(): readonly ShownQuery[];
  /** Whether every session of the node holds its lease and reaches its logs. */
  ready(): boolean;
  /** Ids of this node, one a session. */
  nodes(): readonly string[];
}

export interface Face {
  readonly metrics: RuntimeMetrics;
  /** `http://127.0.0.1:4040` */
  readonly url: string;
  close(): Promise<void>;
}

/** Rejects with ConfigurationError when the port is taken. */
export type FaceFactory = (node: NodeView) => Promise<Face>;

let factory: FaceFactory | undefined;

export const setFace = (next: FaceFactory | undefined): void => {
  factory = next;
};

/** The face of a node whose settings ask for one. */
export const openFace = async (node: NodeView): Promise<Face | undefined> =>
  node.settings.port === undefined ? undefined : await factory?.(node);
