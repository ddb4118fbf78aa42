/** `make bench`: every benchmark in a small size, a line of JSON each; a line of history for each Nexmark query. */
import { benchMain } from "../../src/bench/main.ts";

process.exit(await benchMain(["all", "--json", ...process.argv.slice(2)]));
