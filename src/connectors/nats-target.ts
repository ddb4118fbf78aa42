/** Where the NATS sink writes: its options, the stream behind its subject, the fence that stream allows. */
import { ConfigurationError } from "../core/errors.ts";
import type { NatsAccess, NatsStream } from "../log/nats-access.ts";
import { ENCODINGS, type Encoding } from "./formats/encoder.ts";
import type { JsonTextOptions } from "./formats/json-text.ts";
import type { FenceKind } from "./nats-fence.ts";
import { OptionValues } from "./options.ts";
import type { SinkSpec } from "./sink.ts";

export const GUARANTEES = ["exactlyOnce", "atLeastOnce", "atMostOnce"] as const;

export interface NatsSinkOptions {
  readonly subject: string;
  readonly stream: string | undefined;
  readonly createStream: boolean;
  readonly replicas: 1 | 3;
  readonly url: string | undefined;
  readonly encoding: Encoding;
  readonly rowsPerMessage: number;
  readonly guarantee: (typeof GUARANTEES)[number];
  readonly text: JsonTextOptions;
}

export const SINK_OPTIONS: readonly string[] = [
  "subject",
  "stream",
  "createStream",
  "replicas",
  "url",
  "encoding",
  "rowsPerMessage",
  "guarantee",
  "timestampFormat",
  "ignoreNullFields",
];
const PARTITION = "{partition}";
const ROWS_PER_MESSAGE_NDJSON = 500;

export const readSinkOptions = (spec: SinkSpec): NatsSinkOptions => {
  const values = new OptionValues("nats sink", spec.options, SINK_OPTIONS);
  const subject = values.required("subject", "a subject such as out.counts or out.{partition}");
  const literal = subject.replaceAll(PARTITION, "0");
  if (!/^[^\s.*>{}]+(\.[^\s.*>{}]+)*$/.test(literal))
    throw values.bad(
      "subject",
      "a literal subject: no wildcards, blanks or empty tokens; {partition} stands for the partition",
    );
  if (subject.startsWith("mr."))
    throw values.bad("subject", "a subject outside of mr.>, which is Millrace's own");
  const encoding = values.choice("encoding", ENCODINGS, "json");
  const grouped = encoding === "ndjson" ? ROWS_PER_MESSAGE_NDJSON : 1;
  const rowsPerMessage = values.integer("rowsPerMessage", { min: 1, max: 100_000 }) ?? grouped;
  if (rowsPerMessage > 1 && encoding !== "ndjson")
    throw new ConfigurationError('option "rowsPerMessage" of the nats sink needs encoding "ndjson"');
  if (spec.partitionBy.length > 0)
    throw new ConfigurationError("the nats sink takes no partitionBy; use {partition} in its subject");
  return {
    subject,
    stream: values.optional("stream"),
    createStream: values.flag("createStream", false),
    replicas: values.integer("replicas", { min: 1, max: 3 }) === 3 ? 3 : 1,
    url: values.optional("url"),
    encoding,
    rowsPerMessage,
    guarantee: values.choice("guarantee", GUARANTEES, "exactlyOnce"),
    text: {
      millis: values.choice("timestampFormat", ["iso", "millis"], "iso") === "millis",
      ignoreNullFields: values.flag("ignoreNullFields", false),
    },
  };
};

export const subjectOf = (options: NatsSinkOptions, partition: number): string =>
  options.subject.replaceAll(PARTITION, String(partition));

/** `out.counts` → `OUT_COUNTS`, `out.{partition}` → `OUT`. */
const streamNameOf = (subject: string): string =>
  subject
    .replaceAll(`.${PARTITION}`, "")
    .replaceAll(PARTITION, "P")
    .replace(/[^A-Za-z0-9_-]/g, "_")
    .toUpperCase();

/** The stream that stores the subject; made when `createStream` asks for it. Throws ConfigurationError when there is none or more than one fits. */
export const targetStream = async (
  access: NatsAccess,
  options: NatsSinkOptions,
  subject: string,
): Promise<NatsStream> => {
  const stores = await access.streamsOfSubject(subject);
  const { stream: wanted, createStream } = options;
  if (wanted === undefined && stores.length > 1)
    throw new ConfigurationError(`subject ${subject} is stored by ${stores.join(" and ")}`, {
      hint: 'say which with option "stream"',
    });
  if (wanted !== undefined && stores.length > 0 && !stores.includes(wanted))
    throw new ConfigurationError(
      `subject ${subject} is stored by stream ${stores.join(", ")}, not by ${wanted}`,
    );
  const name = wanted ?? stores[0];
  if (stores.length > 0) {
    const stream = await access.stream(name!);
    if (stream !== undefined) return stream;
  }
  if (!createStream)
    throw new ConfigurationError(
      `no stream stores subject ${subject}${wanted === undefined ? "" : `, stream ${wanted} does not`}`,
      { hint: 'create the stream, or set option "createStream" = "true"' },
    );
  if (name !== undefined && (await access.stream(name)) !== undefined)
    throw new ConfigurationError(`stream ${name} exists and does not store subject ${subject}`);
  return access.createStream({
    name: name ?? streamNameOf(options.subject),
    subjects: [
      options.subject
        .split(".")
        .map((token) => (token.includes(PARTITION) ? "*" : token))
        .join("."),
    ],
    replicas: options.replicas,
    maxBytes: -1,
    atomic: true,
  });
};

/** `2.9.21` is at least 2.9.21. */
export const atLeast = (version: string, floor: readonly number[]): boolean => {
  const parts = version.split(/[.-]/).map(Number);
  for (let i = 0; i < floor.length; i++) {
    const difference = (parts[i] || 0) - floor[i]!;
    if (difference !== 0) return difference > 0;
  }
  return true;
};

/** The best fence for the subject in that stream. Throws ConfigurationError where none holds. */
export const fenceOf = (
  access: NatsAccess,
  stream: NatsStream,
  options: NatsSinkOptions,
  subject: string,
): FenceKind => {
  const own = stream.subjects.length === 1 && stream.subjects[0] === subject;
  // Several rows a message may be grouped otherwise after a change of the option: then a row has no one sequence.
  if (own && options.rowsPerMessage === 1) return "ownStream";
  if (stream.replicas > 1 && !atLeast(access.serverVersion, [2, 9, 21]))
    throw new ConfigurationError(
      `stream ${stream.name} has ${stream.replicas} replicas on server ${access.serverVersion}, which does not check a subject's last sequence reliably before 2.9.21`,
      { hint: "give the sink a stream of its own, a stream with one replica, or a newer server" },
    );
  return stream.atomicBatches ? "atomic" : "oneByOne";
};

const TEXTS: Readonly<Record<FenceKind, string>> = {
  ownStream: "fence: own stream, predicted last sequence, pipelined",
  atomic: "fence: atomic batches, expected last subject sequence",
  oneByOne: "fence: expected last subject sequence, one in flight",
};

/** How it is made exactly once, for explain. Without `kind` (no broker asked) what it will be. */
export const fenceText = (options: NatsSinkOptions, kind: FenceKind | undefined): string => {
  if (options.guarantee !== "exactlyOnce") return `fence: none (${options.guarantee})`;
  if (kind !== undefined) return TEXTS[kind];
  return "fence: expected last subject sequence (one in flight; atomic batches where the server has them; predicted and pipelined in a stream of its own)";
};
