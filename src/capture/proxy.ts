/**
 * The recording proxy as a web application: calls of OpenAI's APIs are recorded and passed on, everything else below
 * `/v1` is passed on; outcomes are taken, and runs are sealed on demand.
 */
import { setImmediate } from "node:timers/promises";
import type { HttpBindings } from "@hono/node-server";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { hasCanonicalForm } from "../foundation/canonical-json.ts";
import { Failure, Refusal, refusalSentence } from "../foundation/errors.ts";
import { type CallPlace, readPlace } from "./call-place.ts";
import { objectOf } from "./event-stream.ts";
import { readOutcome } from "./outcome.ts";
import type { Recorder } from "./recorder.ts";
import { NO_FORM, passOn, type Relayed, relay, type Upstream } from "./relay.ts";
import { API_PATHS, WIRES } from "./wire/index.ts";

type Served = { Bindings: HttpBindings };

const MOST_BODY_BYTES = 64 << 20;

export interface ProxyParts {
  upstream: Upstream;
  recorder: Recorder;
  onBug(error: unknown): void;
}

/** Builds the application; nothing listens yet. */
export function createProxy(parts: ProxyParts): Hono<Served> {
  const app = new Hono<Served>();
  app.onError((error, c) => {
    const status = statusOf(error);
    if (status === 500) parts.onBug(error);
    const message = error instanceof Refusal ? refusalSentence(error) : error.message;
    return c.json({ error: { message, type: "tracemill_record", code: codeOf(error) } }, status);
  });
  const limited = bodyLimit({
    maxSize: MOST_BODY_BYTES,
    onError: () => {
      throw new Refusal({ code: "BODY_TOO_LARGE", message: `A call may have ${MOST_BODY_BYTES} bytes.` });
    },
  });
  // Looking into a body makes a stream of it: one that says a length which is allowed has no more than that.
  app.use((c, next) => (Number(c.req.header("content-length")) <= MOST_BODY_BYTES ? next() : limited(c, next)));
  app.all("*", async (c) => {
    const { place, rest } = readPlace(c.req.path, c.req.raw.headers);
    if (rest === "/healthz") return c.json({ status: "ok" });
    if (c.req.method === "POST" && rest === "/outcome") return outcome(c, parts, place);
    if (c.req.method === "POST" && rest === "/finish") return c.json(await parts.recorder.finish(place.run));
    if (!rest.startsWith("/v1/")) throw new Refusal({ code: "NO_SUCH_PATH", message: `There is nothing at ${rest}.` });
    return call(c, parts, { place, rest });
  });
  return app;
}

async function call(
  c: Context<Served>,
  parts: ProxyParts,
  { place, rest }: { place: CallPlace; rest: string },
): Promise<Response> {
  const hasBody = c.req.method !== "GET" && c.req.method !== "HEAD";
  const relayed: Relayed = {
    path: rest.slice("/v1".length) + new URL(c.req.url).search,
    method: c.req.method,
    headers: c.env.incoming.rawHeaders,
    body: hasBody ? Buffer.from(await c.req.arrayBuffer()) : null,
    signal: c.req.raw.signal,
    async breakOff() {
      await setImmediate(); // what was passed on before goes out first
      c.env.outgoing.destroy();
    },
  };
  const api = c.req.method === "POST" ? API_PATHS[plainPath(rest)] : undefined;
  if (api === undefined || relayed.body === null) return passOn(parts.upstream, relayed);
  const body = objectOf(relayed.body.toString("utf8"));
  const sent = body === null ? null : WIRES[api].readCall(body);
  if (sent === null || !hasCanonicalForm(sent)) {
    const reason = sent === null ? "that cannot be read" : `that ${NO_FORM}`;
    await parts.recorder.fail(place, { code: "UNREADABLE_CALL", message: `a call of ${rest} ${reason}` });
    return passOn(parts.upstream, relayed);
  }
  return relay(parts, relayed, await parts.recorder.begin(place, sent));
}

/** A base URL may end with a slash, and a server answer all the same. */
function plainPath(path: string): string {
  return path.replaceAll(/\/{2,}/g, "/").replace(/\/$/, "");
}

async function outcome(c: Context<Served>, { recorder }: ProxyParts, inPath: CallPlace): Promise<Response> {
  const { place, verdict } = readOutcome(objectOf(await c.req.text()), inPath);
  return c.json({ attempt: await recorder.judge(place, verdict) });
}

const STATUS: Record<string, ContentfulStatusCode> = {
  NO_SUCH_PATH: 404,
  UNKNOWN_ATTEMPT: 404,
  NOT_RECORDING: 404,
  RUN_SEALED: 409,
  RUN_FINISHED: 409,
  NOT_RECORDED: 409,
  OTHER_SKILL: 409,
  CALLS_OPEN: 409,
  LOCKED: 409,
  BODY_TOO_LARGE: 413,
  DISK_FULL: 507,
  LOG_NOT_WRITTEN: 507,
};

function statusOf(error: Error): ContentfulStatusCode {
  if (error instanceof Refusal) return STATUS[error.code] ?? 400;
  if (error instanceof Failure && error.boundary === "endpoint") return error.code === "TIMEOUT" ? 504 : 502;
  if (error instanceof Failure && error.code === "INTERRUPTED") return 503; // whoever started the proxy ends it
  return 500;
}

function codeOf(error: Error): string {
  return error instanceof Refusal || error instanceof Failure ? error.code : "INTERNAL";
}
