/** The public surface of "millrace/testing": an application's session over a cluster in this process, under virtual time. */
export {
  testApplication,
  type TestApplication,
  type TestApplicationOptions,
  type Victim,
} from "./test-application.ts";
export { type Expectation, type TestQuery } from "./test-query.ts";
