import assert from "node:assert/strict";
import { test } from "node:test";
import { field, INT } from "../../../src/core/data-type.ts";
import { schemaOf } from "../../../src/core/schema.ts";
import { sampleKind, type SampleSpec } from "../../../src/operators/sample.ts";
import { assertSameAnyhow } from "../../support/operator-harness.ts";

const input = schemaOf([field("v", INT)]);
const rows = Array.from({ length: 4000 }, (_, v) => [0, [v]] as const);
const taken = async (spec: SampleSpec): Promise<number[]> => {
  const epochs = [{ rows, watermarkMs: 0 }];
  const [out] = await assertSameAnyhow({ kind: sampleKind, spec, inputs: [input], output: input }, epochs);
  return out!.rows.map((r) => r[0] as number);
};

test("takes about the fraction, the same rows whatever the batches, others for another seed", async () => {
  const some = await taken({ fraction: 0.25, seed: 1 });
  assert.ok(some.length > 850 && some.length < 1150, `${some.length} of 4000`);
  assert.notDeepEqual(some, await taken({ fraction: 0.25, seed: 2 }));
  assert.equal((await taken({ fraction: 1, seed: 1 })).length, 4000);
  assert.equal((await taken({ fraction: 0, seed: 1 })).length, 0);
});
