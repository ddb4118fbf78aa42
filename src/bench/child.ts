/**
 * One measurement in a process of its own, so that memory, compiled code and garbage of others do not count. The parent gives the work as JSON on the
 * command line and reads the outcome as the last line of standard output.
 */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { JetStreamStore } from "../log/jetstream/store.ts";
import { SYSTEM_CLOCK } from "../query/system-clock.ts";
import { parseFloor } from "./lines.ts";
import { publishEvents, readFloor } from "./nexmark/input.ts";
import type { NexmarkFiles } from "./nexmark/data.ts";
import { type NexmarkRun, runNexmark } from "./nexmark/run.ts";

export type Work =
  | { readonly kind: "nexmark"; readonly run: NexmarkRun }
  | { readonly kind: "parseFloor"; readonly directory: string }
  | {
      readonly kind: "publish";
      readonly url: string;
      readonly files: NexmarkFiles;
      readonly rowsPerMessage: number;
    }
  | { readonly kind: "readFloor"; readonly url: string };

const ownFile = fileURLToPath(import.meta.url);

/** Does the work in a new process. Rejects with what it wrote to standard error when it fails. */
export const inChild = <Outcome>(work: Work, nodeOptions: readonly string[] = []): Promise<Outcome> =>
  new Promise((resolve, reject) => {
    const args = [...process.execArgv, ...nodeOptions, ownFile, JSON.stringify(work)];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
    let [out, error] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => void (out += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => void (error += chunk.toString()));
    child.once("error", reject);
    child.once("close", (code) => {
      if (code !== 0) reject(new Error(`the measurement ended with ${code}: ${error.slice(-2000)}`));
      else resolve(JSON.parse(out.trim().split("\n").at(-1)!) as Outcome);
    });
  });

const withNats = async <A>(url: string, use: (store: JetStreamStore) => Promise<A>): Promise<A> => {
  const store = await JetStreamStore.open({ servers: url, clock: SYSTEM_CLOCK });
  try {
    return await use(store);
  } finally {
    await store.close();
  }
};

const doWork = (work: Work): Promise<unknown> => {
  switch (work.kind) {
    case "nexmark":
      return runNexmark(work.run);
    case "parseFloor":
      return parseFloor(work.directory);
    case "publish":
      return withNats(work.url, (s) => publishEvents(s.nats, work.files, work.rowsPerMessage));
    case "readFloor":
      return withNats(work.url, (s) => readFloor(s.nats));
  }
};

if (process.argv[1] === ownFile) {
  const outcome = await doWork(JSON.parse(process.argv[2]!) as Work);
  process.stdout.write(`${JSON.stringify(outcome)}\n`);
  // Whatever the work left open does not count.
  process.exit(0);
}
