/**
 * Which run comes next, and what was measured so far.
 *
 * P1 Rounds are the outer loop and engines the inner one: what changes on the machine meets all of them. P2 A pair of engine and query that failed is not tried
 * again. P3 A round counts the results that are there, so a comparison that was stopped goes on where it was. P4 After the end time nothing starts.
 */
import { type PeerResult, pairOf } from "./comparison.ts";
import { ENGINES } from "./engines.ts";

export interface Measurements {
  readonly results: PeerResult[];
  /** By "peer query". */
  readonly failures: Record<string, string>;
}

export interface Rounds {
  readonly peers: readonly string[];
  readonly queries: readonly string[];
  readonly rounds: number;
}

export interface Next {
  readonly peer: string;
  readonly query: string;
  readonly round: number;
}

/** Calls `measure` for each run that is missing; it adds to `m`. Gives the number of runs that the end time left out. */
export const runRounds = async (
  s: Rounds,
  m: Measurements,
  measure: (next: Next) => Promise<void>,
  isOver: () => boolean,
): Promise<number> => {
  let left = 0;
  for (let round = 1; round <= s.rounds; round++)
    for (const query of s.queries)
      for (const peer of s.peers) {
        const done = m.results.filter((r) => r.peer === peer && r.query === query).length;
        const failed = Object.hasOwn(m.failures, pairOf(peer, query));
        if (!ENGINES[peer]!.queries.includes(query) || failed || done >= round) continue;
        if (isOver()) left++;
        else await measure({ peer, query, round });
      }
  return left;
};
