import type { Command } from "./command.ts";
export const stop: Command = { usage: "stop", flags: [], arity: [0, 1], run: () => Promise.resolve(2) };
