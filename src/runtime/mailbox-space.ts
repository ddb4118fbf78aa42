/**
 * Space in mailboxes (law 8): the size limit holds back only epochs above the oldest unfinished one. For that one the limit is raised, or the query
 * fails naming the setting: else a mailbox full of later epochs, or of frames sent again, would keep out the rows its reader waits for (C3, C4).
 */
import { ConfigurationError, UnavailableError } from "../core/errors.ts";
import { decodeHeader } from "../codec/frame-codec.ts";
import type { Log, Publisher } from "../log/log.ts";
import type { QueryFollower } from "./follower.ts";

/** Raises by half of the setting at a time: enough for many frames, little beside what is there. */
const raised = (bytes: number, setting: number, record: number): number =>
  Math.ceil(bytes + Math.max(setting / 2, record * 2 + 1024));

/** A raised limit goes back to the setting once no more than this share of that is held: what is on its way must find room. */
const LOWERED_BELOW = 1 / 4;

/** After a trim: a limit that was raised for an epoch that is done holds the broker's room no longer. */
export const lowerSpace = async (log: Log, mailboxMaxBytes: number): Promise<void> => {
  const { bytes, maxBytes } = await log.bounds();
  if (maxBytes > mailboxMaxBytes && bytes <= mailboxMaxBytes * LOWERED_BELOW)
    await log.setMaxBytes(mailboxMaxBytes);
};

/** `say` is told of every refusal and every raise. */
export const watchSpace = (
  log: Log,
  publisher: Publisher,
  follower: Pick<QueryFollower, "committed">,
  mailboxMaxBytes: number,
  say: (limit: string, raised: boolean) => void,
): void => {
  let busy = false;
  publisher.onFull((limit, oldest) => {
    const mine = decodeHeader(oldest).epoch <= follower.committed + 1;
    say(limit, mine);
    if (!mine || busy) return;
    busy = true;
    log
      .bounds()
      .then(({ bytes }) => log.setMaxBytes(raised(bytes, mailboxMaxBytes, oldest.length)))
      .catch((e: unknown) => {
        if (e instanceof UnavailableError) return;
        publisher.fail(
          new ConfigurationError(
            `${limit}, and it cannot be raised for the oldest unfinished epoch: the setting mailboxMaxBytes is ${mailboxMaxBytes}`,
            { cause: e, hint: "give the broker more room, or plan smaller epochs (maxOffsetsPerTrigger)" },
          ),
        );
      })
      .finally(() => (busy = false));
  });
};
