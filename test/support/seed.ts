/**
 * One seed for a build: property tests take MILLRACE_SEED too when it is given, as the fuzzers and the simulation do. `make ci` derives it from the
 * commit, so that a build can be repeated exactly and every commit tries other cases.
 */
import fc from "fast-check";

const given = process.env["MILLRACE_SEED"];
if (given !== undefined && given !== "")
  fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(given) | 0 });
