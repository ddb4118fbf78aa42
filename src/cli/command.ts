/** What a command of the command line is: one file each, loaded when it is called. */
import type { Arguments, FlagSpec } from "./arguments.ts";

export interface Command {
  /** `run <app.ts>` */
  readonly usage: string;
  readonly flags: readonly FlagSpec[];
  /** Least and most positional arguments. */
  readonly arity: readonly [number, number];
  /** The exit code; undefined: 0 when nothing is left to do, as the program says. */
  run(args: Arguments): Promise<number | undefined>;
}

export const JSON_FLAG: FlagSpec = { name: "json", help: "print JSON" };

export const print = (text: string): void => {
  process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
};
