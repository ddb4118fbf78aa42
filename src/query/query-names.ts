/** The logs and subjects of one query. */
import { busSubject, commitLog, deadLetterLog, mailboxLog, planLog, snapshotLog } from "../log/names.ts";
import type { QueryNames } from "../runtime/behaviour.ts";

export const queryNames = (session: string, query: string): QueryNames => ({
  plan: planLog(session, query),
  commit: commitLog(session, query),
  mailbox: (stage, topology, partition) => mailboxLog(session, query, stage, topology, partition),
  snapshot: (stage, topology, partition) => snapshotLog(session, query, stage, topology, partition),
  deadLetters: deadLetterLog(session, query),
  acks: busSubject(session, query, "acks"),
  hints: busSubject(session, query, "hints"),
  nudges: busSubject(session, query, "nudges"),
});
