/**
 * Builds dist/ from src/ and actors/, and links the command line, so that in the checkout `npx millrace` and
 * `import … from "millrace"` find one and the same instance of the library.
 *
 *  I1. dist/ is replaced by rename, whole: between the two renames it is absent for an instant, never half old, half new.
 *  I2. Nothing is built when a program starts: only `npm ci` (prepare), `npm run build` and the make targets build.
 *  I3. With `--if-stale` nothing is done while dist/ is newer than every source.
 *  I4. Every entry point is a file that loads few others: esbuild puts what they share into dist/src/chunks/, one instance of each module. The
 *      compiler writes the types, a file per source. `import.meta.url` of a module is one folder below dist/src/, wherever its source is.
 */
import { buildSync } from "esbuild";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const dist = join(root, "dist");
const stamp = join(dist, ".built");

/** The newest modification time below a path, folders included (a deleted source changes its folder). */
function newest(path) {
  const status = statSync(path);
  if (!status.isDirectory()) return status.mtimeMs;
  return Math.max(status.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}

function isFresh() {
  if (!existsSync(stamp)) return false;
  const sources = [
    "src",
    "actors",
    "tsconfig.json",
    "tsconfig.build.json",
    "package.json",
    "package-lock.json",
  ];
  const built = statSync(stamp).mtimeMs;
  return sources.every((name) => !existsSync(join(root, name)) || newest(join(root, name)) < built);
}

/** A link that is replaced by rename, so that several builds at once leave a whole one. */
function link(target, path) {
  mkdirSync(dirname(path), { recursive: true });
  const fresh = `${path}.${process.pid}`;
  symlinkSync(relative(dirname(path), target), fresh);
  renameSync(fresh, path);
}

function linkCommand() {
  const modules = join(root, "node_modules");
  if (!existsSync(modules) || process.platform === "win32") return;
  link(join(dist, "src/cli/main.js"), join(modules, ".bin/millrace"));
  // An application folder with a package.json of its own is outside the self-reference; it finds this link instead.
  link(root, join(modules, "millrace"));
  prepareNpx();
}

/**
 * `npx` runs a checkout's own command through a link in its cache, which it makes at the first run, running `prepare`
 * as it does so (hence I2). A first run before dist/ exists leaves an entry that fails from then on. So the entry is
 * made here, once, and one that is half made is made anew.
 */
function prepareNpx() {
  const cache = process.env["npm_config_cache"] ?? join(homedir(), ".npm");
  const key = createHash("sha512").update(resolve(root)).digest("hex").slice(0, 16);
  const entry = join(cache, "_npx", key);
  if (existsSync(join(entry, "package.json"))) return;
  rmSync(entry, { recursive: true, force: true });
  spawnSync("npm", ["exec", "--offline", "--", "millrace", "--help"], { cwd: root, stdio: "ignore" });
}

/** Puts `fresh` in the place of dist/. Of two builds that end together the later one wins. */
function replace(fresh, old) {
  for (let attempt = 1; ; attempt++) {
    try {
      if (existsSync(dist)) renameSync(dist, `${old}-${attempt}`);
      renameSync(fresh, dist);
      return;
    } catch (cause) {
      if (attempt === 5) throw cause;
    } finally {
      rmSync(`${old}-${attempt}`, { recursive: true, force: true });
    }
  }
}

/** The programs and the two import paths of the package; the commands of the command line are loaded when they are called. */
const ENTRIES = [
  "src/index.ts",
  "src/testing/index.ts",
  "src/cli/main.ts",
  "src/cli/module-format.ts",
  "src/bench/child-main.ts",
];

function bundle(outdir) {
  buildSync({
    absWorkingDir: root,
    entryPoints: ENTRIES,
    outbase: root,
    outdir,
    chunkNames: "src/chunks/[name]-[hash]",
    bundle: true,
    splitting: true,
    packages: "external",
    format: "esm",
    platform: "node",
    target: "node20",
    sourcemap: true,
    keepNames: true,
    logLevel: "warning",
  });
}

function build() {
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  if (!existsSync(compiler)) {
    console.log("build: typescript is not installed (--omit=dev?), dist/ is left as it is");
    return;
  }
  const started = new Date();
  const fresh = join(root, `.dist-${process.pid}`);
  const old = join(root, `.dist-old-${process.pid}`);
  try {
    const types = ["-p", "tsconfig.build.json", "--emitDeclarationOnly", "--outDir", fresh];
    const result = spawnSync(process.execPath, [compiler, ...types], { cwd: root, stdio: "inherit" });
    if (result.status !== 0) {
      process.exitCode = 1;
      return;
    }
    bundle(fresh);
    chmodSync(join(fresh, "src/cli/main.js"), 0o755);
    // The stamp carries the time of the start: a source saved while the compiler ran counts as newer.
    writeFileSync(join(fresh, ".built"), `${started.toISOString()}\n`);
    utimesSync(join(fresh, ".built"), started, started);
    replace(fresh, old);
    linkCommand();
    console.log(`build: dist/ is ready (${Date.now() - started.getTime()} ms)`);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

if (process.env["npm_command"] === "exec") {
  if (!existsSync(stamp)) {
    console.error("dist/ is not built yet: run make setup");
    process.exitCode = 1;
  }
} else if (process.argv.includes("--if-stale") && isFresh()) {
  linkCommand();
  console.log("build: dist/ is up to date");
} else {
  build();
}
