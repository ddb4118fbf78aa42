/** The version of this package: read from its package.json, beside src/ or above dist/src/. */
import { readFileSync } from "node:fs";

export const version = (): string => {
  for (const up of ["../../package.json", "../../../package.json"]) {
    try {
      const manifest = JSON.parse(readFileSync(new URL(up, import.meta.url), "utf8")) as Record<
        string,
        unknown
      >;
      if (manifest["name"] === "millrace") return String(manifest["version"]);
    } catch {
      // The next place.
    }
  }
  return "unknown";
};
