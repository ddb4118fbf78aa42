// node millrace.mjs META.json WORKERS < (bench nexmark --json) : our own result as the line that every peer prints.
// Fails when the events of both data sets differ (they come from two generators).
import { readFileSync } from "node:fs";

const [, , metaFile, workers] = process.argv;
const { settings, rows } = JSON.parse(readFileSync(0, "utf8"));
const meta = JSON.parse(readFileSync(metaFile, "utf8"));
if (settings.crc32 !== meta.crc32)
  throw new Error(`our events have the CRC-32 ${settings.crc32}, the peers' ${meta.crc32}`);
const { version } = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8"));
const [row] = rows;
console.log(
  JSON.stringify({
    peer: workers === "1" ? "millrace" : `millrace-${workers}`,
    version,
    query: row.query,
    events: settings.data.events,
    seconds: row.seconds,
    eventsPerSecond: row.eventsPerSecond,
    cpuSeconds: row.cpuSeconds,
    peakRssMb: row.peakRssMb,
    rowsOut: row.rowsOut,
    config: {
      processes: Number(workers),
      partitions: settings.partitions,
      durable: settings.durable,
      warm: false,
      gcShare: row.gcShare,
      epochs: row.epochs,
    },
  }),
);
