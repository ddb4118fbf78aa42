/**
 * `make demo`: exactly once through kill -9, without a server. A node counts windows over files; in the middle it is killed with SIGKILL and started
 * again on the same directory; then every window is compared with one counted independently.
 */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  announce,
  compare,
  type Event,
  expectedWindows,
  lastEvent,
  makeEvents,
  tableOf,
  type WindowRow,
} from "./events.ts";
import { NodeProcess, waitFor } from "./node-process.ts";

const EVENTS = 60_000;
const FILES = 40;
const KEYS = 5;
const KILL_AFTER_ROWS = 60;
const app = fileURLToPath(new URL("queries.ts", import.meta.url));

const folder = mkdtempSync(join(tmpdir(), "millrace-demo-"));
const [input, output, data] = ["in", "out", "data"].map((n) => join(folder, n)) as [string, string, string];
mkdirSync(input);
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

/** Files appear whole, as a producer does it. */
const writeFile = (name: string, events: readonly Event[]): void => {
  const lines = events.map((e) => JSON.stringify({ ...e, at: new Date(e.at).toISOString() }));
  writeFileSync(join(folder, name), `${lines.join("\n")}\n`);
  renameSync(join(folder, name), join(input, name));
};

/** The rows that the sink has committed: part files that its manifests name. */
const readOutput = (): WindowRow[] => {
  const names = (() => {
    try {
      return readdirSync(output).filter((n) => n.startsWith("part-"));
    } catch {
      return [];
    }
  })();
  return names.sort().flatMap((n) =>
    readFileSync(join(output, n), "utf8")
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as WindowRow),
  );
};

const start = (): NodeProcess =>
  new NodeProcess(["run", app, "--data", data, "--port", "0", "--", input, output]);

const events = makeEvents(EVENTS, KEYS);
const expected = expectedWindows(events);
const perFile = EVENTS / FILES;
for (let i = 0; i < FILES; i++)
  writeFile(`${String(i).padStart(4, "0")}.ndjson`, events.slice(i * perFile, (i + 1) * perFile));
writeFile("last.ndjson", [lastEvent(events)]);
console.log(`${EVENTS} events of ${KEYS} keys in ${FILES} files; counting them in windows of 10 seconds`);

const first = start();
let node = first;
try {
  await waitFor("the first windows", [first], () => readOutput().length >= KILL_AFTER_ROWS);
  await first.end("SIGKILL");
  const before = readOutput().length;
  console.log(`node ${first.pid} killed with SIGKILL after ${before} of ${expected.size} windows`);
  node = start();
  await waitFor("the remaining windows", [node], () => readOutput().length >= expected.size);
  console.log(`node ${node.pid} took over and finished`);
} finally {
  await node.end("SIGTERM");
}

const rows = readOutput();
console.log(`\n${tableOf(rows, 8, KEYS)}\n…\n`);
const good = announce(compare(expected, rows), "one node, killed once with kill -9");
process.exitCode = good ? 0 : 1;
