/** Options of the NATS source, and how both NATS connectors come to a broker. */
import type { DataType, Field } from "../core/data-type.ts";
import { BINARY, LONG, STRING, TIMESTAMP, field, map, sameType } from "../core/data-type.ts";
import { ConfigurationError } from "../core/errors.ts";
import { type Schema, schemaOf } from "../core/schema.ts";
import type { LogStore } from "../log/log.ts";
import { type NatsAccess, natsOf } from "../log/nats-access.ts";
import { CORRUPT_COLUMN_DEFAULT, type Mode, MODES } from "./formats/decoder.ts";
import { ENCODINGS, type Encoding } from "./formats/encoder.ts";
import { OptionValues } from "./options.ts";
import type { Options } from "./source.ts";
import { LIMIT_OPTIONS, triggerLimits } from "./trigger-limits.ts";

/** Where streams are read from, or up to: one rule for all, or sequences by stream (-1 latest, -2 earliest). */
export type OffsetsOption = "earliest" | "latest" | ReadonlyMap<string, number>;

export interface NatsSourceOptions {
  /** Names or patterns. Empty: the streams that store `subject`. */
  readonly streams: readonly string[];
  readonly subject: string | undefined;
  readonly url: string | undefined;
  readonly startingOffsets: OffsetsOption;
  readonly endingOffsets: OffsetsOption;
  readonly encoding: Encoding | undefined;
  readonly mode: Mode;
  readonly corruptColumn: string;
  readonly failOnDataLoss: boolean;
}

export const SOURCE_OPTIONS: readonly string[] = [
  "stream",
  "subject",
  "url",
  "startingOffsets",
  "endingOffsets",
  ...LIMIT_OPTIONS,
  "encoding",
  "mode",
  "columnNameOfCorruptRecord",
  "failOnDataLoss",
];

const readOffsets = (values: OptionValues, name: string, fallback: "earliest" | "latest"): OffsetsOption => {
  const text = values.text(name, fallback).trim();
  if (text === "earliest" || text === "latest") return text;
  const needs = '"earliest", "latest" or a JSON map of stream to sequence such as {"IN":17}';
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw values.bad(name, needs);
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) throw values.bad(name, needs);
  const entries = Object.entries(parsed);
  for (const [, n] of entries)
    if (!Number.isSafeInteger(n) || n < -2 || n === 0) throw values.bad(name, needs);
  return new Map(entries as [string, number][]);
};

export const readSourceOptions = (options: Options, mode: "batch" | "stream"): NatsSourceOptions => {
  const values = new OptionValues("nats source", options, SOURCE_OPTIONS);
  const streams = (values.optional("stream") ?? "")
    .split(",")
    .map((s) => s.trim())
    .filter((s) => s !== "");
  const subject = values.optional("subject");
  if (streams.length === 0 && subject === undefined)
    throw values.bad("stream", "the name of a stream, several with commas, or a pattern such as IN_*");
  const own = streams.find((s) => s.startsWith("MR_"));
  if (own !== undefined)
    throw new ConfigurationError(`stream ${own} belongs to Millrace itself and is no input`);
  if (mode === "stream" && values.has("endingOffsets"))
    throw new ConfigurationError('option "endingOffsets" is for batch reads: a stream has no end');
  if (mode === "batch" && values.text("startingOffsets", "earliest").trim() === "latest")
    throw new ConfigurationError('option "startingOffsets" of a batch read cannot be "latest"');
  if (values.text("endingOffsets", "latest").trim() === "earliest")
    throw values.bad("endingOffsets", '"latest" or a JSON map of stream to sequence');
  triggerLimits(options);
  return {
    streams,
    subject,
    url: values.optional("url"),
    startingOffsets: readOffsets(values, "startingOffsets", "earliest"),
    endingOffsets: readOffsets(values, "endingOffsets", "latest"),
    encoding: values.has("encoding") ? values.choice("encoding", ENCODINGS, "json") : undefined,
    mode: values.choice("mode", MODES, "permissive"),
    corruptColumn: values.text("columnNameOfCorruptRecord", CORRUPT_COLUMN_DEFAULT),
    failOnDataLoss: values.flag("failOnDataLoss", true),
  };
};

/** The columns of a message, when no schema says what its payload is. None is null. */
export const MESSAGE_SCHEMA: Schema = schemaOf([
  field("stream", STRING, false),
  field("subject", STRING, false),
  field("payload", BINARY, false),
  field("headers", map(STRING, STRING, false), false),
  field("sequence", LONG, false),
  field("timestamp", TIMESTAMP, false),
]);

const isMessageColumn = (f: Field): boolean =>
  MESSAGE_SCHEMA.fields.some((m) => m.name === f.name && sameType(m.type, f.type as DataType));

/** Whether a schema reads messages as they are. Without `encoding` it does when all of its columns are those of messages. */
export const readsMessages = (schema: Schema, encoding: Encoding | undefined): boolean => {
  const all = schema.fields.every(isMessageColumn);
  if (encoding === "raw" && !all)
    throw new ConfigurationError(
      'encoding "raw" gives the columns stream, subject, payload, headers, sequence and timestamp only',
    );
  return (
    encoding === "raw" ||
    (encoding === undefined && all && schema.fields.length > 0 && schema.fields.every((f) => !f.nullable))
  );
};

const NEEDS_SERVER =
  'needs a NATS server: start with --nats URL (or MILLRACE_NATS), or give the connector\'s option "url"';

/** Connections that connectors opened for their own `url`. */
export type OpenNats = (url: string) => Promise<NatsAccess>;

/** The broker a connector talks to: the application's own, or the one at `url`. `opened` is closed by the connector. */
export const natsAccess = async (
  what: string,
  store: LogStore,
  url: string | undefined,
  open: OpenNats,
): Promise<{ readonly access: NatsAccess; readonly opened: boolean }> => {
  if (url !== undefined) return { access: await open(url), opened: true };
  const access = natsOf(store);
  if (access === undefined) throw new ConfigurationError(`the ${what} ${NEEDS_SERVER}`);
  return { access, opened: false };
};
