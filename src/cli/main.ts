#!/usr/bin/env node
/** The command line: `millrace <command>`. Exit codes: 0 done, 1 the query failed, 2 usage. */
process.stderr.write("usage: millrace run <app.ts> | ls | status <query> | stop <query> | explain <query>\n");
process.exitCode = 2;
