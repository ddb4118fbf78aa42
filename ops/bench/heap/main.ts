/** `npx tsx ops/bench/heap/main.ts [--full]`: memory over event time, in a process of its own. Ends with 1 when it grew by more than a fifth. */
import { printReport } from "../../../src/bench/report.ts";
import { measureHeap } from "./heap.ts";

const full = process.argv.includes("--full");
const settings = full
  ? { minutes: 10, rate: 100_000, keys: 1_000_000 }
  : { minutes: 1, rate: 20_000, keys: 100_000 };
const row = await measureHeap(settings);
printReport({ bench: "heap", settings, rows: [row] }, true, (text) => void process.stdout.write(`${text}\n`));
process.exit(row["passed"] === true ? 0 : 1);
