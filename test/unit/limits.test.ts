/** The relations between limits that the protocol needs. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { LIMIT_RELATIONS } from "../../src/core/limits.ts";

for (const [relation, holds] of LIMIT_RELATIONS) test(relation, () => assert.ok(holds));
