/**
 * A V8 CPU profile as a flame graph, and its time by category.
 *
 * C1 Idle time counts nowhere, and neither does the profiler. C2 A frame belongs to the category of its file; native code and functions of no file (`parse`, `read`, a sort) to that of the nearest caller
 * that has one, so that the copy in a decoder is decoding.
 */
import { document, element, text, title } from "./svg.ts";

interface ProfileNode {
  readonly id: number;
  readonly callFrame: {
    readonly functionName: string;
    readonly url: string;
    readonly lineNumber: number;
    readonly scriptId: string;
  };
  readonly children?: readonly number[];
}

export interface Profile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[];
}

export interface Frame {
  readonly name: string;
  readonly category: string;
  /** Microseconds. */
  readonly self: number;
  readonly total: number;
  readonly children: readonly Frame[];
}

/** First match wins. Colours are of the flame graph. */
const CATEGORIES: readonly (readonly [name: string, file: RegExp, colour: string])[] = [
  ["garbage collection", /^\(garbage collector\)$/, "#7f8c8d"],
  ["module loading", /node:internal\/(modules|bootstrap)|node:internal\/process\/esm/, "#c9b8a8"],
  ["decoding", /\/(src\/connectors\/formats|src\/core\/utf8-strings|src\/codec\/.*decod)/, "#e67e22"],
  [
    "reading files",
    /\/src\/connectors\/(file-(reader|source|listing|text|pieces|options)|nats-)|node:(internal\/)?fs/,
    "#f0c27b",
  ],
  [
    "operators",
    /\/(src\/operators|src\/expr|src\/core\/(vector|batch|hash|decimal|datetime)|src\/runtime\/(exchange|partial))/,
    "#2e86c1",
  ],
  ["encoding", /\/(src\/codec|src\/connectors\/.*sink|src\/runtime\/outbox)|\/msgpackr\//, "#27ae60"],
  ["state, LevelDB", /\/src\/state\/|\/(classic-level|abstract-level|level)\//, "#8e44ad"],
  ["log", /\/src\/log\/|\/nats\//, "#16a2a2"],
  [
    "runtime, planning",
    /\/(src\/(runtime|query|cluster|plan|sql|node|bench|api|core)|actors)\/|\/effect\//,
    "#c0392b",
  ],
  ["node", /^node:|^\(program\)$/, "#b0b0b0"],
];
const OTHER = "other";
const COLOURS: Readonly<Record<string, string>> = Object.fromEntries(CATEGORIES.map(([n, , c]) => [n, c]));

/** Work on rows: what should make up most of the time. */
export const WORK: readonly string[] = ["decoding", "operators", "encoding"];

const ownCategory = ({ functionName, url }: ProfileNode["callFrame"]): string | undefined => {
  const place = url === "" ? functionName : url;
  return CATEGORIES.find(([, pattern]) => pattern.test(place))?.[0];
};

/** Native functions have no script; what was generated has one without a file. */
const NATIVE = "0";

const nameOf = ({ functionName, url, lineNumber, scriptId }: ProfileNode["callFrame"]): string => {
  const file = url.replace(/^.*\/(dist|src|actors|node_modules)\//, "$1/").replace(/^dist\//, "");
  const where = file !== "" ? ` ${file}:${lineNumber + 1}` : scriptId === NATIVE ? "" : " (generated)";
  return `${functionName === "" ? "(anonymous)" : functionName}${where}`;
};

const IDLE = "(idle)";

/** The tree of a profile with times; a frame called by the same callers is one. */
export const frameTree = (profile: Profile): Frame => {
  const times = new Map<number, number>();
  for (const [i, id] of profile.samples.entries())
    times.set(id, (times.get(id) ?? 0) + Math.max(0, profile.timeDeltas[i] ?? 0));
  const byId = new Map(profile.nodes.map((n) => [n.id, n]));
  const build = (node: ProfileNode, inherited: string): Frame => {
    const { callFrame } = node;
    // Node's own files count for who called them, unless they load modules or nobody is known.
    const own = ownCategory(callFrame);
    const category = own === undefined || (own === "node" && inherited !== OTHER) ? inherited : own;
    const children = (node.children ?? [])
      .map((id) => byId.get(id)!)
      .filter((n) => n.callFrame.functionName !== IDLE && !n.callFrame.url.startsWith("node:inspector"))
      .map((n) => build(n, category));
    const self = times.get(node.id) ?? 0;
    const total = children.reduce((sum, c) => sum + c.total, self);
    return { name: nameOf(callFrame), category, self, total, children };
  };
  return build(profile.nodes[0]!, OTHER);
};

/** Shares of the busy time by category, the largest first. */
export const shares = (root: Frame): readonly (readonly [category: string, share: number])[] => {
  const times = new Map<string, number>();
  const visit = (f: Frame): void => {
    times.set(f.category, (times.get(f.category) ?? 0) + f.self);
    for (const c of f.children) visit(c);
  };
  visit(root);
  return [...times]
    .filter(([, t]) => t > 0)
    .map(([c, t]) => [c, t / root.total] as const)
    .sort((a, b) => b[1] - a[1]);
};

/** Microseconds of each function by itself, the largest first. */
export const hottest = (root: Frame, count: number): readonly (readonly [name: string, share: number])[] => {
  const times = new Map<string, number>();
  const visit = (f: Frame): void => {
    times.set(f.name, (times.get(f.name) ?? 0) + f.self);
    for (const c of f.children) visit(c);
  };
  visit(root);
  return [...times]
    .map(([n, t]) => [n, t / root.total] as const)
    .sort((a, b) => b[1] - a[1])
    .slice(0, count);
};

const [WIDTH, ROW, TOP] = [1200, 16, 64];
/** Narrower frames are left out, as those below them. */
const WIDTH_MIN = 0.6;
const CHARACTER = 6.2;

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

const depthOf = (f: Frame, root: Frame): number =>
  (f.total / root.total) * WIDTH < WIDTH_MIN
    ? 0
    : 1 + f.children.reduce((deepest, c) => Math.max(deepest, depthOf(c, root)), 0);

/** Callers above, callees below; the width is the time. */
export const flameSvg = (root: Frame, heading: string): string => {
  const out: string[] = [text(8, 18, heading, { "font-size": 14 })];
  let at = 8;
  for (const [category, share] of shares(root)) {
    const label = `${category} ${percent(share)}`;
    out.push(element("rect", { x: at, y: 30, width: 10, height: 10, fill: COLOURS[category] ?? "#dddddd" }));
    out.push(text(at + 14, 39, label));
    at += 30 + label.length * CHARACTER;
  }
  const draw = (f: Frame, x: number, depth: number): void => {
    const width = (f.total / root.total) * WIDTH;
    if (width < WIDTH_MIN) return;
    const y = TOP + depth * ROW;
    const fill = COLOURS[f.category] ?? "#dddddd";
    const hint = title(`${f.name}: ${percent(f.total / root.total)}, itself ${percent(f.self / root.total)}`);
    const room = Math.floor((width - 4) / CHARACTER);
    const label = room < 4 ? "" : f.name.slice(0, room);
    out.push(
      element(
        "g",
        {},
        [
          element("rect", { x, y, width, height: ROW - 1, fill, "fill-opacity": 0.8 }, hint),
          text(x + 2, y + 11, label, { "pointer-events": "none" }),
        ].join(""),
      ),
    );
    let left = x;
    for (const c of [...f.children].sort((a, b) => b.total - a.total)) {
      draw(c, left, depth + 1);
      left += (c.total / root.total) * WIDTH;
    }
  };
  draw(root, 0, 0);
  return document(WIDTH, TOP + depthOf(root, root) * ROW + 10, out);
};
