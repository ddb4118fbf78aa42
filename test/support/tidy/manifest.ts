/** The rule about dependencies: each is of one exact version and has its reason in ops/adr/0001-dependencies.md. */
import type { Violation } from "./tree.ts";

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** `manifest` is the text of package.json, `reasons` that of the decision record. */
export function looseDependencies(manifest: string, reasons: string): readonly Violation[] {
  const parsed = JSON.parse(manifest) as Manifest;
  const violations: Violation[] = [];
  for (const [name, version] of Object.entries({ ...parsed.dependencies, ...parsed.devDependencies })) {
    const path = "package.json";
    if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)) {
      violations.push({ path, problem: `${name} is wanted as "${version}", not as one version` });
    }
    if (!reasons.includes(`\`${name}\``))
      violations.push({ path, problem: `${name} has no reason in ops/adr/0001` });
  }
  return violations;
}
