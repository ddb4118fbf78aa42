/** CSV records: from_csv, to_csv, schema_of_csv. Options: sep (delimiter), quote, escape, header-less; nullValue, mode and formats as in JSON. */
import {
  type DataType,
  DOUBLE,
  field,
  INT,
  LONG,
  NULL,
  STRING,
  struct as structOf,
  BOOLEAN,
  TIMESTAMP,
} from "../../core/data-type.ts";
import { ExecutionError } from "../../core/errors.ts";
import type { Value } from "../../core/value.ts";
import { castFunction } from "../cast.ts";
import type { BoundCall, FunctionDefinition, TypeRule } from "../function.ts";
import { fromJson, JsonMismatch, timeText } from "../json-values.ts";
import { map, signature, struct } from "../rules.ts";
import { parseTimestamp } from "../time/iso-text.ts";
import { analysisError, sqlType } from "../type-errors.ts";
import { valueText } from "../value-text.ts";
import { failure, family, strict } from "./definition.ts";
import { optionsOf, schemaOf } from "./json.ts";
import { checkSchemaText, schemaOfRule, textOnly, withOptions } from "./record-rules.ts";

const csv = family("csv");

/** Cells of a line; a quoted cell may hold separators, and quotes as `\"` or `""`. */
const cellsOf = (line: string, separator: string, quote: string): (string | null)[] => {
  const cells: (string | null)[] = [];
  let at = 0;
  for (;;) {
    let cell = "";
    let quoted = false;
    if (line.startsWith(quote, at)) {
      quoted = true;
      for (at++; at < line.length; at++) {
        const c = line[at]!;
        if ((c === "\\" || c === quote) && line[at + 1] === quote) {
          cell += quote;
          at++;
        } else if (c === quote) break;
        else cell += c;
      }
      at++;
    }
    const end = line.indexOf(separator, at);
    cell += line.slice(at, end < 0 ? undefined : end);
    cells.push(cell === "" && !quoted ? null : cell);
    if (end < 0) return cells;
    at = end + separator.length;
  }
};

const TIMES = new Set(["date", "timestamp", "timestamp_ntz"]);

const cellValue = (
  cell: string,
  type: DataType,
  call: BoundCall,
  options: ReturnType<typeof optionsOf>,
): Value => {
  if (type.kind === "string") return cell;
  if (TIMES.has(type.kind)) return fromJson(cell, type, options);
  try {
    return castFunction(STRING, type, { timeZone: call.context.timeZone })(cell.trim());
  } catch (e) {
    if (e instanceof ExecutionError) throw new JsonMismatch();
    throw e;
  }
};

const separatorOf = (all: ReadonlyMap<string, string>): string =>
  all.get("sep") ?? all.get("delimiter") ?? ",";

const fromCsv = (line: string, call: BoundCall, given: Value | undefined): Value => {
  const o = optionsOf(given, call);
  const fields = (call.type as DataType & { kind: "struct" }).fields;
  const cells = cellsOf(line, separatorOf(o.all), o.all.get("quote") ?? '"');
  const nullText = o.all.get("nullvalue") ?? "";
  let failed = cells.length !== fields.length;
  const row = fields.map((f, i) => {
    const cell = cells[i] ?? null;
    if (cell === null || cell === nullText) return null;
    try {
      return cellValue(cell, f.type, call, o);
    } catch (e) {
      if (!(e instanceof JsonMismatch)) throw e;
      failed = true;
      return null;
    }
  });
  if (failed && o.all.get("mode")?.toUpperCase() === "FAILFAST")
    throw failure(
      "MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION",
      `Malformed records are detected in record parsing: ${line}. Parse Mode: FAILFAST.`,
    );
  return row;
};

const typeOfCell = (cell: string | null): DataType => {
  if (cell === null) return STRING;
  const t = cell.trim();
  if (/^[+-]?\d{1,9}$/.test(t)) return INT;
  if (/^[+-]?\d{1,18}$/.test(t)) return LONG;
  if (/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(t)) return DOUBLE;
  if (/^(?:true|false)$/i.test(t)) return BOOLEAN;
  if (/^\d{4}-\d{2}-\d{2}$/.test(t)) return { kind: "date" };
  return parseTimestamp(t, "UTC") === undefined ? STRING : TIMESTAMP;
};

const inferCsv = (line: string, separator = ","): string =>
  sqlType(structOf(cellsOf(line, separator, '"').map((c, i) => field(`_c${i}`, typeOfCell(c)))));

const fromCsvRule: TypeRule = withOptions(2, (args, site) => {
  checkSchemaText(args[1], site);
  const base = signature([textOnly, STRING, map], NULL, { optional: 1, nullable: true })(args, site);
  const type = schemaOf(base.args[1], site, inferCsv);
  if (type.kind !== "struct")
    throw analysisError(
      "INVALID_SCHEMA.NON_STRUCT_TYPE",
      `The input expression should be evaluated to struct type, but got "${sqlType(type)}".`,
      site.position,
    );
  return { ...base, type: structOf(type.fields.map((f) => field(f.name, f.type, true))) };
});

const toCsv = (row: readonly Value[], call: BoundCall, given: Value | undefined): string => {
  const o = optionsOf(given, call);
  const separator = separatorOf(o.all);
  const special = (s: string): boolean => s.includes(separator) || s.includes('"') || /[\r\n]/.test(s);
  const { fields } = call.argTypes[0]! as DataType & { kind: "struct" };
  return row
    .map((v, i) => {
      if (v === null) return o.all.get("nullvalue") ?? "";
      const type = fields[i]!.type;
      if (v === "") return '""';
      const s = TIMES.has(type.kind) ? timeText(v as number, type, o) : valueText(type, o.zone)(v);
      return special(s) ? `"${s.replaceAll('"', '\\"')}"` : s;
    })
    .join(separator);
};

export const CSV_FUNCTIONS: readonly FunctionDefinition[] = [
  csv(
    "from_csv(text, schema[, options])",
    "A CSV record as a struct; cells that do not fit are null.",
    fromCsvRule,
    strict<[string, string, Value | undefined]>(([s, , options], call) => fromCsv(s, call, options)),
    {
      examples: [["from_csv('1, 0.8', 'a INT, b DOUBLE')", "{1, 0.8}"]],
    },
  ),
  csv(
    "to_csv(struct[, options])",
    "A struct as a CSV record.",
    withOptions(1, signature([struct, map], STRING, { optional: 1 })),
    strict<[readonly Value[], Value | undefined]>(([row, options], call) => toCsv(row, call, options)),
    {
      examples: [["to_csv(named_struct('a', 1, 'b', 2))", "1,2"]],
    },
  ),
  csv(
    "schema_of_csv(text[, options])",
    "The schema of a CSV record as DDL.",
    schemaOfRule,
    strict<[string, Value | undefined]>(([s, options], call) =>
      inferCsv(s, separatorOf(optionsOf(options, call).all)),
    ),
    {
      examples: [["schema_of_csv('1,abc')", "STRUCT<_c0: INT, _c1: STRING>"]],
    },
  ),
];
