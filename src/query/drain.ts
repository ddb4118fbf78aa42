/** processAllAvailable: waits until the logs show that all input there now is planned, committed, and nothing waits for an empty epoch. */
import type { Source } from "../connectors/source.ts";
import type { Clock } from "../core/clock.ts";
import { wantsEmptyEpoch } from "../runtime/empty-epoch.ts";
import type { QueryFollower } from "../runtime/follower.ts";
import { baseWatermark } from "../runtime/watermark.ts";
import type { PhysicalPlan } from "../plan/physical.ts";

export interface DrainInput {
  readonly follower: QueryFollower;
  readonly sources: ReadonlyMap<string, Source>;
  readonly plan: PhysicalPlan;
  readonly clock: Clock;
  readonly splitWatermark: "limited" | "max";
  readonly closed: () => boolean;
}

/** Whether a source holds input behind what is planned: asked with an enumerator of our own, as the leader may be elsewhere. */
const inputWaits = async (d: DrainInput): Promise<boolean> => {
  for (const [id, source] of d.sources) {
    const enumerator = source.enumerator();
    try {
      await enumerator.open(d.follower.latest?.entry.ends[id]);
      if ((await enumerator.plan({})).length > 0) return true;
    } finally {
      await enumerator.close();
    }
  }
  return false;
};

const epochWaits = (d: DrainInput): boolean => {
  const last = d.follower.latest?.entry;
  const commit = d.follower.lastCommit;
  if (last === undefined || commit === undefined) return false;
  const watermark = baseWatermark(d.plan, commit.maxima, last.unread, last.watermark, d.splitWatermark);
  return wantsEmptyEpoch(d.plan, last, watermark, last.clockMs);
};

export const drained = async (d: DrainInput): Promise<void> => {
  const { follower } = d;
  while (!follower.finished && !d.closed()) {
    const planned = follower.latest?.entry.epoch ?? 0;
    const { committed } = follower;
    if (committed >= planned && !epochWaits(d) && !(await inputWaits(d))) {
      // An epoch planned while the sources were asked has taken what they had.
      if ((follower.latest?.entry.epoch ?? 0) === planned) return;
      continue;
    }
    await follower.until(
      () =>
        follower.finished ||
        d.closed() ||
        follower.committed > committed ||
        (follower.latest?.entry.epoch ?? 0) > planned,
    );
  }
};
