import type { Command } from "./command.ts";
export const rescale: Command = { usage: "rescale", flags: [], arity: [0, 1], run: () => Promise.resolve(2) };
