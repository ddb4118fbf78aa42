/** The zone of a session without `timeZone` is that of the environment, for times in SQL text and in plans alike. */
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { ConfigurationError } from "../../src/core/errors.ts";
import { session } from "../../src/index.ts";

afterEach(() => {
  delete process.env["MILLRACE_TIME_ZONE"];
});

const NEW_YORK = "America/New_York";
const text = "SELECT TIMESTAMP '2024-01-01 00:00:00' AS t, CAST('2024-01-01 00:00:00' AS TIMESTAMP) AS u";
const times = async (settings: { readonly timeZone?: string }): Promise<readonly string[]> => {
  const mill = session({ name: "zones", ...settings });
  const [row] = await mill.sql(text).collect();
  const [other] = await mill.range(1).selectExpr(text.replace("SELECT ", "").split(", CAST")[0]!).collect();
  await mill.stop();
  const { t, u } = row as unknown as { readonly t: Date; readonly u: Date };
  return [t, u, (other as unknown as { readonly t: Date }).t].map((d) => d.toISOString());
};

test("the session's own zone", async () => {
  process.env["MILLRACE_TIME_ZONE"] = "Asia/Tokyo";
  assert.deepEqual(await times({ timeZone: NEW_YORK }), Array(3).fill("2024-01-01T05:00:00.000Z"));
});

test("the zone of --time-zone, which is MILLRACE_TIME_ZONE to the program", async () => {
  process.env["MILLRACE_TIME_ZONE"] = NEW_YORK;
  assert.equal(session({ name: "zones" }).timeZone, NEW_YORK);
  assert.deepEqual(await times({}), Array(3).fill("2024-01-01T05:00:00.000Z"));
});

test("UTC when nobody names one; a zone that is none is refused", async () => {
  assert.deepEqual(await times({}), Array(3).fill("2024-01-01T00:00:00.000Z"));
  process.env["MILLRACE_TIME_ZONE"] = "Mars/Olympus";
  assert.throws(() => session({ name: "zones" }), ConfigurationError);
});
