/** CSV records: from_csv, to_csv, schema_of_csv, with the options of the reader of CSV files that mean something in one record. */
import {
  type DataType,
  DOUBLE,
  field,
  type Field,
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
import { checkMode, CORRUPT_DEFAULT, optionsOf, schemaOf } from "./json.ts";
import { checkSchemaText, schemaOfRule, textOnly, withOptions } from "./record-rules.ts";

const csv = family("csv");

interface CsvFormat {
  readonly separator: string;
  readonly quote: string;
  readonly escape: string;
  readonly trimsStart: boolean;
  readonly trimsEnd: boolean;
  /** What `""` means. */
  readonly emptyValue: string;
}

/** `\\t` and its kind, as options write them. */
const SEPARATORS: Readonly<Record<string, string>> = {
  "\\t": "\t",
  "\\r": "\r",
  "\\b": "\b",
  "\\f": "\f",
  "\\\\": "\\",
};

const formatOf = (all: ReadonlyMap<string, string>): CsvFormat => {
  const separator = all.get("sep") ?? all.get("delimiter") ?? ",";
  // A record would never end.
  if (separator === "")
    throw failure("INVALID_PARAMETER_VALUE.DELIMITER", "Invalid value for delimiter: it cannot be empty.");
  return {
    separator: Object.hasOwn(SEPARATORS, separator) ? SEPARATORS[separator]! : separator,
    quote: all.get("quote") ?? '"',
    escape: all.get("escape") ?? "\\",
    trimsStart: all.get("ignoreleadingwhitespace") === "true",
    trimsEnd: all.get("ignoretrailingwhitespace") === "true",
    emptyValue: all.get("emptyvalue") ?? "",
  };
};

interface Quoted {
  readonly text: string;
  readonly next: number;
}

/** The quoted cell that begins at `from`; undefined where its quote is closed before the cell's end: such a cell is no quoted one. */
const quotedCell = (line: string, from: number, f: CsvFormat): Quoted | undefined => {
  let text = "";
  for (let at = from + 1; at < line.length; at++) {
    const c = line[at]!;
    if (c === f.escape && line[at + 1] === f.quote && f.quote !== "") {
      text += f.quote;
      at++;
    } else if (c === f.quote) {
      const blanks = /^[ \t]*/.exec(line.slice(at + 1))![0].length;
      const next = at + 1 + blanks;
      if (next < line.length && !line.startsWith(f.separator, next)) return undefined;
      return { text, next };
    } else text += c;
  }
  return { text, next: line.length };
};

const trimmed = (cell: string, f: CsvFormat): string => {
  const start = f.trimsStart ? cell.trimStart() : cell;
  return f.trimsEnd ? start.trimEnd() : start;
};

/** Cells of a line; null where there is nothing between two separators. */
const cellsOf = (line: string, f: CsvFormat): (string | null)[] => {
  const cells: (string | null)[] = [];
  let at = 0;
  for (;;) {
    const quoted = f.quote !== "" && line.startsWith(f.quote, at) ? quotedCell(line, at, f) : undefined;
    const end = line.indexOf(f.separator, quoted?.next ?? at);
    if (quoted !== undefined) cells.push(quoted.text === "" ? f.emptyValue : quoted.text);
    else {
      const cell = trimmed(line.slice(at, end < 0 ? undefined : end), f);
      cells.push(cell === "" ? null : cell);
    }
    if (end < 0) return cells;
    at = end + f.separator.length;
  }
};

const TIMES = new Set(["date", "timestamp", "timestamp_ntz"]);

const specialOf = (cell: string, all: ReadonlyMap<string, string>): number | undefined => {
  if (cell === (all.get("nanvalue") ?? "NaN")) return Number.NaN;
  if (cell === (all.get("positiveinf") ?? "Inf")) return Infinity;
  return cell === (all.get("negativeinf") ?? "-Inf") ? -Infinity : undefined;
};

/** A cell as a value; blanks around numbers are no part of numbers. */
const cellValue = (
  cell: string,
  type: DataType,
  call: BoundCall,
  options: ReturnType<typeof optionsOf>,
): Value => {
  if (type.kind === "string") return cell;
  if (TIMES.has(type.kind) || type.kind === "decimal") return fromJson(cell, type, options);
  if (type.kind === "boolean") {
    if (!/^(?:true|false)$/i.test(cell)) throw new JsonMismatch();
    return cell.toLowerCase() === "true";
  }
  const floating = type.kind === "float" || type.kind === "double";
  const special = floating ? specialOf(cell, options.all) : undefined;
  if (special !== undefined) return special;
  if (!floating && cell !== cell.trim()) throw new JsonMismatch();
  try {
    return castFunction(STRING, type, { timeZone: call.context.timeZone })(cell);
  } catch (e) {
    if (e instanceof ExecutionError) throw new JsonMismatch();
    throw e;
  }
};

/** The values of the record's own fields, and whether all of them fitted. */
const valuesOf = (
  line: string,
  fields: readonly Field[],
  call: BoundCall,
  o: ReturnType<typeof optionsOf>,
): readonly [Value[], boolean] => {
  const comment = o.all.get("comment");
  if (comment !== undefined && comment !== "" && line.startsWith(comment))
    return [fields.map(() => null), true];
  const cells = cellsOf(line, formatOf(o.all));
  const nullText = o.all.get("nullvalue") ?? "";
  let fits = cells.length === fields.length;
  const values = fields.map((f, i) => {
    const cell = cells[i] ?? null;
    if (cell === null || cell === nullText) return null;
    try {
      return cellValue(cell, f.type, call, o);
    } catch (e) {
      if (!(e instanceof JsonMismatch)) throw e;
      fits = false;
      return null;
    }
  });
  return [values, fits];
};

/** A field for texts that do not fit is none of the record's own. */
const fromCsv = (line: string, call: BoundCall, given: Value | undefined): Value => {
  const o = optionsOf(given, call);
  checkMode("from_csv", o.all);
  const { fields } = call.type as DataType & { kind: "struct" };
  const corrupt = o.all.get("columnnameofcorruptrecord") ?? CORRUPT_DEFAULT;
  const own = fields.filter((f) => f.name !== corrupt);
  const [values, fits] = valuesOf(line, own, call, o);
  if (!fits && o.all.get("mode")?.toUpperCase() === "FAILFAST")
    throw failure(
      "MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION",
      `Malformed records are detected in record parsing: ${line}. Parse Mode: FAILFAST.`,
    );
  let next = 0;
  return fields.map((f) => (f.name === corrupt ? (fits ? null : line) : values[next++]!));
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

const inferCsv = (line: string, all: ReadonlyMap<string, string> = new Map()): string =>
  sqlType(structOf(cellsOf(line, formatOf(all)).map((c, i) => field(`_c${i}`, typeOfCell(c)))));

const fromCsvRule: TypeRule = withOptions(2, (args, site) => {
  checkSchemaText(args[1], site);
  const base = signature([textOnly, STRING, map], NULL, { optional: 1, nullable: true })(args, site);
  const type = schemaOf(base.args[1], site, (text) => inferCsv(text));
  if (type.kind !== "struct")
    throw analysisError(
      "INVALID_SCHEMA.NON_STRUCT_TYPE",
      `The input expression should be evaluated to struct type, but got "${sqlType(type)}".`,
      site.position,
    );
  for (const f of type.fields)
    if (["array", "map", "struct"].includes(f.type.kind))
      throw analysisError(
        "UNSUPPORTED_DATATYPE",
        `Unsupported data type "${sqlType(f.type)}" in a record of CSV.`,
        site.position,
      );
  return { ...base, type: structOf(type.fields.map((f) => field(f.name, f.type, true))) };
});

/** A cell as the writer writes it: blanks around texts are cut, quotes stand around what would be read otherwise. */
const toCsv = (row: readonly Value[], call: BoundCall, given: Value | undefined): string => {
  const o = optionsOf(given, call);
  const { separator, quote, escape } = formatOf(o.all);
  const off = (name: string): boolean => o.all.get(name) === "false";
  const trim = (s: string): string => {
    const start = off("ignoreleadingwhitespace") ? s : s.trimStart();
    return off("ignoretrailingwhitespace") ? start : start.trimEnd();
  };
  const all = o.all.get("quoteall") === "true";
  const quoted = (s: string): string =>
    `${quote}${quote === "" || off("escapequotes") ? s : s.replaceAll(quote, escape + quote)}${quote}`;
  const mustQuote = (s: string): boolean =>
    s.includes(separator) || /[\r\n]/.test(s) || (quote !== "" && !off("escapequotes") && s.includes(quote));
  const { fields } = call.argTypes[0]! as DataType & { kind: "struct" };
  return row
    .map((v, i) => {
      if (v === null) return o.all.get("nullvalue") ?? "";
      const type = fields[i]!.type;
      if (v === "") return o.all.get("emptyvalue") ?? '""';
      const s = TIMES.has(type.kind) ? timeText(v as number, type, o) : valueText(type, o.zone)(v);
      const text = type.kind === "string" ? trim(s) : s;
      return all || mustQuote(text) || (i === 0 && text.startsWith("#")) ? quoted(text) : text;
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
    strict<[string, Value | undefined]>(([s, options], call) => inferCsv(s, optionsOf(options, call).all)),
    {
      examples: [["schema_of_csv('1,abc')", "STRUCT<_c0: INT, _c1: STRING>"]],
    },
  ),
];
