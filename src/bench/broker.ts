/** A nats-server of the benchmark's own: a free port, a temporary store, ended with the benchmark. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { ConfigurationError } from "../core/errors.ts";

export interface BenchBroker {
  readonly url: string;
  /** Its first line of version, or the URL that was given. */
  readonly description: string;
  /** Undefined for a broker that was given. */
  readonly pid: number | undefined;
  /** User and system seconds so far; undefined for a broker that was given. */
  cpuSeconds(): number | undefined;
  close(): Promise<void>;
}

const program = (): string => {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", ".tools/nats-2.15"];
  const found = folders.map((f) => join(f, "nats-server")).find((p) => existsSync(p));
  if (found !== undefined) return found;
  throw new ConfigurationError("no nats-server on PATH", {
    hint: "run make brokers, or name a running one with --nats",
  });
};

/** Clock ticks of a process as Linux counts them, 100 a second; undefined elsewhere. */
export const cpuOf = (pid: number): number | undefined => {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return undefined;
  }
};

const ready = (child: ChildProcess): Promise<{ port: number; version: string }> =>
  new Promise((resolve, reject) => {
    let text = "";
    child.stderr!.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const port = /client connections on [^\s]*:(\d+)/.exec(text)?.[1];
      const version = /Version:\s+(\S+)/.exec(text)?.[1] ?? "";
      if (port !== undefined && text.includes("Server is ready")) resolve({ port: Number(port), version });
    });
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`nats-server ended with ${code}: ${text}`)));
  });

/** The broker at `url`, or a new one. */
export const benchBroker = async (url: string | undefined): Promise<BenchBroker> => {
  if (url !== undefined)
    return {
      url,
      description: url,
      pid: undefined,
      cpuSeconds: () => undefined,
      close: () => Promise.resolve(),
    };
  const directory = mkdtempSync(join(tmpdir(), "millrace-bench-nats-"));
  const configuration = join(directory, "server.conf");
  writeFileSync(
    configuration,
    `listen: "127.0.0.1:-1"\njetstream { store_dir: ${JSON.stringify(directory)}, max_file_store: 17179869184 }\n`,
  );
  const child = spawn(program(), ["-c", configuration], { stdio: ["ignore", "ignore", "pipe"] });
  const { port, version } = await ready(child);
  return {
    url: `nats://127.0.0.1:${port}`,
    description: `nats-server ${version}`,
    pid: child.pid,
    cpuSeconds: () => cpuOf(child.pid!),
    async close(): Promise<void> {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      await ended;
      rmSync(directory, { recursive: true, force: true });
    },
  };
};
