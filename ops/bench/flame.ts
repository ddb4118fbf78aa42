/**
 * Flame graphs.
 *
 *     npx tsx ops/bench/flame.ts PROFILE.cpuprofile OUT.svg      one profile
 *     make flame ARGS="--queries q0,q5 --events 2000000"         profiles the engine's process and draws ops/bench/plots/flame-QUERY.svg
 *
 * Both print the time by category and the hottest functions.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { flameSvg, frameTree, hottest, type Profile, shares, WORK } from "./flame-graph.ts";

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
const HOTTEST = 12;

const draw = (file: string, out: string, heading: string): void => {
  const root = frameTree(JSON.parse(readFileSync(file, "utf8")) as Profile);
  const parts = shares(root);
  const work = parts.filter(([c]) => WORK.includes(c)).reduce((sum, [, share]) => sum + share, 0);
  writeFileSync(out, flameSvg(root, `${heading}: ${percent(work)} ${WORK.join(", ")}`));
  console.log(`\n${heading} (${(root.total / 1e6).toFixed(2)} s busy) → ${out}`);
  console.log(`${WORK.join(" + ")}: ${percent(work)}`);
  for (const [category, share] of parts) console.log(`  ${percent(share).padStart(7)}  ${category}`);
  console.log("hottest functions:");
  for (const [name, share] of hottest(root, HOTTEST)) console.log(`  ${percent(share).padStart(7)}  ${name}`);
};

const folder = import.meta.dirname;

/** Runs the benchmark from its sources: in dist/ several files are one, and a category is a file's. */
const profileQueries = (queries: string, events: string): void => {
  const profiles = mkdtempSync(join(tmpdir(), "millrace-flame-"));
  const plots = join(folder, "plots");
  mkdirSync(plots, { recursive: true });
  try {
    const bench = join(folder, "../../src/bench/main.ts");
    const flags = ["--queries", queries, "--events", events, "--profile", profiles];
    const args = ["--import", "tsx", bench, "nexmark", ...flags, "--hash", "off", "--floor", "off"];
    const { status } = spawnSync(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
    if (status !== 0) throw new Error(`the benchmark ended with ${status}`);
    for (const query of queries.split(",")) {
      const out = join(plots, `flame-${query}.svg`);
      draw(
        join(profiles, `${query}.cpuprofile`),
        out,
        `${query}, ${Number(events).toLocaleString("en-US")} events`,
      );
    }
  } finally {
    rmSync(profiles, { recursive: true, force: true });
  }
};

const { values, positionals } = parseArgs({
  options: {
    queries: { type: "string", default: "q0,q5" },
    events: { type: "string", default: "2000000" },
  },
  allowPositionals: true,
});
const [profile, out] = positionals;
if (profile === undefined) profileQueries(values.queries, values.events);
else draw(profile, out ?? `${profile}.svg`, basename(profile, ".cpuprofile"));
