/** Arguments of the command line. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { flagLines, parseArguments } from "../../src/cli/arguments.ts";
import { ConfigurationError } from "../../src/core/errors.ts";

const specs = [
  { name: "data", value: "DIR", help: "directory" },
  { name: "json", help: "JSON" },
];

const parsed = (...args: string[]) => {
  const { positional, flags, rest } = parseArguments(args, specs);
  return { positional, flags: Object.fromEntries(flags), rest };
};

test("flags, switches, positional arguments and what stands behind --", () => {
  assert.deepEqual(parsed("a", "--data", "d", "b", "--json", "--", "--data", "x"), {
    positional: ["a", "b"],
    flags: { data: "d", json: "true" },
    rest: ["--data", "x"],
  });
  assert.deepEqual(parsed("--data=a=b").flags, { data: "a=b" });
  assert.deepEqual(parsed("-").positional, ["-"]);
});

const refused: readonly (readonly [readonly string[], RegExp])[] = [
  [["--dta", "d"], /unknown flag --dta/],
  [["-d", "d"], /unknown flag -d/],
  [["--data"], /--data needs a value: --data DIR/],
  [["--data", "--json"], /--data needs a value/],
  [["--data="], /--data needs a value/],
  [["--json=1"], /--json takes no value/],
  [["--data", "a", "--data", "b"], /--data is given twice/],
  [["--constructor", "a"], /unknown flag --constructor/],
];
for (const [args, message] of refused)
  test(`${args.join(" ")} is refused`, () => {
    assert.throws(
      () => parsed(...args),
      (e) => e instanceof ConfigurationError && message.test(e.message),
    );
  });

test("an unknown flag is answered with the nearest", () => {
  assert.throws(
    () => parsed("--dta", "d"),
    (e) => e instanceof ConfigurationError && e.hint === "did you mean --data?",
  );
});

test("usage lines are aligned", () => {
  assert.equal(flagLines(specs), "  --data DIR  directory\n  --json      JSON");
});
