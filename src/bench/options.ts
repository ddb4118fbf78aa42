/** Flags of `bench`: read once, checked where they are used. A bad one is a ConfigurationError (exit code 2). */
import { ConfigurationError } from "../core/errors.ts";

/** Name → what it does. */
export type Flags = Readonly<Record<string, string>>;

export interface BenchOptions {
  readonly values: Readonly<Record<string, string | undefined>>;
  readonly json: boolean;
  readonly print: (text: string) => void;
  /** For people who wait: not part of the result. */
  readonly progress: (text: string) => void;
}

export const positive = (o: BenchOptions, name: string, fallback: number): number => {
  const text = o.values[name];
  if (text === undefined) return fallback;
  const value = Number(text.replaceAll("_", ""));
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new ConfigurationError(`--${name} ${text}: a positive whole number`);
};

export const oneOf = <T extends string>(
  o: BenchOptions,
  name: string,
  choices: readonly T[],
  fallback: T,
): T => {
  const text = o.values[name];
  if (text === undefined) return fallback;
  const found = choices.find((c) => c === text);
  if (found !== undefined) return found;
  throw new ConfigurationError(`--${name} ${text}: one of ${choices.join(", ")}`);
};

export const list = (o: BenchOptions, name: string): readonly string[] | undefined => {
  const names = o.values[name]?.split(",").map((s) => s.trim());
  return names?.filter((s) => s !== "");
};

export const flag = (o: BenchOptions, name: string): boolean => o.values[name] !== undefined;
