import type { Command } from "./command.ts";
export const explain: Command = { usage: "explain", flags: [], arity: [0, 1], run: () => Promise.resolve(2) };
