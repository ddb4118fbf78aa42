/**
 * The reporter of `make test`: a line per file, each failure in full where it happens and once more by name at the end,
 * skipped tests with their reasons, and as its last lines the runner's own counts, as TAP writes them.
 */
import { relative } from "node:path";
import { inspect } from "node:util";

const noun = (count, singular) => `${count} ${singular}${count === 1 ? "" : "s"}`;

/** The part of an error worth reading: what the test threw, not the runner's wrapper around it. */
function explanation(error) {
  const thrown = error?.cause ?? error;
  const text = thrown instanceof Error ? (thrown.stack ?? String(thrown)) : inspect(thrown, { depth: 6 });
  return text.replace(/^/gm, "    ");
}

class Files {
  #files = new Map();

  of(file) {
    const name = file === undefined ? "(no file)" : relative(process.cwd(), file);
    let entry = this.#files.get(name);
    if (entry === undefined) {
      entry = { name, tests: 0, failed: 0, milliseconds: 0 };
      this.#files.set(name, entry);
    }
    return entry;
  }

  *lines() {
    for (const { name, tests, failed, milliseconds } of this.#files.values()) {
      const result = failed > 0 ? "not ok" : "ok";
      yield `${result} ${name} (${noun(tests, "test")}, ${Math.round(milliseconds)} ms)\n`;
    }
  }
}

/** @param {AsyncIterable<{type: string, data: any}>} source */
export default async function* reporter(source) {
  const files = new Files();
  const failures = [];
  const diagnostics = [];
  for await (const { type, data } of source) {
    if (type === "test:pass" || type === "test:fail") {
      const file = files.of(data.file);
      const isSuite = data.details?.type === "suite";
      if (data.nesting === 0) file.milliseconds += data.details?.duration_ms ?? 0;
      if (!isSuite) file.tests++;
      if (type === "test:fail" && data.todo === undefined) {
        file.failed++;
        // A suite that fails because its tests do has been told by them.
        if (data.details?.error?.failureType === "subtestsFailed") continue;
        failures.push(`${file.name}: ${data.name}`);
        yield `not ok ${file.name}: ${data.name}\n${explanation(data.details?.error)}\n`;
      } else if (data.skip !== undefined && data.skip !== false) {
        yield `skipped ${file.name}: ${data.name}: ${data.skip === true ? "no reason given" : data.skip}\n`;
      }
    } else if (type === "test:stdout" || type === "test:stderr") {
      yield data.message;
    } else if (type === "test:diagnostic" && data.nesting === 0) {
      diagnostics.push(data.message);
    }
  }
  yield* files.lines();
  if (failures.length > 0) yield `\n${noun(failures.length, "failure")}:\n`;
  for (const failure of failures) yield `  ${failure}\n`;
  for (const line of diagnostics) yield `# ${line}\n`;
}
