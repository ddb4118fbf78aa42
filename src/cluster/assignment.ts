/**
 * Which node runs which actor: sticky and balanced, computed by the leader, kept in the query's assignment log.
 */
import type { ActorIdentity } from "../runtime/behaviour.ts";

export interface Assignment {
  /** Leader token that made it; a lower one never replaces a higher. */
  readonly token: number;
  readonly nodes: readonly string[];
  readonly actors: readonly (readonly [ActorIdentity, string])[];
}

export const actorKey = (a: ActorIdentity): string => `${a.topology}/${a.stage}/${a.partition}`;

/**
 * Spreads actors over nodes. An actor stays where it is while its node lives and is not above its share; shares differ by at most one per
 * stage, so that the partitions of every stage are spread, and by at most one over all where possible.
 */
export const assign = (
  actors: readonly ActorIdentity[],
  nodes: readonly string[],
  previous: Assignment | undefined,
): readonly (readonly [ActorIdentity, string])[] => {
  if (nodes.length === 0) return [];
  const before = new Map(previous?.actors.map(([a, n]) => [actorKey(a), n]));
  const load = new Map(nodes.map((n) => [n, 0]));
  const out = new Map<string, string>();
  for (const stage of new Set(actors.map((a) => `${a.topology}/${a.stage}`))) {
    const mine = actors.filter((a) => `${a.topology}/${a.stage}` === stage);
    const share = Math.ceil(mine.length / nodes.length);
    const full = mine.length % nodes.length || nodes.length;
    const counts = new Map(nodes.map((n) => [n, 0]));
    let atShare = 0;
    const put = (a: ActorIdentity, n: string): void => {
      out.set(actorKey(a), n);
      counts.set(n, counts.get(n)! + 1);
      load.set(n, load.get(n)! + 1);
      if (counts.get(n) === share) atShare++;
    };
    const rest: ActorIdentity[] = [];
    for (const a of mine) {
      const n = before.get(actorKey(a));
      const count = n === undefined ? undefined : counts.get(n);
      if (count === undefined || count >= share || (count === share - 1 && atShare >= full)) rest.push(a);
      else put(a, n!);
    }
    for (const a of rest) put(a, lightest(nodes, counts, load));
  }
  return actors.map((a) => [a, out.get(actorKey(a))!] as const);
};

/** Fewest actors of the stage, then fewest at all, then the first by name. */
const lightest = (
  nodes: readonly string[],
  counts: ReadonlyMap<string, number>,
  load: ReadonlyMap<string, number>,
): string =>
  nodes.reduce((best, n) => {
    const byStage = counts.get(n)! - counts.get(best)!;
    const byLoad = load.get(n)! - load.get(best)!;
    return byStage < 0 || (byStage === 0 && (byLoad < 0 || (byLoad === 0 && n < best))) ? n : best;
  });
