/** The stream of events and its views `person`, `auction`, `bid` (each with its watermark) and the side input of q13. */
import type { SourceSpec } from "../../connectors/source.ts";
import { type DataType, field, type Field, LONG, STRING, struct, TIMESTAMP } from "../../core/data-type.ts";
import { type Schema, schemaOf } from "../../core/schema.ts";
import { SessionCatalog } from "../../plan/catalog.ts";
import type { Relation } from "../../plan/relation.ts";
import { parseExpression, parseQuery } from "../../sql/parser.ts";

const columns = (text: string): readonly Field[] =>
  text.split(" ").map((column) => {
    const [name = "", type = ""] = column.split(":");
    return field(name, TYPES[type] ?? LONG);
  });
const TYPES: Readonly<Record<string, DataType>> = { s: STRING, t: TIMESTAMP };

const VIEWS: Readonly<Record<string, readonly Field[]>> = {
  person: columns("id name:s emailAddress:s creditCard:s city:s state:s dateTime:t extra:s"),
  auction: columns(
    "id itemName:s description:s initialBid reserve dateTime:t expires:t seller category extra:s",
  ),
  bid: columns("auction bidder price channel:s url:s dateTime:t extra:s"),
};

/** A line of the events: one of the three columns is set. */
export const EVENTS_SCHEMA: Schema = schemaOf(
  Object.entries(VIEWS).map(([name, fields]) => field(name, struct(fields))),
);

const SIDE_INPUT_ROWS = 10_000;

/** The end markers have the watermark pass everything (data.ts, D2) and are no rows of any query: the condition reads the time, so it stays above. */
const BEFORE_THE_END = "dateTime < TIMESTAMP '2099-01-01 00:00:00'";

const view = (name: string, fields: readonly Field[], delayMs: number): Relation => ({
  kind: "filter",
  condition: parseExpression(BEFORE_THE_END),
  child: {
    kind: "watermark",
    column: ["dateTime"],
    delayMs,
    child: parseQuery(
      `SELECT ${fields.map((f) => `${name}.${f.name}`).join(", ")} FROM events WHERE ${name} IS NOT NULL`,
    ),
  },
});

/** `delayMs`: how far the events are out of order at most. */
export const nexmarkCatalog = (
  source: Omit<SourceSpec, "schema" | "pushed">,
  delayMs: number,
): SessionCatalog => {
  const catalog = new SessionCatalog();
  const spec: SourceSpec = { ...source, schema: EVENTS_SCHEMA, pushed: [] };
  const events: Relation = { kind: "source", source: spec, streaming: true, name: "events" };
  catalog.define({ name: "events", kind: "view", relation: events });
  for (const [name, fields] of Object.entries(VIEWS))
    catalog.define({ name, kind: "view", relation: view(name, fields, delayMs) });
  const rows = Array.from({ length: SIDE_INPUT_ROWS }, (_, i) => [i, String(i)]);
  const schema = schemaOf([field("key", LONG), field("value", STRING)]);
  catalog.define({ name: "side_input", kind: "view", relation: { kind: "rows", schema, rows } });
  return catalog;
};
