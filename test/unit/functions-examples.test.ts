/** Every example in the documentation of a function is executed: SQL text in, printed result out. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { interpret } from "../../src/expr/interpret.ts";
import { functionDefinitions, lookupFunction } from "../../src/expr/registry.ts";
import { columnScope } from "../../src/expr/scope.ts";
import { typeExpr } from "../../src/expr/typing.ts";
import { valueText } from "../../src/expr/value-text.ts";
import { parseExpression } from "../../src/sql/parser.ts";

const printed = (sql: string): string => {
  const e = typeExpr(parseExpression(sql), columnScope([], { timeZone: "UTC" }));
  const v = interpret(e, [], { clockMs: 1_700_000_000_000, timeZone: "UTC" });
  return v === null ? "NULL" : valueText(e.type, "UTC")(v);
};

for (const d of functionDefinitions())
  for (const [sql, result] of d.examples ?? [])
    test(`${d.name}: ${sql}`, () => {
      assert.equal(printed(sql), result);
    });

test("every function has a usage that begins with its name, and a summary", () => {
  for (const d of functionDefinitions()) {
    assert.ok(d.usage.length > 0 && d.summary.length > 0, d.name);
    assert.equal(lookupFunction(d.name), d);
  }
});
