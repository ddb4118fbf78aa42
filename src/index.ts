/** The public surface of "millrace": everything an application imports, by explicit names. */
export { session, type Session } from "./api/session.ts";
export { schema, t, type ColumnsOf, type TypedSchema } from "./api/schema.ts";
export {
  col,
  lit,
  expr,
  when,
  window,
  session_window,
  window_time,
  asc,
  desc,
} from "./api/column-functions.ts";
export { count, countDistinct, sum, avg, min, max } from "./api/aggregate-functions.ts";
