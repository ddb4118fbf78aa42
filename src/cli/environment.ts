/** Flags as environment: it reaches the program whichever copy of the library it imports, and worker processes. */
import { NODE_FLAGS, variableOf } from "../node/settings.ts";

export const exportFlags = (flags: ReadonlyMap<string, string>): void => {
  for (const { name } of NODE_FLAGS) {
    const value = flags.get(name);
    if (value !== undefined) process.env[variableOf(name)] = value;
  }
};
