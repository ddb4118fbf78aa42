/** `make bench`: every benchmark in a small size, JSON a line. */
import { benchMain } from "../../src/bench/main.ts";

process.exit(await benchMain(["all", "--json"]));
