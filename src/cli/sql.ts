import type { Command } from "./command.ts";
export const sql: Command = { usage: "sql", flags: [], arity: [0, 1], run: () => Promise.resolve(2) };
