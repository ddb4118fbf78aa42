/** The dead letters of a query, read and cleared from outside of its actors. */
import { position } from "../core/brands.ts";
import type { Log } from "../log/log.ts";
import { type DeadLetter, decodeDeadLetter } from "../runtime/dead-letters.ts";

/** `position`: in the log, what `show` and `clear` name a letter by. */
export type FiledLetter = DeadLetter & { readonly position: number };

/** All letters that the log holds, in its order. A letter that a zombie wrote again (law 11) is given once. */
export const readDeadLetters = async (log: Log): Promise<readonly FiledLetter[]> => {
  const { first, last } = await log.bounds();
  const letters: FiledLetter[] = [];
  const seen = new Set<string>();
  for (let at = Number(first); at <= last; at++) {
    const record = await log.get(position(at));
    if (record === undefined) continue;
    const letter = decodeDeadLetter(record.payload);
    const id = `${letter.epoch}/${letter.stage}/${letter.partition}/${letter.number}`;
    if (seen.has(id)) continue;
    seen.add(id);
    letters.push({ ...letter, position: at });
  }
  return letters;
};

/** Forgets the letters up to and including `through` (all of them when absent). Gives how many positions went. */
export const clearDeadLetters = async (log: Log, through?: number): Promise<number> => {
  const { first, last } = await log.bounds();
  const to = Math.min(through ?? last, last);
  if (to < first) return 0;
  await log.trim(position(to + 1));
  return to - first + 1;
};
