/** Format `noop`: computes everything and keeps nothing, for benchmarks. */
import { OptionValues } from "./options.ts";
import type { SinkFactory, SinkWriter } from "./sink.ts";

const WRITER: SinkWriter = {
  open: async () => {},
  begin: () => {},
  write: () => {},
  commit: async () => {},
  close: async () => {},
};

export const noopSinkFactory: SinkFactory = {
  format: "noop",
  optionNames: [],
  validate(spec) {
    new OptionValues("noop sink", spec.options, []);
  },
  partitioned: () => true,
  describe: () => "nothing is written",
  guarantee: () => "exactlyOnce",
  writer: () => WRITER,
};
