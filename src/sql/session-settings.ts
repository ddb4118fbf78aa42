/**
 * SET and RESET: the settings of a SQL session. Those that mean something here are checked and act at once on what is analysed and started from
 * then on; any other key is kept as given, as in Spark.
 */
import { AnalysisError, ConfigurationError } from "../core/errors.ts";
import { PARTITIONS_MAX } from "../core/limits.ts";
import { nearest } from "../expr/suggestion.ts";
import { isZone } from "../expr/time/zones.ts";
import type { SessionCatalog, SessionOverrides } from "../plan/catalog.ts";
import { OUTPUT_MODES, parseTrigger } from "./insert-options.ts";

interface Setting {
  /** The value as kept. Throws for a bad one. */
  readonly check: (value: string, key: string) => string;
  /** What it changes in planning. */
  readonly override?: (value: string) => SessionOverrides;
}

const bad = (key: string, value: string, needs: string): AnalysisError =>
  new AnalysisError(
    `[INVALID_CONF_VALUE.REQUIREMENT] The value '${value}' in the config "${key}" is invalid: it takes ${needs}.`,
    {
      errorClass: "INVALID_CONF_VALUE.REQUIREMENT",
    },
  );

const timeZone = (value: string, key: string): string => {
  const zone = value.toUpperCase() === "LOCAL" ? Intl.DateTimeFormat().resolvedOptions().timeZone : value;
  if (isZone(zone)) return zone;
  throw new AnalysisError(
    `[INVALID_CONF_VALUE.TIME_ZONE] The value '${value}' in the config "${key}" is invalid. Cannot resolve the given timezone.`,
    {
      errorClass: "INVALID_CONF_VALUE.TIME_ZONE",
      hint: "a region such as Europe/Berlin, an offset such as +02:00, or UTC",
    },
  );
};

const partitions = (value: string, key: string): string => {
  const n = Number(value);
  if (Number.isInteger(n) && n >= 1 && n <= PARTITIONS_MAX) return String(n);
  throw bad(key, value, `a whole number from 1 to ${PARTITIONS_MAX}`);
};

const oneOf =
  (values: readonly string[]) =>
  (value: string, key: string): string => {
    const found = values.find((v) => v === value.toLowerCase());
    if (found === undefined) throw bad(key, value, `one of ${values.join(", ")}`);
    return found;
  };

const ansi = (value: string, key: string): string => {
  if (value.toLowerCase() !== "true")
    throw bad(
      key,
      value,
      "true only: without ANSI rules wrong values would pass silently; use try_cast and the try_ functions",
    );
  return "true";
};

/** By key in lower case; `as` is how it is shown. */
const SETTINGS: Readonly<Record<string, Setting & { readonly as: string }>> = Object.assign(
  Object.create(null) as object,
  {
    "spark.sql.session.timezone": {
      as: "spark.sql.session.timeZone",
      check: timeZone,
      override: (zone: string) => ({ timeZone: zone }),
    },
    "spark.sql.streaming.multiplewatermarkpolicy": {
      as: "spark.sql.streaming.multipleWatermarkPolicy",
      check: oneOf(["min", "max"]),
      override: (policy: string) => ({ watermarkPolicy: policy as "min" | "max" }),
    },
    "spark.sql.shuffle.partitions": { as: "spark.sql.shuffle.partitions", check: partitions },
    "spark.sql.ansi.enabled": { as: "spark.sql.ansi.enabled", check: ansi },
    "millrace.partitions": { as: "millrace.partitions", check: partitions },
    "millrace.staticreload": {
      as: "millrace.staticReload",
      check: oneOf(["epoch", "once"]),
      override: (reload: string) => ({ staticReload: reload as "epoch" | "once" }),
    },
    "millrace.trigger": {
      as: "millrace.trigger",
      check: (value: string) => (parseTrigger(value), value),
    },
    "millrace.outputmode": { as: "millrace.outputMode", check: oneOf(OUTPUT_MODES) },
  },
);

export class SqlSettings {
  readonly #catalog: SessionCatalog;
  /** By the key in lower case for known ones, as given for the others. */
  readonly #values = new Map<string, { readonly key: string; readonly value: string }>();

  constructor(catalog: SessionCatalog) {
    this.#catalog = catalog;
  }

  get(key: string): string | undefined {
    return this.#values.get(this.#id(key))?.value;
  }

  /** Keys and values, by key. */
  entries(): readonly (readonly [string, string])[] {
    return [...this.#values.values()]
      .map(({ key, value }) => [key, value] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1));
  }

  #id(key: string): string {
    return Object.hasOwn(SETTINGS, key.toLowerCase()) ? key.toLowerCase() : key;
  }

  /** Throws for a known key's bad value, and for a key of ours that does not exist. Gives what is kept. */
  set(key: string, value: string): readonly [string, string] {
    const id = this.#id(key);
    const known = SETTINGS[id];
    if (known === undefined && id.toLowerCase().startsWith("millrace.")) throw unknownSetting(key);
    const kept =
      known === undefined ? { key, value } : { key: known.as, value: known.check(value, known.as) };
    this.#values.set(id, kept);
    if (known?.override !== undefined)
      this.#catalog.overrides = { ...this.#catalog.overrides, ...known.override(kept.value) };
    return [kept.key, kept.value];
  }

  /** Undefined: all of them. */
  reset(key: string | undefined): void {
    if (key === undefined) this.#values.clear();
    else this.#values.delete(this.#id(key));
    this.#catalog.overrides = Object.assign(
      {},
      ...[...this.#values].map(([id, { value }]) => SETTINGS[id]?.override?.(value) ?? {}),
    ) as SessionOverrides;
  }
}

const unknownSetting = (key: string): ConfigurationError => {
  const ours = Object.values(SETTINGS)
    .map((s) => s.as)
    .filter((name) => name.startsWith("millrace."));
  const near = nearest(key, ours)[0];
  return new ConfigurationError(
    `there is no setting ${key}${near === undefined ? "" : `; did you mean ${near}?`}`,
    {
      hint: `settings: ${ours.join(", ")}`,
    },
  );
};
