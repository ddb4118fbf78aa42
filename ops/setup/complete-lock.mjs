/**
 * Completes package-lock.json with the optional packages of other platforms.
 *
 * npm leaves an optional package out of the lock when the registry it asked does not serve that version, and `npm ci`
 * then refuses the lock everywhere ("Missing: NAME@ from lock file"). An entry with the version its parent names and its
 * platform is all `npm ci` needs to skip it where it does not apply. Run after each `npm install`; `--check` changes
 * nothing and exits 1 when an entry is missing.
 */
import { readFileSync, writeFileSync } from "node:fs";

const systems = [
  "android",
  "darwin",
  "freebsd",
  "linux",
  "netbsd",
  "openbsd",
  "openharmony",
  "sunos",
  "aix",
  "win32",
];
const processors = [
  "arm64",
  "arm",
  "ia32",
  "loong64",
  "mips64el",
  "ppc64",
  "riscv64",
  "s390x",
  "wasm32",
  "x64",
];

/** The os, cpu and libc fields that a platform package's name tells: "@oxlint/binding-linux-x64-musl". */
function platform(name) {
  const words = name.split(/[^a-z0-9]+/);
  const fields = {};
  const os =
    systems.find((each) => words.includes(each)) ?? (words.includes("windows") ? "win32" : undefined);
  const cpu = processors.find((each) => words.includes(each));
  if (os !== undefined) fields.os = [os];
  if (cpu !== undefined) fields.cpu = [cpu];
  if (words.includes("musl") || words.includes("musleabihf")) fields.libc = ["musl"];
  if (words.includes("gnu") || words.includes("gnueabihf")) fields.libc = ["glibc"];
  return fields;
}

const file = new URL("../../package-lock.json", import.meta.url);
const lock = JSON.parse(readFileSync(file, "utf8"));
const missing = [];
for (const [path, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const hoisted = `node_modules/${name}`;
    if (lock.packages[hoisted] !== undefined || lock.packages[`${path}/${hoisted}`] !== undefined) continue;
    if (!/^\d+\.\d+\.\d+/.test(version)) continue;
    missing.push(name);
    lock.packages[hoisted] = { version, optional: true, ...platform(name) };
    if (entry.dev === true) lock.packages[hoisted].dev = true;
  }
}
const sorted = Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1));
lock.packages = Object.fromEntries(sorted);
if (process.argv.includes("--check")) {
  if (missing.length > 0) console.error(`package-lock.json lacks ${missing.join(", ")}`);
  process.exitCode = missing.length > 0 ? 1 : 0;
} else {
  writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
  console.log(`package-lock.json: ${missing.length} optional package(s) of other platforms added`);
}
