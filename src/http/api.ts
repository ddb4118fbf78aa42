/** The JSON of `/api/queries…`: what is asked, as values; the server writes them. */
import { MillraceError } from "../core/errors.ts";
import { PARTITIONS_MAX } from "../core/limits.ts";
import type { NodeView, ShownQuery } from "../node/face.ts";
import { keyFromText, plainJson } from "../core/plain-json.ts";

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

const found = (body: unknown): Answer => ({ status: 200, body });
export const refusal = (status: number, message: string): Answer => ({ status, body: { error: message } });

const summary = ({ session, query }: ShownQuery): Record<string, unknown> => {
  const { exception } = query;
  return {
    id: query.id,
    runId: query.runId,
    name: query.name,
    session,
    isActive: query.isActive,
    status: query.status,
    ...(exception === undefined
      ? {}
      : {
          exception: { name: exception.name, message: exception.message, errorClass: exception.errorClass },
        }),
    lastProgress: query.lastProgress ?? null,
  };
};

/** By id, by name, or by `session.name`. */
const lookUp = (node: NodeView, key: string): ShownQuery | undefined =>
  node
    .queries()
    .find(({ session, query }) => [query.id, query.name, `${session}.${query.name}`].includes(key));

/** `state`: the operators with state by key; `state/:operator?key=JSON`: what one has for a key. */
const readState = async (
  { query }: ShownQuery,
  operator: string | undefined,
  search: URLSearchParams,
): Promise<Answer> => {
  if (operator === undefined) return found(query.inspection.stateOperators());
  const key = search.get("key");
  if (key === null) return refusal(400, 'give the key as JSON: ?key="a" or ?key=[1,"b"]');
  const { state, ...where } = await query.inspection.state(operator, keyFromText(key));
  return found({
    ...where,
    found: state !== undefined,
    state: state === undefined ? null : plainJson(state),
  });
};

/** GET below `/api/queries`. */
export const readQueries = async (
  node: NodeView,
  path: readonly string[],
  search: URLSearchParams,
): Promise<Answer> => {
  const [key, part, name] = path;
  if (key === undefined) return found(node.queries().map(summary));
  const shown = lookUp(node, key);
  if (shown === undefined) return refusal(404, `this node runs no query ${key}`);
  switch (part) {
    case undefined:
      return found(summary(shown));
    case "progress":
      return found(shown.query.recentProgress);
    case "plan":
      return found({ plan: shown.query.explain("extended") });
    case "state":
      return readState(shown, name, search);
    case "dlq":
      return found(plainJson(await shown.query.inspection.deadLetters()));
    default:
      return refusal(404, `a query has progress, plan, state and dlq, no ${part}`);
  }
};

/** POST `/api/queries/:id/stop`, `/rescale` with `{"partitions": N}`, and `/dlq`, which forgets dead letters `{"through": position}`. */
export const changeQuery = async (
  node: NodeView,
  path: readonly string[],
  body: unknown,
): Promise<Answer> => {
  const [key = "", action] = path;
  const shown = lookUp(node, key);
  if (shown === undefined) return refusal(404, `this node runs no query ${key}`);
  const { query } = shown;
  if (action === "stop") {
    await query.stop();
    return found(summary(shown));
  }
  if (action === "dlq") {
    const through = (body as { through?: unknown } | undefined)?.through;
    if (through !== undefined && !Number.isSafeInteger(through))
      return refusal(400, "through must be the position of a letter");
    return found({ cleared: await query.inspection.clearDeadLetters(through as number | undefined) });
  }
  if (action !== "rescale") return refusal(404, `a query takes stop, rescale and dlq, no ${action}`);
  const partitions = (body as { partitions?: unknown } | undefined)?.partitions;
  if (
    !Number.isSafeInteger(partitions) ||
    (partitions as number) < 1 ||
    (partitions as number) > PARTITIONS_MAX
  )
    return refusal(400, `partitions must be a whole number from 1 to ${PARTITIONS_MAX}`);
  await query.rescale(partitions as number);
  return found({ name: query.name, partitions });
};

/** An error of the engine as an answer; others are the server's to report. */
export const failureAnswer = (e: unknown): Answer =>
  e instanceof MillraceError
    ? refusal(409, e.hint === undefined ? e.message : `${e.message}: ${e.hint}`)
    : refusal(500, e instanceof Error ? e.message : String(e));
