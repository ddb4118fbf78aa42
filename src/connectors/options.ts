/**
 * Reading of connector options. Names are case-insensitive, as in Spark; an unknown name is refused with the nearest known one, a bad
 * value with the option's name, what it takes and what was given.
 */
import { parseDuration } from "../core/duration.ts";
import { editDistance } from "../core/edit-distance.ts";
import { ConfigurationError } from "../core/errors.ts";
import type { Options } from "./source.ts";

/** The candidate nearest to `name`, when near enough to be what was meant. */
export const nearestName = (name: string, candidates: readonly string[]): string | undefined => {
  let best: string | undefined;
  let least = Math.max(2, Math.floor(name.length / 2)) + 1;
  for (const candidate of candidates) {
    const d = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (d < least) [least, best] = [d, candidate];
  }
  return best;
};

export interface Bounds {
  readonly min?: number;
  readonly max?: number;
}

/** Typed access to the options of one connector. Every getter throws ConfigurationError on a bad value. */
export class OptionValues {
  readonly #owner: string;
  readonly #values = new Map<string, { readonly name: string; readonly value: string }>();

  /** `owner` names the connector in messages, e.g. `nats source`; `known` are all names it takes. */
  constructor(owner: string, options: Options, known: readonly string[]) {
    this.#owner = owner;
    for (const [name, value] of Object.entries(options)) {
      const lower = name.toLowerCase();
      if (!known.some((k) => k.toLowerCase() === lower)) {
        const near = nearestName(name, known);
        throw new ConfigurationError(
          `unknown option "${name}" of the ${owner}${near === undefined ? "" : `; did you mean "${near}"?`}`,
          { hint: `known options: ${known.join(", ") || "none"}` },
        );
      }
      this.#values.set(lower, { name, value: String(value) });
    }
  }

  has(name: string): boolean {
    return this.#values.has(name.toLowerCase());
  }

  /** A ConfigurationError about option `name`. */
  bad(name: string, needs: string): ConfigurationError {
    const given = this.#values.get(name.toLowerCase());
    const what = given === undefined ? "is missing" : `is "${given.value}"`;
    return new ConfigurationError(`option "${name}" of the ${this.#owner} ${what}; it takes ${needs}`);
  }

  optional(name: string): string | undefined {
    return this.#values.get(name.toLowerCase())?.value;
  }

  required(name: string, needs: string): string {
    const value = this.optional(name);
    if (value === undefined || value === "") throw this.bad(name, needs);
    return value;
  }

  text(name: string, fallback: string): string {
    return this.optional(name) ?? fallback;
  }

  integer(name: string, { min = 0, max = Number.MAX_SAFE_INTEGER }: Bounds = {}): number | undefined {
    const text = this.optional(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (!/^[+-]?\d+$/.test(text.trim()) || value < min || value > max)
      throw this.bad(
        name,
        max === Number.MAX_SAFE_INTEGER
          ? `an integer of at least ${min}`
          : `an integer from ${min} to ${max}`,
      );
    return value;
  }

  flag(name: string, fallback: boolean): boolean {
    const text = this.optional(name)?.trim().toLowerCase();
    if (text === undefined) return fallback;
    if (text !== "true" && text !== "false") throw this.bad(name, "true or false");
    return text === "true";
  }

  /** One of `values`, compared without case. */
  choice<T extends string>(name: string, values: readonly T[], fallback: T): T {
    const text = this.optional(name);
    if (text === undefined) return fallback;
    const found = values.find((v) => v.toLowerCase() === text.trim().toLowerCase());
    if (found === undefined) {
      const near = nearestName(text, values);
      throw this.bad(
        name,
        `one of ${values.join(", ")}${near === undefined ? "" : ` (did you mean "${near}"?)`}`,
      );
    }
    return found;
  }

  duration(name: string): number | undefined {
    const text = this.optional(name);
    if (text === undefined) return undefined;
    try {
      return parseDuration(text);
    } catch {
      throw this.bad(name, 'a duration such as "10 seconds" or "15m"');
    }
  }
}
