import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { STRING, field } from "../../../src/core/data-type.ts";
import { ConfigurationError } from "../../../src/core/errors.ts";
import { schemaOf } from "../../../src/core/schema.ts";
import { MESSAGE_SCHEMA, readsMessages, readSourceOptions } from "../../../src/connectors/nats-options.ts";
import { natsSinkFactory } from "../../../src/connectors/nats-sink.ts";
import { nearestName, OptionValues } from "../../../src/connectors/options.ts";
import { proportion } from "../../../src/connectors/proportion.ts";
import { triggerLimits } from "../../../src/connectors/trigger-limits.ts";

test("options are read without case, refused with what they take", () => {
  const o = new OptionValues("x source", { MaxRows: "5", flag: "TRUE", mode: "FAILFAST" }, [
    "maxRows",
    "flag",
    "mode",
    "wait",
  ]);
  assert.equal(o.integer("maxRows", { min: 1 }), 5);
  assert.equal(o.flag("flag", false), true);
  assert.equal(o.choice("mode", ["permissive", "failFast"], "permissive"), "failFast");
  assert.equal(o.duration("wait"), undefined);
  assert.throws(
    () => o.integer("maxRows", { min: 6 }),
    /option "maxRows" of the x source is "5"; it takes an integer of at least 6/,
  );
  assert.throws(() => o.choice("mode", ["failFests"], "failFests"), /did you mean "failFests"/);
  assert.throws(
    () => o.required("wait", "a duration"),
    /option "wait" of the x source is missing; it takes a duration/,
  );
  assert.throws(
    () => new OptionValues("x source", { maxRow: "5" }, ["maxRows"]),
    (e: unknown) =>
      e instanceof ConfigurationError && /did you mean "maxRows"/.test(e.message) && /maxRows/.test(e.hint!),
  );
  assert.throws(
    () =>
      new OptionValues("x source", JSON.parse('{"__proto__":"5"}') as Record<string, string>, ["maxRows"]),
    ConfigurationError,
  );
});

test("durations and suggestions", () => {
  const wait = (text: string) => new OptionValues("x", { wait: text }, ["wait"]).duration("wait");
  assert.equal(wait("1 hour 30 minutes"), 5_400_000);
  assert.throws(() => wait("10 parsecs"), /option "wait" of the x is "10 parsecs"; it takes a duration/);
  assert.equal(nearestName("strem", ["stream", "subject"]), "stream");
  assert.equal(nearestName("zzzzzz", ["stream", "subject"]), undefined);
});

test("limits are shared in proportion and used up", () => {
  assert.deepEqual(proportion([10, 30], 4), [1, 3]);
  assert.deepEqual(proportion([1, 1, 1], 2), [1, 1, 0]);
  assert.deepEqual(proportion([3, 4], 10), [3, 4]);
  fc.assert(
    fc.property(
      fc.array(fc.nat(1000), { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 3000 }),
      (waiting, limit) => {
        const taken = proportion(waiting, limit);
        assert.equal(
          taken.reduce((a, b) => a + b, 0),
          Math.min(
            limit,
            waiting.reduce((a, b) => a + b, 0),
          ),
        );
        taken.forEach((n, i) => assert.ok(n >= 0 && n <= waiting[i]!));
      },
    ),
  );
  assert.deepEqual(triggerLimits({ maxFilesPerTrigger: "3", path: "x" }), {
    maxOffsets: 3,
    minOffsets: undefined,
    maxTriggerDelayMs: 900_000,
  });
  assert.throws(
    () => triggerLimits({ maxOffsetsPerTrigger: "3", minOffsetsPerTrigger: "4" }),
    ConfigurationError,
  );
});

test("options of the nats source", () => {
  const read = (o: Record<string, string>, mode: "batch" | "stream" = "stream") => readSourceOptions(o, mode);
  assert.deepEqual(read({ stream: "A, B_*" }).streams, ["A", "B_*"]);
  assert.deepEqual(
    read({ stream: "A", startingOffsets: '{"A":5,"B":-1}' }).startingOffsets,
    new Map([
      ["A", 5],
      ["B", -1],
    ]),
  );
  assert.throws(() => read({}), /option "stream" of the nats source is missing/);
  assert.throws(() => read({ stream: "MR_x" }), /belongs to Millrace/);
  assert.throws(() => read({ stream: "A", startingOffset: "latest" }), /did you mean "startingOffsets"/);
  assert.throws(() => read({ stream: "A", startingOffsets: "newest" }), /startingOffsets.*"newest"/);
  assert.throws(() => read({ stream: "A", startingOffsets: '{"A":"x"}' }), ConfigurationError);
  assert.throws(() => read({ stream: "A", endingOffsets: "latest" }), /for batch reads/);
  assert.throws(() => read({ stream: "A", startingOffsets: "latest" }, "batch"), ConfigurationError);
  assert.throws(() => read({ stream: "A", encoding: "jason" }), /did you mean "json"/);
});

test("messages as they are: with no schema, or encoding raw", () => {
  assert.equal(readsMessages(MESSAGE_SCHEMA, undefined), true);
  assert.equal(readsMessages(schemaOf([MESSAGE_SCHEMA.fields[2]!]), undefined), true);
  assert.equal(
    readsMessages(schemaOf([field("stream", STRING)]), undefined),
    false,
    "a nullable column of that name is the user's",
  );
  assert.equal(readsMessages(schemaOf([]), undefined), false);
  assert.equal(readsMessages(schemaOf([field("stream", STRING)]), "raw"), true);
  assert.throws(() => readsMessages(schemaOf([field("k", STRING)]), "raw"), ConfigurationError);
});

test("options of the nats sink", () => {
  const schema = schemaOf([field("k", STRING)]);
  const check = (options: Record<string, string>) =>
    natsSinkFactory.validate({ format: "nats", options, partitionBy: [] }, schema, "append");
  check({ subject: "out.{partition}", guarantee: "atleastonce" });
  assert.throws(() => check({}), /option "subject" of the nats sink is missing/);
  for (const subject of ["a..b", "a.*", "a.>", "a b", ".a", "{x}", "mr.s.q"])
    assert.throws(() => check({ subject }), ConfigurationError);
  assert.throws(() => check({ subject: "a", rowsPerMessage: "5" }), /needs encoding "ndjson"/);
  assert.throws(() => check({ subject: "a", guarantee: "exactly" }), /exactlyOnce/);
  const spec = (subject: string, more = {}) => ({
    format: "nats",
    options: { subject, ...more },
    partitionBy: [],
  });
  assert.equal(natsSinkFactory.partitioned(spec("a.{partition}")), true);
  assert.equal(natsSinkFactory.partitioned(spec("a")), false);
  assert.match(natsSinkFactory.describe(spec("a")), /^fence: expected last subject sequence/);
  assert.equal(
    natsSinkFactory.describe(spec("a", { guarantee: "atLeastOnce" })),
    "fence: none (atLeastOnce)",
  );
});
