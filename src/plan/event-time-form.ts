/** How an attribute holds event time: the timestamp itself, or a window of it. */
import type { Attribute } from "../expr/ast.ts";
import type { EventTimeForm } from "../operators/watermark-time.ts";

export const formOf = (a: Attribute): EventTimeForm => (a.type.kind === "struct" ? "window" : "column");
