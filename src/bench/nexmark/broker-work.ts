/** What a child does with the broker: fill the stream of events, and read it bare. */
import { JetStreamStore } from "../../log/jetstream/store.ts";
import { SYSTEM_CLOCK } from "../../query/system-clock.ts";
import type { Measured } from "../measure.ts";
import type { NexmarkFiles } from "./data.ts";
import { publishEvents, readFloor } from "./input.ts";

const withNats = async <A>(url: string, use: (store: JetStreamStore) => Promise<A>): Promise<A> => {
  const store = await JetStreamStore.open({ servers: url, clock: SYSTEM_CLOCK });
  try {
    return await use(store);
  } finally {
    await store.close();
  }
};

export const publishWork = (p: {
  readonly url: string;
  readonly files: NexmarkFiles;
  readonly rowsPerMessage: number;
}): Promise<number> => withNats(p.url, (s) => publishEvents(s.nats, p.files, p.rowsPerMessage));

export const readFloorWork = (p: {
  readonly url: string;
}): Promise<Measured & { readonly messages: number }> => withNats(p.url, (s) => readFloor(s.nats));
