/** The engines that `make bench-peers` compares, and the queries that each of them runs here. */
import { NEXMARK_QUERY_NAMES } from "../../../src/bench/nexmark/queries.ts";

export interface Engine {
  /** Name for setup.sh. */
  readonly setup: string;
  /** Queries it can run at full size in reasonable time. */
  readonly queries: readonly string[];
  /** Why the others are missing. */
  readonly lacks?: string;
  readonly args?: readonly string[];
  readonly script?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Forms of a query that only our own checks need. */
const CHECKS_ONLY: ReadonlySet<string> = new Set(["q7_flink_literal", "q18_ties"]);

/** `--queries all`: every query of Nexmark, and the running count. */
export const ALL: readonly string[] = NEXMARK_QUERY_NAMES.filter((q) => !CHECKS_ONLY.has(q));

/** Without `--queries`. */
export const COMMON: readonly string[] = ["q0", "q1", "q2", "count", "q5", "q7", "q8", "q11"];

const STATELESS = ["q0", "q1", "q2", "count"];
/** q6 is a program (transformWithState) above SQL; q6_win is the part of it that is SQL. */
const SQL = ALL.filter((q) => q !== "q6");
const NO_SQL = "it is no SQL there (q6_win is the part that is)";
const NOT_WRITTEN = "no program for it in this package";

export const ENGINES: Readonly<Record<string, Engine>> = {
  millrace: { setup: "millrace", queries: ALL },
  "millrace-2": { setup: "millrace", queries: ALL, script: "millrace", args: ["--workers", "2"] },
  flink: { setup: "flink", queries: SQL, lacks: NO_SQL },
  "flink-rocksdb": {
    setup: "flink",
    queries: ["q5"],
    lacks: "only q5 is asked of it",
    env: { FLINK_CONF: "execution.checkpointing.interval=1 s" },
  },
  spark: { setup: "spark", queries: SQL, lacks: NO_SQL },
  "bytewax-2": { setup: "bytewax", queries: STATELESS, lacks: NOT_WRITTEN },
  bytewax: { setup: "bytewax", queries: STATELESS, lacks: NOT_WRITTEN },
  "kafka-streams": { setup: "kafka", queries: ["count"], lacks: NOT_WRITTEN },
  jsonparse: { setup: "", queries: ["parse"], lacks: "it only parses" },
};

export const PEERS_DEFAULT = "millrace,millrace-2,flink,flink-rocksdb,spark,bytewax-2";

/** A line for each engine that misses queries of these: `bytewax does not run q3, q4: reason`. */
export const missing = (peers: readonly string[], queries: readonly string[]): readonly string[] =>
  peers.flatMap((peer) => {
    const { queries: runs, lacks = NOT_WRITTEN } = ENGINES[peer]!;
    const not = queries.filter((q) => !runs.includes(q));
    return not.length === 0 ? [] : [`${peer} does not run ${not.join(", ")}: ${lacks}`];
  });
