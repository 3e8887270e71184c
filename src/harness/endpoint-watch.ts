/**
 * Holds each endpoint of a run to what it served when the run began: a server that was started anew with another model
 * under the same name must not answer one call of it. Before each call the server is asked for its list of models; calls
 * that come while it is being asked share the answer. A server without a list cannot be watched.
 */
import { canonicalJson, type Json } from "../foundation/canonical-json.ts";
import { Refusal } from "../foundation/errors.ts";
import type { RunId } from "../records/ids.ts";
import { type Endpoint, urlOf } from "./endpoint.ts";
import { readServedModels, type ServedModel, type ServedModels } from "./served-models.ts";

const LOOK_TIMEOUT_MS = 5000;

/** What each endpoint said of its model, by `endpointKey`; null where its server has no list. */
export type Served = ReadonlyMap<string, ServedModel | null>;

export interface EndpointWatch {
  /** Throws: `SERVED_MODEL_CHANGED`. A server that does not answer is left to the call itself. */
  look(endpoint: Endpoint): Promise<void>;
}

/** Names an endpoint and its model in one text, for maps. */
export function endpointKey({ url, model }: Pick<Endpoint, "url" | "model">): string {
  return `${url} ${model}`;
}

/** Watches the endpoints of a run against `served`. */
export function endpointWatch(served: Served, run: RunId, signal: AbortSignal): EndpointWatch {
  const looks = new Map<string, Promise<ServedModels | "silent">>();

  function lookAt(url: string): Promise<ServedModels | "silent"> {
    const timely = AbortSignal.any([signal, AbortSignal.timeout(LOOK_TIMEOUT_MS)]);
    const look = readServedModels(url, timely)
      .catch(() => "silent" as const)
      .finally(() => looks.delete(url));
    looks.set(url, look);
    return look;
  }

  return {
    async look(endpoint) {
      const before = served.get(endpointKey(endpoint)) ?? null;
      if (before === null) return;
      const now = await (looks.get(endpoint.url) ?? lookAt(endpoint.url));
      if (now === "silent") return;
      checkServed(endpoint, { run, before, now: now?.get(endpoint.model) ?? null });
    },
  };
}

/** Throws: `SERVED_MODEL_CHANGED` where a model is no longer the one that it was. */
export function checkServed(
  endpoint: Endpoint,
  { run, before, now }: { run: RunId; before: ServedModel; now: ServedModel | null },
): void {
  if (now !== null && canonicalJson(before) === canonicalJson(now)) return;
  const keys = [...new Set([...Object.keys(before), ...Object.keys(now ?? {})])];
  const differing = keys.filter((key) => now === null || textOf(before[key]) !== textOf(now[key]));
  const shown = (card: ServedModel) => differing.map((key) => `${key} ${textOf(card[key])}`).join(", ");
  throw new Refusal({
    code: "SERVED_MODEL_CHANGED",
    message: `What the endpoint serves as ${endpoint.model} is not what run ${run} began with; the run has stopped.`,
    expected: shown(before),
    got: now === null ? "it serves no such model" : shown(now),
    where: urlOf(endpoint, "models"),
    fix: `serve that model again, then: tracemill run --resume ${run}; or start a new run`,
  });
}

function textOf(value: Json | undefined): string {
  return value === undefined ? "none" : canonicalJson(value);
}
