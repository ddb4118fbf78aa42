/** Assignment of actors to nodes: sticky and balanced. */
import { test } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { actorKey, assign, type Assignment } from "../../src/cluster/assignment.ts";

const actors = (partitions: readonly number[]): { stage: number; partition: number; topology: number }[] =>
  partitions.flatMap((n, stage) =>
    Array.from({ length: n }, (_, partition) => ({ stage, partition, topology: 1 })),
  );
const nodesOf = (n: number): string[] => Array.from({ length: n }, (_, i) => `n${i}`);

test("every actor runs once, and the partitions of a stage are spread evenly", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 }),
      fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 5 }),
      (partitions, sizes) => {
        let previous: Assignment | undefined;
        for (const size of sizes) {
          const nodes = nodesOf(size);
          const wanted = actors(partitions);
          const result = assign(wanted, nodes, previous);
          assert.deepEqual(result.map(([a]) => actorKey(a)).sort(), wanted.map(actorKey).sort());
          for (let stage = 0; stage < partitions.length; stage++) {
            const counts = nodes.map((n) => result.filter(([a, on]) => a.stage === stage && on === n).length);
            assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, `stage ${stage}: ${counts.join()}`);
          }
          previous = { token: 1, nodes, actors: result };
        }
      },
    ),
  );
});

test("nobody moves without need: the same nodes, and a node that leaves", () => {
  const wanted = actors([4, 4]);
  const first = assign(wanted, nodesOf(3), undefined);
  const previous = { token: 1, nodes: nodesOf(3), actors: first };
  assert.deepEqual(assign(wanted, nodesOf(3), previous), first);
  const fewer = assign(wanted, ["n0", "n1"], previous);
  for (const [i, [, node]] of first.entries()) if (node !== "n2") assert.equal(fewer[i]![1], node);
});

test("no nodes, no assignment", () => assert.deepEqual(assign(actors([2]), [], undefined), []));
