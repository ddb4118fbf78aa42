/** Command-line arguments: `--flag value`, `--flag=value`, switches, positional arguments; `--` ends the flags. */
import { ConfigurationError } from "../core/errors.ts";
import { nearest } from "../expr/suggestion.ts";

export interface FlagSpec {
  readonly name: string;
  /** What stands behind it in the usage text; undefined: a switch. */
  readonly value?: string;
  readonly help: string;
}

export interface Arguments {
  readonly positional: readonly string[];
  readonly flags: ReadonlyMap<string, string>;
  /** What stands behind `--`. */
  readonly rest: readonly string[];
}

const valueOf = (spec: FlagSpec, inline: string | undefined, next: string | undefined): string => {
  if (spec.value === undefined) {
    if (inline !== undefined) throw new ConfigurationError(`--${spec.name} takes no value`);
    return "true";
  }
  const value = inline ?? next;
  if (value === undefined || value === "" || (inline === undefined && value.startsWith("--")))
    throw new ConfigurationError(`--${spec.name} needs a value: --${spec.name} ${spec.value}`);
  return value;
};

/** Throws ConfigurationError for what is not in `specs`, with the nearest name. */
export const parseArguments = (args: readonly string[], specs: readonly FlagSpec[]): Arguments => {
  const positional: string[] = [];
  const flags = new Map<string, string>();
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === "--") return { positional, flags, rest: args.slice(i + 1) };
    if (!arg.startsWith("--")) {
      if (arg.startsWith("-") && arg.length > 1)
        throw new ConfigurationError(`unknown flag ${arg}`, { hint: "flags begin with two dashes" });
      positional.push(arg);
      continue;
    }
    const equals = arg.indexOf("=");
    const name = arg.slice(2, equals < 0 ? undefined : equals);
    const spec = specs.find((s) => s.name === name);
    if (spec === undefined) throw unknownFlag(name, specs);
    const inline = equals < 0 ? undefined : arg.slice(equals + 1);
    if (flags.has(name)) throw new ConfigurationError(`--${name} is given twice`);
    flags.set(name, valueOf(spec, inline, args[i + 1]));
    if (spec.value !== undefined && inline === undefined) i++;
  }
  return { positional, flags, rest: [] };
};

const unknownFlag = (name: string, specs: readonly FlagSpec[]): ConfigurationError => {
  const near = nearest(
    name,
    specs.map((s) => s.name),
  )[0];
  return new ConfigurationError(
    `unknown flag --${name}`,
    near === undefined ? {} : { hint: `did you mean --${near}?` },
  );
};

/** The flags as lines of a usage text. */
export const flagLines = (specs: readonly FlagSpec[]): string => {
  const heads = specs.map((s) => `--${s.name}${s.value === undefined ? "" : ` ${s.value}`}`);
  const width = Math.max(...heads.map((h) => h.length)) + 2;
  return specs.map((s, i) => `  ${heads[i]!.padEnd(width)}${s.help}`).join("\n");
};
