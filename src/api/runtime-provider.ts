/**
 * Where a session gets its runtime from. The API knows no broker and no disk: a higher layer (src/node for programs, src/testing for tests) registers
 * a factory, and a session asks for it at its first start() or collect(), never before.
 */
import { ConfigurationError } from "../core/errors.ts";
import type { SessionRuntime } from "../query/runtime.ts";

/** Settings of a session; what is not given comes from flags and MILLRACE_* (see src/node). */
export interface SessionSettings {
  /** Names the application: with the query's name, the name of its checkpoint. */
  readonly name: string;
  /** IANA zone of the session. Default UTC. */
  readonly timeZone?: string;
  /** `extended` (default) allows what Spark refuses where the answer is well defined; `spark` refuses exactly what Spark does. */
  readonly compatibility?: "extended" | "spark";
  /** Broker's URL. Without one the embedded log is used. */
  readonly nats?: string;
  /** Directory of the local state. */
  readonly data?: string;
  /** Partitions of keyed stages of new queries. */
  readonly partitions?: number;
  /** Where show(), printSchema() and explain() print; default standard output. */
  readonly print?: (text: string) => void;
  /** Further settings by their names on the command line, camel case. */
  readonly [setting: string]: unknown;
}
export type RuntimeProvider = (settings: SessionSettings) => Promise<SessionRuntime>;

export const TIME_ZONE_DEFAULT = "UTC";

let provider: RuntimeProvider | undefined;
let zone = (): string => TIME_ZONE_DEFAULT;

/** Registers what knows the zone of flags and environment, for sessions that name none: SQL text has times in it before anything runs. */
export const setDefaultTimeZone = (next: () => string): void => {
  zone = next;
};

export const defaultTimeZone = (): string => zone();

/** Registers what makes runtimes; undefined takes it away. Returns the one before. */
export const setRuntimeProvider = (next: RuntimeProvider | undefined): RuntimeProvider | undefined => {
  const before = provider;
  provider = next;
  return before;
};

/** The runtime of a session. Throws ConfigurationError when no provider is registered. */
export const runtimeFor = async (settings: SessionSettings): Promise<SessionRuntime> => {
  if (provider === undefined)
    throw new ConfigurationError("this session has no runtime", {
      hint: 'run the program with `millrace run app.ts`, or import "millrace" as an application does',
    });
  return provider(settings);
};
