/**
 * What stands before a server that answers by itself: one address, whether that server runs, is started anew or is paused; and
 * names that come to mean another model, which are put into the server's own before a request is passed on. Bodies and
 * answers pass as they are. Only paths that ask for answers are passed on, so that nobody loads adapters by this address.
 */
import { type IncomingMessage, request as requestOf } from "node:http";
import { Readable } from "node:stream";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { z } from "zod";
import { Failure } from "../foundation/errors.ts";
import { jsonValue } from "../foundation/json-value.ts";
import { answerError } from "./answer-error.ts";
import { refuseBody, refusePath } from "./api-error.ts";
import { type Company, createCompany } from "./company.ts";
import { type Model, modelCard } from "./model-card.ts";
import type { ServedNames } from "./served-names.ts";
import type { ModelServer } from "./target.ts";

const MOST_BODY_BYTES = 64_000_000;
const LOOK_TIMEOUT_MS = 10_000;

const ASKING = ["/v1/chat/completions", "/v1/completions", "/v1/responses", "/tokenize", "/detokenize"];
const LOOKING = ["/health", "/metrics", "/version"];
/** What belongs to one connection, not to the message; and lengths, which change with the model's name. */
const OWN_HEADERS = new Set(
  "connection keep-alive proxy-connection transfer-encoding upgrade te trailer host content-length expect".split(" "),
);

/** Of a model, what the server behind calls it. */
export interface FrontedModel extends Model {
  upstream: string;
}

export interface FrontParts {
  names: ServedNames<FrontedModel>;
  /** The model that is meant where a request names none. */
  baseId: string;
  /** Finds the server and counts the request until `leave`. Throws: `SERVER_PAUSED`. */
  enter(): { server: ModelServer; leave(): void };
  /** Aborted when the front closes: running answers end. */
  closing: AbortSignal;
  onBug(error: unknown): void;
}

const cardsSchema = z.looseObject({ data: z.array(z.looseObject({ id: z.string() })) });

/** Builds the application; nothing listens yet. */
export function createFront(parts: FrontParts): Hono {
  const { names } = parts;
  const app = new Hono();
  app.onError((error, c) => answerError(error, c, parts));
  app.notFound(({ req }) => refusePath(req));
  app.use(bodyLimit({ maxSize: MOST_BODY_BYTES, onError: () => refuseBody(MOST_BODY_BYTES) }));
  app.get("/healthz", (c) => c.json({ status: "ok" }));
  app.get("/v1/models", async (c) => {
    const told = await cardsOf(parts);
    const card = (model: FrontedModel, id: string) => {
      const own = told.get(model.upstream);
      return own === undefined ? [] : [modelCard({ ...model, id }, own)];
    };
    const list = [
      ...names.models().flatMap((model) => card(model, model.id)),
      ...names.others().flatMap(({ name, model }) => card(model, name)),
    ];
    return c.json({ object: "list", data: list });
  });
  const asking = { ...parts, company: createCompany() };
  for (const path of LOOKING) app.get(path, (c) => passOn(c, asking, { body: null, leaveModel: () => {} }));
  for (const path of ASKING) app.post(path, (c) => ask(c, asking));
  return app;
}

type Asking = FrontParts & { company: Company };

async function ask(c: Context, parts: Asking): Promise<Response> {
  const text = await c.req.text();
  const body = objectOf(text);
  const named = typeof body?.model === "string" ? body.model : parts.baseId;
  const { model, leave: leaveModel } = parts.names.enter(named);
  // What says the server's own name already goes on to the byte: numbers of a body that is written anew may lose digits.
  const sent =
    body === null || body.model === model.upstream ? text : JSON.stringify({ ...body, model: model.upstream });
  return passOn(c, parts, { body: sent, leaveModel, isScored: body !== null && isScored(body) });
}

/** Whether the tokens of the prompt are scored, as vLLM reads it: it takes `"true"` for true. */
function isScored({ echo = false, logprobs = null, prompt_logprobs = null }: Record<string, unknown>): boolean {
  return prompt_logprobs !== null || (echo !== false && echo !== null && logprobs !== null);
}

async function passOn(
  c: Context,
  parts: Asking,
  { body, leaveModel, isScored }: { body: string | null; leaveModel(): void; isScored?: boolean },
): Promise<Response> {
  let leave = leaveModel;
  try {
    const { server, leave: leaveServer } = parts.enter();
    leave = () => {
      leaveModel();
      leaveServer();
    };
    const signal = AbortSignal.any([c.req.raw.signal, parts.closing]);
    if (server.scoresAlone && isScored !== undefined) {
      const leaveCompany = await parts.company.enter(isScored, signal);
      const leaveBoth = leave;
      leave = () => {
        leaveCompany();
        leaveBoth();
      };
    }
    const answer = await answered(c, server, { body, signal });
    answer.once("close", leave); // at its end, and where it broke off
    const headers = new Headers(headersOf(answer.headers as Record<string, string | string[] | undefined>));
    return new Response(Readable.toWeb(answer) as ReadableStream, {
      status: (answer.statusCode ?? 502) as ContentfulStatusCode,
      headers,
    });
  } catch (error) {
    leave();
    throw error;
  }
}

/** By Node's own client, which waits for an answer as long as it takes. */
function answered(
  c: Context,
  server: ModelServer,
  { body, signal }: { body: string | null; signal: AbortSignal },
): Promise<IncomingMessage> {
  const { pathname, search } = new URL(c.req.url);
  const headers = Object.fromEntries(headersOf(Object.fromEntries(c.req.raw.headers)));
  return new Promise((resolve, reject) => {
    const asked = requestOf(`${server.origin}${pathname}${search}`, { method: c.req.method, headers, signal });
    asked.once("response", resolve);
    asked.once("error", (cause) => reject(unreachable(server, cause)));
    asked.end(body ?? undefined);
  });
}

/** What the server says of each of its models now. */
async function cardsOf(parts: FrontParts): Promise<Map<string, object>> {
  const { server, leave } = parts.enter();
  try {
    const response = await fetch(`${server.origin}/v1/models`, { signal: AbortSignal.timeout(LOOK_TIMEOUT_MS) });
    const { data } = cardsSchema.parse(await response.json());
    return new Map(data.map((card) => [card.id, card]));
  } catch (cause) {
    throw unreachable(server, cause as Error);
  } finally {
    leave();
  }
}

function unreachable(server: ModelServer, cause: Error): Failure {
  const why = server.ended();
  if (why !== null) return new Failure({ boundary: "endpoint", code: "SERVER_DIED", message: why, cause });
  const message = `${server.origin}: ${cause.message}`;
  return new Failure({ boundary: "endpoint", code: "ENDPOINT_UNREACHABLE", message, cause });
}

function headersOf(headers: Record<string, string | string[] | undefined>): [string, string][] {
  return Object.entries(headers).flatMap(([name, value]) =>
    value === undefined || OWN_HEADERS.has(name) ? [] : [value].flat().map((one): [string, string] => [name, one]),
  );
}

/** Null where it is no JSON object: the server refuses it. */
function objectOf(text: string): Record<string, unknown> | null {
  const read = jsonValue(text);
  return typeof read === "object" && read !== null && !Array.isArray(read) ? (read as Record<string, unknown>) : null;
}
