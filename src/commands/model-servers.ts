/**
 * The models of a run's roles: behind servers that the user names, or behind servers that are started here, one for
 * each base with the adapters that are asked for beside it. Before they are used, each adapter has to prove that it is live.
 */
import { assert } from "../foundation/errors.ts";
import { groupBy } from "../foundation/group-by.ts";
import type { Hash } from "../foundation/hashing.ts";
import type { Endpoint } from "../harness/index.ts";
import type { RunningServer } from "../serve/index.ts";
import type { Context } from "./command.ts";
import { type Proof, proveLive } from "./live-adapter.ts";
import { findModel, resolveModel, serveHere } from "./model-server.ts";
import type { ModelPlayer } from "./players.ts";
import { counting, type Elsewhere, servedElsewhere } from "./served-elsewhere.ts";
import { warnOfTaint } from "./taint.ts";
import type { ServerStarting } from "./target-input.ts";

export type EndpointOf = (player: ModelPlayer) => Endpoint;
/** What the canary found of each adapter, by its name. */
export type Proofs = Record<string, Proof>;

export interface Serving {
  context: Context;
  /** What serves the models that are served here. */
  target: string;
  starting: ServerStarting;
  /** Whether adapters have to prove that they are live. */
  canary: boolean;
}

/**
 * Gives `use` the endpoint of each player and closes what was started for them; a tainted adapter among them is warned of first.
 * Throws: `UNKNOWN_MODEL`, `SERVED_MODEL_DIFFERS`, `ADAPTER_NOT_LIVE`, and as `startServer`.
 */
export async function withModels<T>(
  players: readonly ModelPlayer[],
  serving: Serving,
  use: (endpointOf: EndpointOf, proofs: Proofs) => Promise<T>,
): Promise<T> {
  const { context, canary } = serving;
  const models = new Map<string, Elsewhere>();
  const servers: RunningServer[] = [];
  await warnOfTaint(await adaptersOf(players, context), context);
  try {
    for (const { model, url } of players) {
      if (url === undefined) continue;
      models.set(keyOf({ model, url }), await servedElsewhere(context.home, { model, url }, context.signal));
    }
    const here = new Set(players.flatMap(({ model, url }) => (url === undefined ? [model] : [])));
    for await (const { server, served } of servedHere([...here], serving)) {
      servers.push(server);
      for (const one of served) models.set(keyOf({ model: one.endpoint.name }), one);
    }
    const proofs: Proofs = {};
    for (const model of canary ? models.values() : []) {
      const proof = await proveLive(model, context);
      if (proof !== null) proofs[model.endpoint.name] = proof;
    }
    return await use((player) => {
      const model = models.get(keyOf(player));
      assert(model !== undefined, `no endpoint was made for ${player.model}`);
      return model.endpoint;
    }, proofs);
  } finally {
    await Promise.all(servers.map((server) => server.close()));
  }
}

/** Starts one server for each base of the models, and tells what it serves. */
async function* servedHere(
  names: readonly string[],
  { context, target, starting }: Serving,
): AsyncGenerator<{ server: RunningServer; served: Elsewhere[] }> {
  const { home } = context;
  const named = await Promise.all(names.map(async (name) => ({ name, known: await resolveModel(home, name) })));
  for (const [base, ofBase] of groupBy(named, ({ known }) => known.base.name)) {
    const adapters = [...new Set(ofBase.flatMap(({ known }) => known.adapter?.adapterHash ?? []))];
    const server = await serveHere({ base, adapters, target, ...starting }, context);
    const { url, contextTokens, takesSeed } = server;
    const served = ofBase.map(async ({ name, known }) => {
      const adapterHash = known.adapter?.adapterHash ?? null;
      const hashes = { baseHash: known.base.baseHash, adapterHash };
      const room = { contextTokens, takesSeed, ...(await counting(home, known.base)) };
      const endpoint: Endpoint = { url, model: server.idOf(adapterHash), name, ...hashes, ...room };
      return { endpoint, known, baseModel: server.idOf(null), target };
    });
    yield { server, served: await Promise.all(served) };
  }
}

/** Those that are known here; a model that an endpoint has by a name of its own is none of them. */
async function adaptersOf(players: readonly ModelPlayer[], { home }: Context): Promise<Hash[]> {
  const names = [...new Set(players.map(({ model }) => model))];
  const known = await Promise.all(names.map((name) => findModel(home, name)));
  return [...new Set(known.flatMap((model) => model?.adapter?.adapterHash ?? []))];
}

function keyOf({ model, url = "" }: ModelPlayer): string {
  return `${model} ${url}`;
}
