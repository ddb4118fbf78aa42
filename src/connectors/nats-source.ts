/**
 * Format `nats`: JetStream streams as input. A split is a stream, an offset the next sequence (`nats-enumerator.ts`), a reader prefetches ahead of
 * the plan (`nats-reader.ts`). Payloads are decoded by `encoding`; without a schema the rows are the messages.
 */
import { openNats } from "./nats-open.ts";
import type { NatsAccess } from "../log/nats-access.ts";
import type { Decoder, DecoderOptions } from "./formats/decoder.ts";
import type { Encoding } from "./formats/encoder.ts";
import { JsonDecoder, jsonDecoderCode } from "./formats/json-decoder.ts";
import { MsgpackDecoder } from "./formats/msgpack-decoder.ts";
import { NatsEnumerator, type SeenStreams } from "./nats-enumerator.ts";
import {
  MESSAGE_SCHEMA,
  natsAccess,
  readSourceOptions,
  readsMessages,
  SOURCE_OPTIONS,
} from "./nats-options.ts";
import { NatsSourceReader } from "./nats-reader.ts";
import type { Source, SourceContext, SourceFactory, SourceSpec } from "./source.ts";
import { AnalysisError } from "../core/errors.ts";

const decoderOf = (encoding: Encoding, spec: SourceSpec, options: DecoderOptions): Decoder => {
  const { schema, paths, declared = schema } = spec;
  if (encoding === "msgpack") return new MsgpackDecoder(schema, options);
  const projection = paths === undefined ? undefined : { declared, paths };
  return new JsonDecoder(schema, options, encoding === "ndjson", { projection });
};

/** One actor a stream; more than this share actors. */
const PARALLELISM_MAX = 64;

export const natsSourceFactory: SourceFactory = {
  format: "nats",
  optionNames: SOURCE_OPTIONS,
  validate(options, mode) {
    readSourceOptions(options, mode);
  },
  nested: (options) => ["json", "ndjson"].includes(readSourceOptions(options, "stream").encoding ?? "json"),
  defaultSchema(options) {
    const { encoding } = readSourceOptions(options, "stream");
    if (encoding !== undefined && encoding !== "raw")
      throw new AnalysisError(`a nats source with encoding "${encoding}" needs a schema`, {
        hint: 'give .schema(schema({ … })), or encoding "raw" for the messages as they are',
      });
    return MESSAGE_SCHEMA;
  },
  decoderCode(spec) {
    const { encoding = "json", corruptColumn } = readSourceOptions(spec.options, "stream");
    if (readsMessages(spec.schema, encoding) || (encoding !== "json" && encoding !== "ndjson"))
      return undefined;
    return jsonDecoderCode(spec, corruptColumn);
  },
  create(spec: SourceSpec, context: SourceContext, mode: "batch" | "stream"): Source {
    const options = readSourceOptions(spec.options, mode);
    const messages = readsMessages(spec.schema, options.encoding);
    let connection: Promise<NatsAccess> | undefined;
    let own: NatsAccess | undefined;
    let users = 0;
    const seen: SeenStreams = new Map();
    const connect = (): Promise<NatsAccess> => {
      connection ??= natsAccess("nats source", context.store, options.url, (url) =>
        openNats(url, context.clock),
      ).then(({ access, opened }) => {
        if (opened) own = access;
        return access;
      });
      connection.catch(() => (connection = undefined));
      return connection;
    };
    // A connection of this source's own ends with the last of its enumerators and readers.
    const used = <T extends { close(): Promise<void> }>(user: T): T => {
      users++;
      const close = user.close.bind(user);
      let closed = false;
      user.close = async () => {
        await close();
        if (closed) return;
        closed = true;
        if (--users > 0) return;
        connection = undefined;
        await own?.close();
        own = undefined;
      };
      return user;
    };
    const enumerator = (): NatsEnumerator => new NatsEnumerator(options, connect, context.clock, mode, seen);
    const decoder = (): Decoder | undefined =>
      messages
        ? undefined
        : decoderOf(options.encoding ?? "json", spec, {
            mode: options.mode,
            corruptColumn: options.corruptColumn,
            timeZone: context.timeZone,
            onCorrupt: context.onCorrupt,
          });
    return {
      schema: spec.schema,
      description: `nats[${options.streams.join(",") || options.subject!}]`,
      async parallelism() {
        const splits = enumerator();
        await splits.open(undefined);
        return Math.max(1, Math.min(PARALLELISM_MAX, splits.known));
      },
      enumerator: () => used(enumerator()),
      reader: () => used(new NatsSourceReader(options, connect, context.clock, spec.schema, decoder(), seen)),
    };
  },
};
