/**
 * What a server can do beyond 2.9, found out without trusting it: an old server ignores unknown fields and headers silently, so an option
 * counts only when it is read back from the stream's configuration, and a batch only when its answer says that it was one.
 */
import { nuid } from "nats";
import { ConfigurationError, UnavailableError } from "../../core/errors.ts";
import { ATOMIC_BATCH_MAX, type NatsExpectation, type NatsMessage } from "../nats-access.ts";
import { api, ApiError, ERR, failureOf, parseAck, type StreamConfig, type StreamInfo } from "./api.ts";
import type { Connection } from "./connection.ts";
import { checkSize } from "./publisher.ts";
import { headersOf } from "./records.ts";

/** Whether the server confirms atomic batches for the stream: the field and the level it wrote beside it. */
export const hasAtomicBatches = (info: StreamInfo): boolean =>
  info.config.allow_atomic === true && info.config.metadata?.["_nats.level"] !== undefined;

type NewStream = Omit<StreamConfig, "metadata"> & { readonly [k: string]: unknown };

/**
 * Creates a stream; asks for atomic batches when `atomic`, and without them again when the server does not know the field.
 * ApiError as answered otherwise.
 */
export const createStream = async (
  c: Connection,
  config: NewStream,
  atomic: boolean,
): Promise<StreamInfo> => {
  const create = (body: object): Promise<StreamInfo> =>
    api<StreamInfo>(c, `STREAM.CREATE.${config.name}`, body);
  if (!atomic) return create(config);
  try {
    return await create({ ...config, allow_atomic: true });
  } catch (e) {
    if (e instanceof ApiError && e.failure.err_code === ERR.invalidJson) return create(config);
    throw e;
  }
};

export const expectationHeaders = (e: NatsExpectation): (readonly [string, string])[] => {
  const out: (readonly [string, string])[] = [];
  if (e.lastSequence !== undefined) out.push(["Nats-Expected-Last-Sequence", String(e.lastSequence)]);
  if (e.lastSubjectSequence !== undefined)
    out.push(["Nats-Expected-Last-Subject-Sequence", String(e.lastSubjectSequence)]);
  if (e.stream !== undefined) out.push(["Nats-Expected-Stream", e.stream]);
  return out;
};

/** All or nothing; gives the sequence of the last message. The stream must have atomic batches (`hasAtomicBatches`). */
export const publishAtomic = async (
  c: Connection,
  messages: readonly NatsMessage[],
  expect: NatsExpectation,
): Promise<number> => {
  if (messages.length === 0 || messages.length > ATOMIC_BATCH_MAX)
    throw new ConfigurationError(
      `An atomic batch has 1 to ${ATOMIC_BATCH_MAX} messages, not ${messages.length}`,
    );
  const id = nuid.next();
  const ready = messages.map((m, i) => {
    const headers: (readonly [string, string])[] = [
      ...(m.headers ?? []),
      ...(i === 0 ? expectationHeaders(expect) : []),
      ["Nats-Batch-Id", id],
      ["Nats-Batch-Sequence", String(i + 1)],
      ...(i === messages.length - 1 ? ([["Nats-Batch-Commit", "1"]] as const) : []),
    ];
    const large = checkSize(c, m.subject, m.payload, headers);
    if (large !== undefined) throw large;
    return { m, headers: headersOf(headers) };
  });
  if (!c.connected) throw c.ended ?? new UnavailableError(`NATS at ${c.servers} is away`);
  const { m: last, headers } = ready.pop()!;
  for (const r of ready) c.publish(r.m.subject, r.m.payload, undefined, r.headers);
  const ack = parseAck((await c.request(last.subject, last.payload, headers)).data);
  if (ack.error !== undefined) throw failureOf(last.subject, ack.error);
  if (ack.batch !== id || ack.count !== messages.length || ack.seq === undefined)
    throw new ConfigurationError(
      `The server ${c.serverVersion} stored an atomic batch for ${last.subject} message by message: it has no atomic batches`,
    );
  return ack.seq;
};
