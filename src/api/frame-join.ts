/**
 * Joins as relations. In a condition the columns of each side are qualified by an alias of that side, so that both may have columns of one name.
 */
import { AnalysisError } from "../core/errors.ts";
import type { JoinHow, Relation } from "../plan/relation.ts";
import { functionArgument, relationArgument, textArgument } from "./arguments.ts";
import { namesOf } from "./frame-items.ts";
import { columnsOf, conditionFrom } from "./expression-builder.ts";
import type { FrameCore } from "./frame-core.ts";
import { nearest } from "../expr/suggestion.ts";

const HOW: ReadonlyMap<string, JoinHow> = new Map<string, JoinHow>([
  ["inner", "inner"],
  ["left", "left"],
  ["leftouter", "left"],
  ["right", "right"],
  ["rightouter", "right"],
  ["full", "full"],
  ["outer", "full"],
  ["fullouter", "full"],
  ["semi", "semi"],
  ["leftsemi", "semi"],
  ["anti", "anti"],
  ["leftanti", "anti"],
  ["cross", "cross"],
]);

/** Throws AnalysisError with the nearest name. */
const joinHow = (given: string = "inner"): JoinHow => {
  const how = textArgument("join", "the kind of join as a text", given, 'join(other, "key", "left")');
  const known = HOW.get(how.toLowerCase().replaceAll("_", ""));
  if (known !== undefined) return known;
  throw new AnalysisError(`[UNSUPPORTED_JOIN_TYPE] unsupported join type "${how}"`, {
    errorClass: "UNSUPPORTED_JOIN_TYPE",
    hint: `did you mean "${nearest(how, [...HOW.keys()])[0]}"?`,
  });
};

const coreOf = (frame: unknown): FrameCore => {
  relationArgument("join", frame);
  return frame as FrameCore;
};

export const usingJoin = (
  left: FrameCore,
  other: unknown,
  keys: readonly string[],
  how: string | undefined,
): Relation => {
  if (typeof keys === "function")
    throw new AnalysisError("join takes the names of equal columns", {
      hint: "a condition goes into joinOn(other, (left, right) => …)",
    });
  return {
    kind: "join",
    left: left.relation,
    right: coreOf(other).relation,
    how: joinHow(how),
    using: namesOf("join", keys),
  };
};

const named = (relation: Relation, name: string): Relation & { readonly kind: "alias" } =>
  relation.kind === "alias" && relation.columns === undefined && relation.name !== ""
    ? relation
    : { kind: "alias", child: relation, name };

export const conditionJoin = (
  left: FrameCore,
  other: unknown,
  condition: (l: never, r: never) => unknown,
  how: string | undefined,
): Relation => {
  const right = coreOf(other);
  functionArgument("joinOn", "a function of both sides", condition, "joinOn(other, (l, r) => l.id.eq(r.id))");
  const l = named(left.relation, "left");
  const given = named(right.relation, "right");
  const r =
    given.name.toLowerCase() === l.name.toLowerCase()
      ? ({ kind: "alias", child: given, name: l.name === "right" ? "right2" : "right" } as const)
      : given;
  const built = conditionFrom("joinOn", () =>
    condition(
      columnsOf(() => left.columns, [l.name]),
      columnsOf(() => right.columns, [r.name]),
    ),
  );
  return { kind: "join", left: l, right: r, how: joinHow(how), condition: built };
};
