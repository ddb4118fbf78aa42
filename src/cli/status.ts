import type { Command } from "./command.ts";
export const status: Command = { usage: "status", flags: [], arity: [0, 1], run: () => Promise.resolve(2) };
