/**
 * Random functions. Q1: a generator lives as long as an epoch (or a batch query) in one partition, and starts from its seed plus the partition's number,
 * as Spark's tasks do. Q2: without a seed it starts from the epoch's clock and the call's place, so that a replayed epoch draws the same numbers
 * again (law 2) and every epoch and every run others.
 */
import { type DataType, DOUBLE, FLOAT, INT, LONG, STRING } from "../../core/data-type.ts";
import { TEXT_CHARS_MAX } from "../../core/limits.ts";
import type { Value } from "../../core/value.ts";
import type { TypedExpr } from "../ast.ts";
import { castTo, isIntegral, isNumeric } from "../coercion.ts";
import { decimalFor } from "../decimal.ts";
import type { BoundCall, CallSite, FunctionDefinition, Resolution, TypeRule } from "../function.ts";
import { MersenneTwister, XorShiftRandom } from "../random.ts";
import { array, signature } from "../rules.ts";
import { analysisError, mismatch, ordinal, unexpectedInput, wrongNumberOfArguments } from "../type-errors.ts";
import { constantOf, custom, failure, family, tooLong } from "./definition.ts";

const math = family("math");

/** What calls draw from in one context, by the expression that draws. */
const generators = new WeakMap<BoundCall["context"], Map<object, unknown>>();

/** Mixes numbers that lie close together into one seed. */
const spread = (...parts: readonly number[]): bigint =>
  parts.reduce((h, x) => BigInt.asIntN(64, (h ^ BigInt(x)) * 0x9e3779b97f4a7c15n), 0n);

/** The generator of a call; its last two arguments are the seed (null: none given) and the place of the call in its text. */
const generatorOf = <G>(args: readonly Value[], call: BoundCall, make: (seed: bigint) => G): G => {
  const { context } = call;
  let known = generators.get(context);
  if (known === undefined) generators.set(context, (known = new Map()));
  const owner = call.owner ?? call;
  let g = known.get(owner) as G | undefined;
  if (g === undefined) {
    const [seed, place] = args.slice(-2);
    const partition = context.partition ?? 0;
    const start =
      place === null
        ? BigInt((seed ?? 0) as number | bigint)
        : spread(context.clockMs, place as number, known.size);
    g = make(start + BigInt(partition));
    known.set(owner, g);
  }
  return g;
};

const literal = (value: Value, type: DataType): TypedExpr => ({
  kind: "literal",
  value,
  type,
  nullable: value === null,
});

const placeOf = (site: CallSite): number =>
  (site.position?.line ?? 0) * 100_003 + (site.position?.column ?? 0);

const unfoldable = (site: CallSite, e: TypedExpr): Error =>
  analysisError(
    "SEED_EXPRESSION_IS_UNFOLDABLE",
    `The seed expression of \`${site.fn}\` must be foldable.`,
    e.position ?? site.position,
  );

const INTEGER_TYPES = `("INT" or "BIGINT")`;

/** The seed argument at `index` and the place, as two literals: [seed, null] or [null, place]. */
const seeded = (args: readonly TypedExpr[], index: number, site: CallSite): readonly TypedExpr[] => {
  const seed = args[index];
  if (seed === undefined) return [literal(null, LONG), literal(placeOf(site), INT)];
  if (!isIntegral(seed.type) && seed.type.kind !== "null")
    throw unexpectedInput(site, args, index, INTEGER_TYPES);
  const value = constantOf(site.fold?.(seed) ?? seed);
  if (value === undefined) throw unfoldable(site, seed);
  return [literal(value, LONG), literal(null, INT)];
};

const drawn =
  (
    least: number,
    most: number,
    resolve: (args: readonly TypedExpr[], site: CallSite) => Resolution,
  ): TypeRule =>
  (args, site) => {
    if (args.length < least || args.length > most) {
      const counts = Array.from({ length: most - least + 1 }, (_, i) => least + i).join(", ");
      throw wrongNumberOfArguments(site, `[${counts}]`, args.length);
    }
    return resolve(args, site);
  };

const doubleRule = drawn(0, 1, (args, site) => ({
  args: seeded(args, 0, site),
  type: DOUBLE,
  nullable: false,
}));

const drawn01 = (args: readonly Value[], call: BoundCall): number =>
  generatorOf(args, call, (seed) => new XorShiftRandom(seed)).double();

/** Arguments that must be constant, with Spark's error where they are not. */
const constantArguments = (
  args: readonly TypedExpr[],
  names: readonly string[],
  site: CallSite,
): readonly TypedExpr[] =>
  args.map((a, i) => {
    const folded = site.fold?.(a) ?? a;
    if (constantOf(folded) !== undefined) return folded;
    throw mismatch(
      "NON_FOLDABLE_INPUT",
      site,
      args,
      `the input \`${names[i]!}\` should be a foldable expression; however, got an expression that depends on the row.`,
    );
  });

const WIDTHS = ["byte", "short", "int", "long"];

/** The type of numbers between two bounds: the wider of them. */
const uniformType = (a: DataType, b: DataType): DataType => {
  if (a.kind === "null" || b.kind === "null") return DOUBLE;
  const kinds = [a.kind, b.kind];
  if (kinds.includes("double")) return DOUBLE;
  if (kinds.includes("float")) return FLOAT;
  if (a.kind === "decimal" || b.kind === "decimal") {
    if (a.kind !== "decimal") return b;
    if (b.kind !== "decimal") return a;
    const [x, y] = [decimalFor(a), decimalFor(b)];
    return y.precision - y.scale > x.precision - x.scale || y.scale > x.scale ? b : a;
  }
  return WIDTHS.indexOf(a.kind) >= WIDTHS.indexOf(b.kind) ? a : b;
};

const call = (fn: string, args: readonly TypedExpr[], nullable: boolean): TypedExpr => ({
  kind: "call",
  fn,
  args,
  type: DOUBLE,
  nullable,
});

/** uniform(min, max, seed) is min + (max - min) * rand(seed), cut to the bounds' type. */
const uniformRule = drawn(2, 3, (raw, site) => {
  raw.slice(0, 2).forEach((a, i) => {
    if (!isNumeric(a.type) && a.type.kind !== "null")
      throw unexpectedInput(site, raw, i, "integer or floating-point");
  });
  const seedType = raw[2]?.type;
  if (seedType !== undefined && !isIntegral(seedType) && seedType.kind !== "null")
    throw unexpectedInput(site, raw, 2, "integer");
  const args = constantArguments(raw, ["min", "max", "seed"], site);
  const type = uniformType(args[0]!.type, args[1]!.type);
  const bounds = args.slice(0, 2).map((a) => castTo(a, DOUBLE));
  const nullable = bounds.some((b) => b.kind === "literal" && b.value === null);
  const random = call("rand", seeded(args, 2, { ...site, fn: "uniform" }), false);
  const span = call("-", [bounds[1]!, bounds[0]!], nullable);
  const sum = call("+", [bounds[0]!, call("*", [span, random], nullable)], nullable);
  const replacement = castTo(sum, type);
  return { args: [], type, nullable: replacement.nullable, replacement };
});

const randstrRule = drawn(1, 2, (raw, site) => {
  const length = raw[0]!.type;
  if (!isNumeric(length) && length.kind !== "null") throw unexpectedInput(site, raw, 0, "INT or SMALLINT");
  const seed = raw[1]?.type;
  if (seed !== undefined && !isIntegral(seed) && seed.kind !== "null")
    throw unexpectedInput(site, raw, 1, `INT or BIGINT (the ${ordinal(1)} one)`);
  const args = constantArguments(raw, ["length", "seed"], site);
  return { args: [castTo(args[0]!, INT), ...seeded(args, 1, site)], type: STRING, nullable: false };
});

const LETTERS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

const randomText = (args: readonly Value[], bound: BoundCall): string => {
  const length = (args[0] ?? 0) as number;
  if (length > TEXT_CHARS_MAX) throw tooLong(length, "randstr");
  if (length < 0)
    throw failure(
      "INVALID_PARAMETER_VALUE.LENGTH",
      `The value of parameter(s) \`length\` in \`randstr\` is invalid: Expects \`length\` greater than or equal to 0, but got ${length}.`,
    );
  const g = generatorOf(args, bound, (seed) => new XorShiftRandom(seed));
  let text = "";
  for (let i = 0; i < length; i++) text += LETTERS[Math.abs(g.int() % LETTERS.length)]!;
  return text;
};

const shuffleRule = drawn(1, 2, (args, site) => {
  const r = signature([array], (a) => a[0]!.type)(args.slice(0, 1), site);
  return { ...r, args: [...r.args, ...seeded(args, 1, site)] };
});

/** From the last to the second, each changes places with one of those before it or itself. */
const shuffled = (args: readonly Value[], bound: BoundCall): Value => {
  const given = args[0] as readonly Value[] | null;
  if (given === null) return null;
  const g = generatorOf(args, bound, (seed) => new MersenneTwister(seed));
  const out = [...given];
  for (let i = out.length - 1; i > 0; i--) {
    const j = g.int(i + 1);
    [out[i], out[j]] = [out[j]!, out[i]!];
  }
  return out;
};

const uuidRule = drawn(0, 1, (args, site) => ({
  args: seeded(args, 0, site),
  type: STRING,
  nullable: false,
}));

const uuidText = (args: readonly Value[], bound: BoundCall): string => {
  const g = generatorOf(args, bound, (seed) => new MersenneTwister(seed));
  const high = (g.long() & 0xffff_ffff_ffff_0fffn) | 0x4000n;
  const low = (g.long() & 0x3fff_ffff_ffff_ffffn) | (1n << 63n);
  const h = high.toString(16).padStart(16, "0") + low.toString(16);
  return `${h.slice(0, 8)}-${h.slice(8, 12)}-${h.slice(12, 16)}-${h.slice(16, 20)}-${h.slice(20)}`;
};

export const RANDOM_FUNCTIONS: readonly FunctionDefinition[] = [
  math(
    "rand([seed])",
    "A number in [0, 1), evenly distributed; each epoch and partition starts from the seed.",
    doubleRule,
    custom<Value[]>(drawn01),
    { aliases: ["random"], deterministic: false, examples: [["rand(0)", "0.7604953758285915"]] },
  ),
  math(
    "randn([seed])",
    "A number of the standard normal distribution.",
    doubleRule,
    custom<Value[]>((args, bound) => generatorOf(args, bound, (seed) => new XorShiftRandom(seed)).gaussian()),
    { deterministic: false, examples: [["randn(0)", "1.6034991609278433"]] },
  ),
  math(
    "uniform(min, max[, seed])",
    "A number between two constant bounds, of the wider of their types.",
    uniformRule,
    custom<Value[]>(() => null),
    { deterministic: false, examples: [["uniform(10, 20, 0)", "17"]] },
  ),
  family("string")(
    "randstr(length[, seed])",
    "Random digits and letters.",
    randstrRule,
    custom<Value[]>(randomText),
    { deterministic: false, examples: [["randstr(3, 0)", "ceV"]] },
  ),
  family("array")(
    "shuffle(array[, seed])",
    "The elements in a random order.",
    shuffleRule,
    custom<Value[]>(shuffled),
    { deterministic: false },
  ),
  family("misc")("uuid([seed])", "A random UUID.", uuidRule, custom<Value[]>(uuidText), {
    deterministic: false,
  }),
];
