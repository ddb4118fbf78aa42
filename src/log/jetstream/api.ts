/** JetStream's JSON API over plain requests, and its errors in our classes. */
import { sleep } from "../../core/clock.ts";
import {
  AuthorizationError,
  ConfigurationError,
  LogConflictError,
  LogFullError,
  type MillraceError,
  RecordTooLargeError,
  UnavailableError,
} from "../../core/errors.ts";
import { full } from "../refusals.ts";
import type { Connection } from "./connection.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export interface ApiFailure {
  readonly code?: number;
  readonly err_code?: number;
  readonly description?: string;
}

/** Numbers of the server's errors that we act on. */
export const ERR = {
  streamNotFound: 10059,
  streamNameInUse: 10058,
  noMessage: 10037,
  consumerNotFound: 10014,
  invalidJson: 10025,
  wrongLastSequence: 10071,
  wrongLastSequenceInFlight: 10164,
  streamFull: 10077,
  insufficientResources: 10023,
  storageExceeded: 10047,
  accountLimit: 10028,
  messageTooLarge: 10054,
  streamMismatch: 10060,
  replicasNeedCluster: 10074,
  batchIncomplete: 10176,
  batchesInFlight: 10210,
} as const;

const FULL = new Set<number>([ERR.insufficientResources, ERR.storageExceeded, ERR.accountLimit]);

/** An error of the server; `what` names the stream or log, `maxBytes` its limit if known. */
export const failureOf = (what: string, f: ApiFailure, maxBytes?: number): MillraceError => {
  const text = `${f.description ?? "refused"} (${f.err_code ?? f.code ?? "?"})`;
  switch (f.err_code) {
    case ERR.wrongLastSequence:
    case ERR.wrongLastSequenceInFlight:
    case ERR.streamMismatch:
      return new LogConflictError(`${what}: somebody else appended: ${text}`);
    case ERR.streamFull:
      return full(what, maxBytes);
    // Batches that killed writers left open, until the server forgets them (10 s), or a connection that broke in the middle: nothing is stored.
    case ERR.batchIncomplete:
    case ERR.batchesInFlight:
      return new UnavailableError(`${what}: ${text}`);
    case ERR.messageTooLarge:
      return new RecordTooLargeError(`${what}: ${text}`);
    case ERR.replicasNeedCluster:
      return new ConfigurationError(`${what}: ${text}`, { hint: "use --replicas 1 on a single server" });
    default:
  }
  if (f.err_code !== undefined && FULL.has(f.err_code))
    return new LogFullError(
      `${what}: the broker is at its storage limit (max_file_store or the account's): ${text}`,
    );
  // 429: too many messages wait in the stream (servers from 2.11).
  if (f.code === 503 || f.code === 408 || f.code === 500 || f.code === 429)
    return new UnavailableError(`${what}: ${text}`);
  if (f.code === 403 || f.code === 401) return new AuthorizationError(`${what}: ${text}`);
  return new ConfigurationError(`${what}: the broker refuses: ${text}`, {
    errorClass: `JETSTREAM_${f.err_code ?? f.code}`,
  });
};

/** Thrown by `api` for an answer that says `error`; callers look at the number. */
export class ApiError extends Error {
  readonly failure: ApiFailure;
  constructor(failure: ApiFailure) {
    super(failure.description ?? "refused");
    this.failure = failure;
  }
}

/** One call of `$JS.API.<subject>`. ApiError with the server's answer, UnavailableError, AuthorizationError. */
export const api = async <T>(c: Connection, subject: string, body?: object): Promise<T> => {
  const payload = body === undefined ? new Uint8Array(0) : encoder.encode(JSON.stringify(body));
  const m = await c.request(`$JS.API.${subject}`, payload);
  const answer = JSON.parse(decoder.decode(m.data)) as T & { error?: ApiFailure };
  if (answer.error === undefined) return answer;
  if (answer.error.code === 503)
    throw new UnavailableError(`NATS at ${c.servers}: ${answer.error.description ?? "unavailable"}`);
  throw new ApiError(answer.error);
};

const RETRY_MS = 50;
const RETRY_MAX_MS = 1_000;

/** Repeats what may be repeated while the broker is away; ends with the connection. */
export const patiently = async <T>(c: Connection, what: string, call: () => Promise<T>): Promise<T> => {
  for (let failures = 0; ; failures++) {
    try {
      return await call();
    } catch (e) {
      if (!(e instanceof UnavailableError) || c.ended !== undefined) throw c.ended ?? e;
      if (failures === 4) c.status(`${what} waits: ${e.message}`);
      await sleep(c.clock, backoff(failures, RETRY_MS, RETRY_MAX_MS));
    }
  }
};

export const backoff = (failures: number, first: number, max: number): number =>
  Math.min(first * 2 ** Math.min(failures, 10), max);

/** Answer of a publish. */
export interface PublishAck {
  readonly stream?: string;
  readonly seq?: number;
  readonly duplicate?: boolean;
  readonly batch?: string;
  readonly count?: number;
  readonly error?: ApiFailure;
}

export const parseAck = (data: Uint8Array): PublishAck => {
  try {
    return JSON.parse(decoder.decode(data)) as PublishAck;
  } catch {
    return { error: { code: 500, description: "an answer that is no JSON" } };
  }
};

export interface StreamConfig {
  readonly name: string;
  readonly subjects?: readonly string[];
  readonly max_bytes: number;
  readonly num_replicas: number;
  readonly discard?: "new" | "old";
  readonly max_msgs_per_subject?: number;
  readonly allow_atomic?: boolean;
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface StreamInfo {
  readonly config: StreamConfig;
  readonly created: string;
  readonly state: {
    readonly messages: number;
    readonly bytes: number;
    readonly first_seq: number;
    readonly last_seq: number;
  };
}

/** Undefined when there is no stream of this name. */
export const streamInfo = async (c: Connection, stream: string): Promise<StreamInfo | undefined> => {
  try {
    return await api<StreamInfo>(c, `STREAM.INFO.${stream}`);
  } catch (e) {
    if (e instanceof ApiError && e.failure.err_code === ERR.streamNotFound) return undefined;
    throw e instanceof ApiError ? failureOf(stream, e.failure) : e;
  }
};

/** The oldest sequence held; `last + 1` when there is none, however the server words it. */
export const firstOf = (info: StreamInfo): number =>
  info.state.messages === 0 ? info.state.last_seq + 1 : info.state.first_seq;

/** Pages through a list call of the API. */
export const pages = async <T>(
  c: Connection,
  subject: string,
  body: object,
  items: (answer: { [k: string]: unknown }) => readonly T[] | null | undefined,
): Promise<T[]> => {
  const out: T[] = [];
  for (;;) {
    const answer = await api<{ total: number; [k: string]: unknown }>(c, subject, {
      ...body,
      offset: out.length,
    });
    const page = items(answer) ?? [];
    out.push(...page);
    if (page.length === 0 || out.length >= answer.total) return out;
  }
};
