/**
 * Packs a package folder (this one unless another is named) and reads the result as its users do: publint for the
 * manifest, attw for the types under ESM. Exits 1 when either finds a fault.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = resolve(process.argv[2] ?? root);
const target = mkdtempSync(join(tmpdir(), "millrace-package-"));

function run(command, args, cwd) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (status !== 0) {
    console.error(`${command} ${args.join(" ")}\n${stdout}${stderr}`);
    process.exitCode = 1;
  }
  return status === 0;
}

try {
  // Scripts stay out: dist/ is what the build has left, not what a packing would make.
  if (run("npm", ["pack", "--ignore-scripts", "--silent", "--pack-destination", target], folder)) {
    const archive = join(target, readdirSync(target)[0]);
    const bin = join(root, "node_modules/.bin");
    const publint = run(join(bin, "publint"), ["run", archive, "--strict"], folder);
    const attw = run(join(bin, "attw"), [archive, "--profile", "esm-only"], folder);
    if (publint && attw) console.log("package: publint and attw found nothing");
  }
} finally {
  rmSync(target, { recursive: true, force: true });
}
