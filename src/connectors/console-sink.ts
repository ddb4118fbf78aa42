/**
 * Format `console`: each epoch as Spark prints it. `handle` is the function that writes text (standard output unless a test gives its own). An
 * epoch is printed when it commits; one that was printed before a crash and not yet recorded is printed again.
 */
import type { Batch } from "../core/batch.ts";
import { rowsOf } from "../core/batch.ts";
import { ConfigurationError } from "../core/errors.ts";
import type { Schema } from "../core/schema.ts";
import type { Row } from "../core/value.ts";
import { tableText } from "./formats/display.ts";
import { OptionValues } from "./options.ts";
import type { SinkContext, SinkFactory, SinkSpec, SinkWriter } from "./sink.ts";

type Write = (text: string) => void;

const OPTIONS = ["numRows", "truncate"];

const readOptions = (spec: SinkSpec): { readonly numRows: number; readonly truncate: number } => {
  const values = new OptionValues("console sink", spec.options, OPTIONS);
  const truncate = values.text("truncate", "true").toLowerCase();
  return {
    numRows: values.integer("numRows") ?? 20,
    truncate: truncate === "true" ? 20 : truncate === "false" ? 0 : (values.integer("truncate") ?? 20),
  };
};

const writeOf = (spec: SinkSpec): Write => {
  if (spec.handle === undefined) return (text) => void process.stdout.write(text);
  if (typeof spec.handle === "function") return spec.handle as Write;
  throw new ConfigurationError("the handle of a console sink is a function that writes text");
};

class ConsoleWriter implements SinkWriter {
  readonly #spec: SinkSpec;
  readonly #schema: Schema;
  readonly #context: SinkContext;
  #committed = 0;
  #rows: Row[] = [];

  constructor(spec: SinkSpec, schema: Schema, context: SinkContext) {
    this.#spec = spec;
    this.#schema = schema;
    this.#context = context;
  }

  async open(committed: number): Promise<void> {
    this.#committed = committed;
  }

  begin(): void {
    this.#rows = [];
  }

  write(batch: Batch): void {
    // One more than is shown tells that there are more.
    const room = readOptions(this.#spec).numRows + 1 - this.#rows.length;
    if (room > 0) this.#rows.push(...rowsOf(batch).slice(0, room));
  }

  async commit(epoch: number): Promise<void> {
    if (epoch <= this.#committed) return;
    this.#committed = epoch;
    const rule = "-------------------------------------------\n";
    const table = tableText(this.#schema, this.#rows, {
      ...readOptions(this.#spec),
      timeZone: this.#context.timeZone,
    });
    writeOf(this.#spec)(`${rule}Batch: ${epoch - 1}\n${rule}${table}\n`);
  }

  async close(): Promise<void> {}
}

export const consoleSinkFactory: SinkFactory = {
  format: "console",
  optionNames: OPTIONS,
  validate(spec) {
    readOptions(spec);
    writeOf(spec);
  },
  partitioned: () => false,
  describe: () => "none: an epoch may be printed again after a crash",
  guarantee: () => "atLeastOnce",
  writer: (spec, schema, context) => new ConsoleWriter(spec, schema, context),
};
