import type { Command } from "./command.ts";
export const ls: Command = { usage: "ls", flags: [], arity: [0, 1], run: () => Promise.resolve(2) };
