/** Writes the generated pages of docs/: `npx tsx ops/docs/main.ts`. */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { renderErrors } from "./errors.ts";
import { renderFunctions } from "./functions.ts";

const docs = fileURLToPath(new URL("../../docs/", import.meta.url));
writeFileSync(`${docs}functions.md`, renderFunctions());
writeFileSync(`${docs}errors.md`, renderErrors());
