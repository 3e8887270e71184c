/**
 * The models of a run's roles: behind servers that the user names, or behind servers that are started here, one for
 * each base with the adapters that are asked for beside it.
 */
import { assert } from "../foundation/errors.ts";
import { groupBy } from "../foundation/group-by.ts";
import type { Endpoint } from "../harness/index.ts";
import type { BaseManifest } from "../records/base-manifest.ts";
import { loadRenderer } from "../render/renderer.ts";
import type { RunningServer } from "../serve/index.ts";
import type { Home } from "../store/home.ts";
import type { Context } from "./command.ts";
import { findModel, resolveModel, serveHere } from "./model-server.ts";
import type { ModelPlayer } from "./players.ts";

export type EndpointOf = (player: ModelPlayer) => Endpoint;

/** Gives `use` the endpoint of each player and closes what was started for them. Throws: `UNKNOWN_MODEL`. */
export async function withModels<T>(
  players: readonly ModelPlayer[],
  context: Context,
  use: (endpointOf: EndpointOf) => Promise<T>,
): Promise<T> {
  const { home } = context;
  const endpoints = new Map<string, Endpoint>();
  const servers: RunningServer[] = [];
  try {
    for (const player of players) {
      if (player.url !== undefined) endpoints.set(keyOf(player), await servedElsewhere(home, player.model, player.url));
    }
    const here = new Set(players.flatMap(({ model, url }) => (url === undefined ? [model] : [])));
    const named = await Promise.all([...here].map(async (name) => ({ name, ...(await resolveModel(home, name)) })));
    for (const [base, ofBase] of groupBy(named, (one) => one.base.name)) {
      const adapters = [...new Set(ofBase.flatMap(({ adapter }) => adapter?.adapterHash ?? []))];
      const server = await serveHere({ base, adapters }, context);
      servers.push(server);
      for (const { name, adapter, base: manifest } of ofBase) {
        const adapterHash = adapter?.adapterHash ?? null;
        const { url, contextTokens } = server;
        const hashes = { baseHash: manifest.baseHash, adapterHash };
        const room = { contextTokens, ...(await counting(home, manifest)) };
        endpoints.set(keyOf({ model: name }), { url, model: server.idOf(adapterHash), name, ...hashes, ...room });
      }
    }
    return await use((player) => {
      const endpoint = endpoints.get(keyOf(player));
      assert(endpoint !== undefined, `no endpoint was made for ${player.model}`);
      return endpoint;
    });
  } finally {
    await Promise.all(servers.map((server) => server.close()));
  }
}

function keyOf({ model, url = "" }: ModelPlayer): string {
  return `${model} ${url}`;
}

/** Models behind the user's own server need not be registered here. */
async function servedElsewhere(home: Home, name: string, url: string): Promise<Endpoint> {
  const known = await findModel(home, name);
  const hashes = { baseHash: known?.base.baseHash ?? null, adapterHash: known?.adapter?.adapterHash ?? null };
  const room = known === null ? {} : { contextTokens: known.base.contextTokens, ...(await counting(home, known.base)) };
  return { url, model: name, name, ...hashes, ...room };
}

async function counting(home: Home, base: BaseManifest): Promise<Pick<Endpoint, "countTokens">> {
  const renderer = await loadRenderer(home, base);
  return { countTokens: (text) => renderer.encode(text).length };
}
