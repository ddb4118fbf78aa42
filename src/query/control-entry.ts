/** Control records (stop, fail, rescale) into a query's plan log, by any node. */
import { position } from "../core/brands.ts";
import { LogConflictError, MillraceError } from "../core/errors.ts";
import type { Log } from "../log/log.ts";
import { encodeEntry, type PlanRecord } from "../runtime/entries.ts";
import type { QueryFollower } from "../runtime/follower.ts";

/** Appends a control record behind all that is there (law 9). A query that is over takes none. */
export const appendControl = async (
  planLog: Log,
  follower: QueryFollower,
  record: PlanRecord,
): Promise<void> => {
  for (;;) {
    await follower.catchUp();
    if (follower.finished) return;
    try {
      const at = await planLog.append(encodeEntry(record), { expectLast: position(follower.planPosition) });
      return await follower.until(() => follower.planPosition >= at);
    } catch (e) {
      if (!(e instanceof LogConflictError)) throw e;
    }
  }
};

/** What tells all nodes that the query failed, and why. */
export const failRecord = (error: unknown, token: number): PlanRecord => {
  const e = error instanceof Error ? error : new Error(String(error));
  const where = error instanceof MillraceError && error.where !== undefined ? ` (${error.where})` : "";
  return {
    kind: "fail",
    token,
    name: e.name,
    message: `${e.message}${where}`,
    errorClass: error instanceof MillraceError ? error.errorClass : undefined,
  };
};
