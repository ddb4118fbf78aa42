/** Connections of connectors whose options name servers of their own. */
import type { Clock } from "../core/clock.ts";
import { ConfigurationError } from "../core/errors.ts";
import type { NatsAccess } from "../log/nats-access.ts";

export const openNats = async (url: string, _clock: Clock): Promise<NatsAccess> => {
  throw new ConfigurationError(`option "url" (${url}) is not available yet`);
};
