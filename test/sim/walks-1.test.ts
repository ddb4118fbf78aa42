/** Random walks, half 1 of 2 (PROTOCOL section 5, 12). */
import { testWalks } from "./walks.ts";

testWalks(0);
