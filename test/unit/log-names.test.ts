import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigurationError } from "../../src/core/errors.ts";
import * as names from "../../src/log/names.ts";

test("names of a query's logs, streams and subjects", () => {
  const mail = names.mailboxLog("app", "counts", 2, 1, 7);
  assert.equal(mail, "app.counts.mail.2.1.7");
  assert.equal(names.streamOfLog(mail), "MR_app_counts_mail_2_1_7");
  assert.equal(names.subjectOfLog(mail), "mr.app.counts.mail.2.1.7");
  assert.equal(names.logOfSubject("mr.app.counts.plan"), names.planLog("app", "counts"));
  assert.equal(names.logOfSubject("orders.new"), undefined);
  for (const log of [names.planLog, names.commitLog, names.assignmentLog])
    assert.ok(log("app", "counts").startsWith(names.queryPrefix("app", "counts")));
  assert.ok(names.snapshotLog("app", "counts", 1, 1, 0).startsWith("app.counts.snap."));
});

test("bus subjects never fall into a log's subject", () => {
  const subject = names.busSubject("app", "counts", "wake");
  assert.ok(subject.startsWith("mr.app."));
  assert.throws(() => names.subjectOfLog(subject.slice("mr.".length)), ConfigurationError);
});

test("bad names are refused with a good one", () => {
  for (const [bad, good] of [
    ["my query", "my-query"],
    ["a.b", "a-b"],
    ["über>*", "u-ber"],
    ["-x", "x"],
    ["x".repeat(80), "x".repeat(64)],
  ] as const)
    assert.throws(
      () => names.nameToken("query", bad),
      (e: unknown) => {
        assert.ok(e instanceof ConfigurationError);
        assert.ok(e.message.includes(JSON.stringify(bad)));
        assert.equal(e.hint, `for example ${JSON.stringify(good)}`);
        assert.equal(names.nameToken("query", good), good);
        return true;
      },
    );
  assert.throws(() => names.nameToken("session", ""), /session name ""/);
});
