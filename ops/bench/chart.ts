/** A line chart as SVG: named series of points over labelled positions or a logarithmic axis. */
import { document, element, text, title } from "./svg.ts";

export interface Series {
  readonly name: string;
  /** x is an index into `labels`. */
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

export interface Chart {
  readonly title: string;
  readonly yTitle: string;
  readonly labels: readonly string[];
  readonly series: readonly Series[];
  /** Decades on the y axis instead of a linear scale from zero. */
  readonly logarithmic?: boolean;
}

const [WIDTH, HEIGHT] = [820, 420];
const [LEFT, RIGHT, TOP, BOTTOM] = [60, 150, 34, 70];
const COLOURS = [
  "#1b6ca8",
  "#c0392b",
  "#218c5a",
  "#8e44ad",
  "#d68910",
  "#2c3e50",
  "#16a2a2",
  "#a04000",
  "#7f8c8d",
  "#c2185b",
];

/** Steps of 1, 2 or 5 times a power of ten, about five of them. */
const linearTicks = (max: number): readonly number[] => {
  const rough = max / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((k) => k * power).find((s) => s >= rough)!;
  return Array.from({ length: Math.ceil(max / step) + 1 }, (_, i) => Number((i * step).toPrecision(6)));
};

const decades = (min: number, max: number): readonly number[] => {
  const from = Math.floor(Math.log10(min));
  const to = Math.max(from + 1, Math.ceil(Math.log10(max)));
  return Array.from({ length: to - from + 1 }, (_, i) => 10 ** (from + i));
};

const scaleOf = (c: Chart): { readonly ticks: readonly number[]; readonly y: (v: number) => number } => {
  const values = c.series.flatMap((s) => s.points.map((p) => p.y)).filter((v) => v > 0);
  const max = values.length === 0 ? 1 : Math.max(...values);
  const ticks = c.logarithmic === true ? decades(Math.min(max, ...values), max) : linearTicks(max);
  const [low, high] = [ticks[0]!, ticks.at(-1)!];
  const share = (v: number): number =>
    c.logarithmic === true
      ? (Math.log10(Math.max(v, low)) - Math.log10(low)) / (Math.log10(high) - Math.log10(low))
      : v / high;
  return { ticks, y: (v) => HEIGHT - BOTTOM - share(v) * (HEIGHT - TOP - BOTTOM) };
};

export const chartSvg = (c: Chart): string => {
  const { ticks, y } = scaleOf(c);
  const step = (WIDTH - LEFT - RIGHT) / Math.max(1, c.labels.length - 1);
  const x = (i: number): number => LEFT + i * step;
  const out = [text(LEFT, 20, c.title, { "font-size": 14 }), text(6, TOP - 4, c.yTitle, { fill: "#555555" })];
  for (const t of ticks) {
    out.push(element("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: y(t), y2: y(t), stroke: "#dddddd" }));
    out.push(text(LEFT - 6, y(t) + 4, t.toLocaleString("en-US"), { "text-anchor": "end" }));
  }
  for (const [i, label] of c.labels.entries()) {
    const at = HEIGHT - BOTTOM + 14;
    out.push(text(x(i), at, label, { "text-anchor": "end", transform: `rotate(-40 ${x(i)} ${at})` }));
  }
  for (const [k, s] of c.series.entries()) {
    const colour = COLOURS[k % COLOURS.length]!;
    const points = s.points.map((p) => `${x(p.x).toFixed(1)},${y(p.y).toFixed(1)}`).join(" ");
    out.push(element("polyline", { points, fill: "none", stroke: colour, "stroke-width": 1.5 }));
    for (const p of s.points) {
      const label = title(`${s.name}, ${c.labels[p.x] ?? ""}: ${p.y}`);
      out.push(element("circle", { cx: x(p.x), cy: y(p.y), r: 3, fill: colour }, label));
    }
    const at = TOP + 10 + 16 * k;
    out.push(element("rect", { x: WIDTH - RIGHT + 14, y: at - 8, width: 10, height: 10, fill: colour }));
    out.push(text(WIDTH - RIGHT + 30, at + 1, s.name));
  }
  return document(WIDTH, Math.max(HEIGHT, TOP + 30 + 16 * c.series.length), out);
};
