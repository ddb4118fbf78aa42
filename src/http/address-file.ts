/** `http.json` in a node's folder: where its HTTP server is and what token it takes. By it the command line finds a process that has the data directory. */
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

export interface NodeAddress {
  readonly url: string;
  readonly token: string;
  readonly pid: number;
}

const FILE = "http.json";
/** It holds a token: for the owner only. */
const MODE = 0o600;

export const writeAddress = async (directory: string, address: NodeAddress): Promise<void> => {
  const draft = join(directory, `${FILE}.${address.pid}`);
  await writeFile(draft, `${JSON.stringify(address)}\n`, { mode: MODE });
  await rename(draft, join(directory, FILE));
};

/** Undefined when there is none, or nothing readable. */
export const readAddress = async (directory: string): Promise<NodeAddress | undefined> => {
  try {
    const { url, token, pid } = JSON.parse(
      await readFile(join(directory, FILE), "utf8"),
    ) as Partial<NodeAddress>;
    return url === undefined || token === undefined || pid === undefined ? undefined : { url, token, pid };
  } catch {
    return undefined;
  }
};

export const removeAddress = (directory: string): Promise<void> => rm(join(directory, FILE), { force: true });
