/**
 * Real NATS servers for tests, on both versions that are promised: Debian's 2.9 and a current 2.15.
 *
 *  I1. A server takes its port from the system at its first start and keeps port and store through restarts.
 *  I2. It is ready when it says so; nothing sleeps.
 *  I3. It ends with its test, and its store with it.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type Process, repository, startProgram } from "./process.ts";
import { type Hooks, removeTemporary, temporaryDirectory } from "./temporary.ts";

/** A server program on this machine. */
export interface BrokerProgram {
  /** "2.9.10" */
  readonly version: string;
  readonly path: string;
}

/** A version that tests should run on and cannot, with the reason to print. */
export interface MissingBroker {
  /** "2.9" or "2.15" */
  readonly version: string;
  readonly reason: string;
}

const promised = ["2.9", "2.15"] as const;

let known: readonly BrokerProgram[] | undefined;

function versionOf(path: string): string | undefined {
  try {
    return /v(\d+\.\d+\.\d+)/.exec(execFileSync(path, ["--version"], { encoding: "utf8" }))?.[1];
  } catch {
    return undefined;
  }
}

/** The server programs of different versions on this machine: PATH first, then what `make brokers` built. */
export function brokers(): readonly BrokerProgram[] {
  if (known !== undefined) return known;
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/local/bin"];
  const candidates = folders.filter((folder) => folder !== "").map((folder) => join(folder, "nats-server"));
  candidates.push(join(repository, ".tools/nats-2.15/nats-server"));
  const found = new Map<string, string>();
  for (const path of new Set(candidates)) {
    if (!existsSync(path)) continue;
    const version = versionOf(path);
    if (version !== undefined && !found.has(version)) found.set(version, path);
  }
  known = [...found].map(([version, path]) => ({ version, path }));
  return known;
}

/** The promised versions that are not here. Tests print each as a skipped test with its reason. */
export function missingBrokers(): readonly MissingBroker[] {
  return promised
    .filter((line) => !brokers().some(({ version }) => version.startsWith(`${line}.`)))
    .map((version) => ({
      version,
      reason: `no nats-server ${version} on PATH or in .tools (make brokers says why)`,
    }));
}

export interface BrokerOptions {
  /** The server program; the first of `brokers()` when none is given. */
  readonly path?: string;
  /** The JetStream store; a temporary folder when none is given. */
  readonly dir?: string;
  /** 0 or none: a free one. */
  readonly port?: number;
  /** Bytes of the largest message (the server's default is 1 MiB). */
  readonly maxPayload?: number;
  readonly auth?: { readonly user: string; readonly password: string } | { readonly token: string };
  /** Bytes JetStream may use on disk and in memory. */
  readonly maxFile?: number;
  readonly maxMemory?: number;
  /** Lines added to the configuration file as they stand. */
  readonly extra?: string;
  /** The server ends after this test. */
  readonly t?: Hooks;
  /** The longest wait for a start, in ms. */
  readonly timeout?: number;
}

function configuration(options: BrokerOptions, dir: string, port: number): string {
  const lines = [
    `listen: "127.0.0.1:${port === 0 ? -1 : port}"`,
    `jetstream {`,
    `  store_dir: ${JSON.stringify(dir)}`,
    `  max_file_store: ${options.maxFile ?? 8 * 2 ** 30}`,
    `  max_memory_store: ${options.maxMemory ?? 2 ** 30}`,
    `}`,
  ];
  if (options.maxPayload !== undefined) lines.push(`max_payload: ${options.maxPayload}`);
  if (options.auth !== undefined) lines.push(`authorization: ${JSON.stringify(options.auth)}`);
  if (options.extra !== undefined) lines.push(options.extra);
  return `${lines.join("\n")}\n`;
}

/** A server process with a store: killed, paused and restarted by the test that owns it. */
export class Broker {
  readonly version: string;
  /** The JetStream store. */
  readonly dir: string;
  readonly #path: string;
  readonly #options: BrokerOptions;
  readonly #folder: string;
  #port: number;
  #process: Process | undefined;

  constructor(program: BrokerProgram, options: BrokerOptions) {
    this.version = program.version;
    this.#path = program.path;
    this.#options = options;
    this.#folder = temporaryDirectory(undefined, "millrace-broker-");
    this.dir = options.dir ?? join(this.#folder, "store");
    this.#port = options.port ?? 0;
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.#port}`;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** What the running server has logged since its start. */
  get logged(): string {
    return this.#process?.stderr ?? "";
  }

  /** Starts the server on its store and port; resolves when it accepts connections. */
  async start(): Promise<void> {
    if (this.#process !== undefined && !this.#process.isOver) return;
    mkdirSync(this.dir, { recursive: true });
    const file = join(this.#folder, "server.conf");
    writeFileSync(file, configuration(this.#options, this.dir, this.#port));
    const timeout = this.#options.timeout ?? 30_000;
    this.#process = startProgram(this.#path, ["-c", file], { cwd: this.#folder });
    await this.#process.waitFor(/Server is ready/, timeout);
    const match = await this.#process.waitFor(/Listening for client connections on [^\n]*:(\d+)\n/, timeout);
    this.#port = Number(match[1]);
  }

  /** SIGKILL; resolves when the process is gone. The store stays. */
  async kill(): Promise<void> {
    this.#process?.resume();
    await this.#process?.kill("SIGKILL");
  }

  /** SIGSTOP: connections stay open and nothing answers from the moment this resolves. */
  async pause(): Promise<void> {
    await this.#process?.pause();
  }

  resume(): void {
    this.#process?.resume();
  }

  /** Kills the server when it runs and starts it again on the same store and port. */
  async restart(): Promise<void> {
    await this.kill();
    await this.start();
  }

  /** Ends the server in good order and removes what is temporary. */
  async stop(): Promise<void> {
    this.#process?.resume();
    if (this.#process?.isOver === false) await this.#process.kill("SIGTERM");
    removeTemporary(this.#folder);
  }
}

/** Starts a server and waits until it is ready. Rejects with what it logged when it does not start. */
export async function startBroker(options: BrokerOptions = {}): Promise<Broker> {
  const program =
    options.path === undefined
      ? brokers()[0]
      : { path: options.path, version: versionOf(options.path) ?? "unknown" };
  if (program === undefined) throw new Error("no nats-server on this machine: run make brokers");
  const broker = new Broker(program, options);
  options.t?.after(() => broker.stop());
  try {
    await broker.start();
  } catch (cause) {
    await broker.kill();
    await broker.stop();
    throw cause;
  }
  return broker;
}
