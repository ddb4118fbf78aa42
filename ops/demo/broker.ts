/** A nats-server for the demo: its own process, port and store, gone afterwards. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const built = fileURLToPath(new URL("../../.tools/nats-2.15/nats-server", import.meta.url));

const program = (): string => {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/local/bin"];
  const found = [...folders.map((f) => join(f, "nats-server")), built].find((p) => existsSync(p));
  if (found === undefined) throw new Error("no nats-server: make brokers says what to install");
  return found;
};

export interface DemoBroker {
  readonly url: string;
  readonly program: string;
  stop(): Promise<void>;
}

/** Starts a server on a free port; resolves when it takes connections. */
export const startBroker = async (folder: string): Promise<DemoBroker> => {
  const path = program();
  const args = ["-js", "-sd", join(folder, "jetstream"), "-a", "127.0.0.1", "-p", "-1"];
  const child: ChildProcess = spawn(path, args, { stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  child.stderr!.setEncoding("utf8").on("data", (text: string) => (log += text));
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const listening = /Listening for client connections on (\S+:\d+)/;
  for (let i = 0; !(listening.test(log) && log.includes("Server is ready")); i++) {
    if (child.exitCode !== null || i > 2_000) throw new Error(`nats-server does not start:\n${log}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return {
    url: `nats://${listening.exec(log)![1]}`,
    program: path,
    async stop(): Promise<void> {
      child.kill("SIGKILL");
      await ended;
    },
  };
};
