/**
 * The HTTP face of a node: `/` a page, `/metrics`, `/healthz`, `/readyz`, `/api/queries…` (DESIGN section 10).
 *
 * Invariants.
 *  F1 what changes a query needs the token; without `--token` a random one that only readers of the node's folder know.
 *  F2 nothing else listens: the address is loopback unless `--host` says otherwise, which needs `--token` (settings).
 */
import { randomBytes, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { ConfigurationError } from "../core/errors.ts";
import { HTTP_BODY_BYTES_MAX } from "../core/limits.ts";
import type { Face, NodeView } from "../node/face.ts";
import { removeAddress, writeAddress } from "./address-file.ts";
import { type Answer, changeQuery, failureAnswer, readQueries, refusal } from "./api.ts";
import { PrometheusMetrics } from "./metrics.ts";
import { PAGE } from "./page.ts";

const listening = async (server: Server, port: number, host: string): Promise<number> => {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const why = cause.code === "EADDRINUSE" ? "it is taken" : cause.message;
      reject(
        new ConfigurationError(`port ${port} on ${host} cannot be used: ${why}`, {
          cause,
          hint: "give another one with --port, or 0 for a free one",
        }),
      );
    });
    server.listen(port, host, resolve);
  });
  return (server.address() as AddressInfo).port;
};

const same = (a: string, b: string): boolean => {
  const [x, y] = [Buffer.from(a), Buffer.from(b)];
  return x.length === y.length && timingSafeEqual(x, y);
};

const tokenOf = (request: IncomingMessage): string => {
  const header = request.headers.authorization ?? "";
  const custom = request.headers["x-millrace-token"];
  return header.startsWith("Bearer ") ? header.slice(7) : typeof custom === "string" ? custom : "";
};

const bodyOf = async (request: IncomingMessage): Promise<unknown> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > HTTP_BODY_BYTES_MAX) throw new ConfigurationError("the request is too large");
    chunks.push(chunk);
  }
  if (bytes === 0) return undefined;
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch {
    throw new ConfigurationError("the request is not JSON");
  }
};

const send = (response: ServerResponse, status: number, type: string, text: string, head: boolean): void => {
  response.writeHead(status, {
    "content-type": type,
    "content-length": Buffer.byteLength(text),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...(type.startsWith("text/html")
      ? { "content-security-policy": "default-src 'self' 'unsafe-inline'; frame-ancestors 'none'" }
      : {}),
  });
  response.end(head ? undefined : text);
};

interface Context {
  readonly node: NodeView;
  readonly metrics: PrometheusMetrics;
  readonly token: string;
}

const JSON_TYPE = "application/json; charset=utf-8";

const answerOf = async (
  c: Context,
  request: IncomingMessage,
  path: readonly string[],
  search: URLSearchParams,
): Promise<Answer> => {
  if (path[0] !== "api" || path[1] !== "queries") return refusal(404, "not found");
  if (request.method === "GET" || request.method === "HEAD")
    return readQueries(c.node, path.slice(2), search);
  if (request.method !== "POST") return refusal(405, `${request.method} is not allowed here`);
  if (!same(tokenOf(request), c.token)) return refusal(401, "this needs the node's token");
  return changeQuery(c.node, path.slice(2), await bodyOf(request));
};

const respond = async (c: Context, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const head = request.method === "HEAD";
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://node");
  const json = (a: Answer): void => send(response, a.status, JSON_TYPE, `${JSON.stringify(a.body)}\n`, head);
  const reads = request.method === "GET" || head;
  if (reads && pathname === "/") return send(response, 200, "text/html; charset=utf-8", PAGE, head);
  if (reads && pathname === "/metrics")
    return send(response, 200, c.metrics.registry.contentType, await c.metrics.text(), head);
  if (reads && pathname === "/healthz") return json({ status: 200, body: { status: "ok" } });
  if (reads && pathname === "/readyz") {
    const ready = c.node.ready();
    return json({
      status: ready ? 200 : 503,
      body: { status: ready ? "ready" : "not ready", nodes: c.node.nodes() },
    });
  }
  json(await answerOf(c, request, pathname.split("/").filter(Boolean).map(decodeURIComponent), searchParams));
};

/** Opens the server of a node. ConfigurationError when the port is taken. */
export const openServer = async (node: NodeView): Promise<Face> => {
  const { host, port = 0, token = randomBytes(24).toString("base64url") } = node.settings;
  const metrics = new PrometheusMetrics();
  const context: Context = { node, metrics, token };
  const server = createServer((request, response) => {
    respond(context, request, response).catch((e: unknown) => {
      const { status, body } = failureAnswer(e);
      if (response.headersSent) response.destroy();
      else send(response, status, JSON_TYPE, `${JSON.stringify(body)}\n`, false);
    });
  });
  const actual = await listening(server, port, host);
  const url = `http://${host.includes(":") ? `[${host}]` : host}:${actual}`;
  await writeAddress(node.directory, { url, token, pid: process.pid });
  node.log("info", `HTTP on ${url}`, { url, port: actual });
  return {
    metrics,
    url,
    async close(): Promise<void> {
      await removeAddress(node.directory);
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
};
