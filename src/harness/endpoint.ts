/**
 * A model behind an OpenAI-compatible server, and the look at it before a run begins.
 */
import { z } from "zod";
import { Refusal } from "../foundation/errors.ts";
import type { Hash } from "../foundation/hashing.ts";
import { unknownName } from "../foundation/nearest.ts";
import type { Role } from "../records/events.ts";
import { rulesOf } from "./rules.ts";
import { readServedModels, type ServedModel } from "./served-models.ts";

export interface Endpoint {
  /** Up to and with the version: `http://127.0.0.1:8000/v1`. */
  url: string;
  /** The model's name in requests. */
  model: string;
  /** The model's name in records. */
  name: string;
  baseHash: Hash | null;
  adapterHash: Hash | null;
  /** Longest prompt and answer together; absent where it is not known. */
  contextTokens?: number;
  /** How long a text is to this model; estimated where it is absent. */
  countTokens?(text: string): number;
}

const LOOK_TIMEOUT_MS = 10_000;

/** Joins a path to an endpoint's URL, whether that ends with a slash or not. */
export function urlOf(endpoint: Endpoint, path: string): string {
  return `${endpoint.url.replace(/\/+$/, "")}/${path}`;
}

/**
 * Asks the endpoint for its models, so that a run against a dead or wrong one never begins, and returns what it says of
 * this one: null where its server has no list of models. `roles` are those that it plays.
 * Throws: `ENDPOINT_DOWN`; `UNKNOWN_MODEL` where it does not serve the model.
 */
export async function checkEndpoint(
  endpoint: Endpoint,
  roles: readonly Role[],
  signal: AbortSignal,
): Promise<ServedModel | null> {
  const where = urlOf(endpoint, "models");
  const timely = AbortSignal.any([signal, AbortSignal.timeout(LOOK_TIMEOUT_MS)]);
  const models = await readServedModels(endpoint.url, timely).catch((cause) => {
    signal.throwIfAborted();
    throw new Refusal({
      code: "ENDPOINT_DOWN",
      message: `The endpoint of ${endpoint.name} (${roles.join(", ")}) does not answer as one.`,
      expected: "a list of models (OpenAI's GET /v1/models)",
      got: reasonOf(cause),
      where,
      fix: "start the server, or give its URL up to and with /v1; where none is given one is started here",
      cause,
    });
  });
  if (models === null) return null;
  const served = models.get(endpoint.model);
  if (served !== undefined) return served;
  const { details } = unknownName("model", endpoint.model, [...models.keys()]);
  const rules = await Promise.all(roles.map(async (role) => [role, await rulesOf(role)] as const));
  const ruled = rules.filter(([, ids]) => ids.length > 0).map(([role, ids]) => `${role}: ${ids.join(", ")}`);
  throw new Refusal({
    ...details,
    message: `${details.message} It is to play: ${roles.join(", ")}.`,
    where,
    ...(ruled.length > 0 && { expected: `${details.expected}; or a rule (${ruled.join("; ")})` }),
  });
}

/** Says in one line why a request failed: fetch hides the reason in `cause`. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  const text = error instanceof z.ZodError ? "a body of another shape" : error.message;
  if (!(cause instanceof Error)) return text;
  return `${text}: ${cause.message || ((cause as NodeJS.ErrnoException).code ?? cause.name)}`;
}
