/**
 * Every name that Millrace gives to logs, streams and subjects.
 *
 *   log      `<session>.<query>.<what>…`        tokens of letters, digits, `-` and `_`, joined by dots
 *   stream   `MR_<session>_<query>_<what>…`     the stream of a log
 *   subject  `mr.<session>.<query>.<what>…`     the subject its records go to: unambiguous, so that two logs whose stream
 *                                               names coincide (`a_b.c` and `a.b_c`) are told apart and refused
 *   bus      `mr.<session>.-bus.<…>`            never stored; no query has this name, so no stream takes it
 */
import { ConfigurationError } from "../core/errors.ts";

const TOKEN = /^[A-Za-z0-9][A-Za-z0-9_-]*$/;
const TOKEN_CHARS_MAX = 64;
const STREAM_CHARS_MAX = 200;

/** The token, or a ConfigurationError that proposes a good one. `what` says whose name it is: `session`, `query`. */
export const nameToken = (what: string, name: string): string => {
  if (TOKEN.test(name) && name.length <= TOKEN_CHARS_MAX) return name;
  const good = name
    .normalize("NFKD")
    .replace(/[^A-Za-z0-9_-]+/g, "-")
    .replace(/^[-_]+|-+$/g, "")
    .slice(0, TOKEN_CHARS_MAX);
  const rule = `a ${what} name has 1 to ${TOKEN_CHARS_MAX} letters, digits, '-' and '_', and begins with a letter or digit`;
  throw new ConfigurationError(`Invalid ${what} name ${JSON.stringify(name)}: ${rule}`, {
    ...(good === "" ? {} : { hint: `for example ${JSON.stringify(good)}` }),
  });
};

/** Checks a log's name: tokens joined by dots. */
export const checkLogName = (log: string): string => {
  for (const token of log.split(".")) nameToken("log", token);
  if (log.length > STREAM_CHARS_MAX)
    throw new ConfigurationError(
      `The log name ${log.slice(0, 40)}… is longer than ${STREAM_CHARS_MAX} characters`,
    );
  return log;
};

export const STREAM_PREFIX = "MR_";
export const SUBJECT_PREFIX = "mr.";

export const streamOfLog = (log: string): string => STREAM_PREFIX + checkLogName(log).replaceAll(".", "_");
export const subjectOfLog = (log: string): string => SUBJECT_PREFIX + checkLogName(log);
/** The log of a stored subject; undefined for foreign ones. */
export const logOfSubject = (subject: string): string | undefined =>
  subject.startsWith(SUBJECT_PREFIX) ? subject.slice(SUBJECT_PREFIX.length) : undefined;

const join = (...tokens: readonly (string | number)[]): string => tokens.join(".");

/** Leases and announcements of a session's nodes; no log of a query ends so, whatever the query's name. */
export const leaseLog = (session: string): string => join(nameToken("session", session), "nodes", "leases");

/** What all logs of a query begin with (with the dot): for `LogStore.list`. */
export const queryPrefix = (session: string, query: string): string =>
  `${nameToken("session", session)}.${nameToken("query", query)}.`;
export const planLog = (session: string, query: string): string => `${queryPrefix(session, query)}plan`;
export const commitLog = (session: string, query: string): string => `${queryPrefix(session, query)}commit`;
export const assignmentLog = (session: string, query: string): string =>
  `${queryPrefix(session, query)}assign`;
/** The mailbox of (query, stage, topology version, partition) (law 1). */
export const mailboxLog = (
  session: string,
  query: string,
  stage: number,
  topology: number,
  partition: number,
): string => `${queryPrefix(session, query)}${join("mail", stage, topology, partition)}`;
/** The snapshots of an actor. */
export const snapshotLog = (
  session: string,
  query: string,
  stage: number,
  topology: number,
  partition: number,
): string => `${queryPrefix(session, query)}${join("snap", stage, topology, partition)}`;
/** Rows of the query that could not be computed. */
export const deadLetterLog = (session: string, query: string): string => `${queryPrefix(session, query)}dlq`;
/** A copy of input that cannot be read again (law 2). */
export const inputLog = (session: string, query: string, source: string): string =>
  `${queryPrefix(session, query)}${join("input", nameToken("source", source))}`;

/** Subject of an unreliable message of a session; `tokens` say which. */
export const busSubject = (session: string, ...tokens: readonly (string | number)[]): string =>
  SUBJECT_PREFIX + join(nameToken("session", session), "-bus", ...tokens);
