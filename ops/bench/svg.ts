/** The little of SVG that the plots and flame graphs here need. Numbers are pixels; texts are escaped. */

type Attributes = Readonly<Record<string, string | number>>;

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

/** What XML 1.0 does not allow is left out. */
// eslint-disable-next-line no-control-regex
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

const escaped = (text: string): string =>
  text.replaceAll(FORBIDDEN, "").replace(/[&<>"]/g, (c) => ENTITIES[c]!);

const round = (v: string | number): string =>
  typeof v === "number" ? String(Math.round(v * 100) / 100) : escaped(v);

/** An element; `content` is SVG already. */
export const element = (name: string, attributes: Attributes, content = ""): string => {
  const list = Object.entries(attributes).map(([k, v]) => ` ${k}="${round(v)}"`);
  return content === "" ? `<${name}${list.join("")}/>` : `<${name}${list.join("")}>${content}</${name}>`;
};

export const text = (x: number, y: number, content: string, attributes: Attributes = {}): string =>
  content === "" ? "" : element("text", { x, y, ...attributes }, escaped(content));

/** Shown by browsers where the pointer rests. */
export const title = (content: string): string => element("title", {}, escaped(content));

export const document = (width: number, height: number, content: readonly string[]): string =>
  [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">`,
    element("rect", { width, height, fill: "#ffffff" }),
    ...content,
    "</svg>",
    "",
  ].join("\n");
