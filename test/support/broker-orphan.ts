/** Run by test/unit/broker.test.ts: starts a server, says which, and waits for its own end. */
import { startBroker } from "./broker.ts";

const broker = await startBroker();
process.stdout.write(`server ${String(broker.pid)} in ${broker.dir} ready\n`);
setInterval(() => undefined, 60_000);
