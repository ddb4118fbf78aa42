/** Connections of connectors whose options name servers of their own. The client library is loaded when one does. */
import type { Clock } from "../core/clock.ts";
import type { NatsAccess } from "../log/nats-access.ts";

export const openNats = async (url: string, clock: Clock): Promise<NatsAccess> => {
  const jetstream = await import("../log/jetstream/access.ts");
  return jetstream.openNats({ servers: url, clock });
};
