/**
 * The models of a run's roles: behind a server that the user names, or behind servers that are started here, one for
 * each base with the adapters that are asked for beside it.
 */
import type { Endpoint } from "../harness/index.ts";
import type { BaseManifest } from "../records/base-manifest.ts";
import { loadRenderer } from "../render/renderer.ts";
import type { RunningServer } from "../serve/index.ts";
import type { Home } from "../store/home.ts";
import type { Context } from "./command.ts";
import { findModel, type NamedModel, resolveModel, serveHere } from "./model-server.ts";

export interface ServedModels {
  /** By the names that were asked for. */
  endpoints: Map<string, Endpoint>;
  /** The least context among them; absent where nothing is known of it. */
  contextTokens?: number;
  /** Counts as the first model's tokenizer does; absent where that is not known here. */
  countTokens?: (text: string) => number;
}

/** Gives `use` the endpoints of all models and closes what was started for them. Throws: `UNKNOWN_MODEL`. */
export async function withModels<T>(
  { models, url }: { models: readonly string[]; url: string | undefined },
  context: Context,
  use: (served: ServedModels) => Promise<T>,
): Promise<T> {
  const { home } = context;
  if (url !== undefined) return use(await servedElsewhere(home, models, url));
  const named = await Promise.all(models.map(async (name) => ({ name, ...(await resolveModel(home, name)) })));
  const servers: RunningServer[] = [];
  try {
    const endpoints = new Map<string, Endpoint>();
    for (const base of new Set(named.map((one) => one.base.name))) {
      const ofBase = named.filter((one) => one.base.name === base);
      const adapters = [...new Set(ofBase.flatMap(({ adapter }) => adapter?.adapterHash ?? []))];
      const server = await serveHere({ base, adapters }, context);
      servers.push(server);
      for (const one of ofBase) {
        const adapterHash = one.adapter?.adapterHash ?? null;
        const { baseHash } = one.base;
        endpoints.set(one.name, {
          url: server.url,
          model: server.idOf(adapterHash),
          name: one.name,
          baseHash,
          adapterHash,
        });
      }
    }
    const contextTokens = Math.min(...servers.map((server) => server.contextTokens));
    return await use({ endpoints, contextTokens, ...(await counting(home, named[0]?.base)) });
  } finally {
    await Promise.all(servers.map((server) => server.close()));
  }
}

/** Models behind the user's own server need not be registered here. */
async function servedElsewhere(home: Home, models: readonly string[], url: string): Promise<ServedModels> {
  const known: (NamedModel | null)[] = await Promise.all(models.map((name) => findModel(home, name)));
  const endpoints = models.map((name, i): [string, Endpoint] => {
    const hashes = { baseHash: known[i]?.base.baseHash ?? null, adapterHash: known[i]?.adapter?.adapterHash ?? null };
    return [name, { url, model: name, name, ...hashes }];
  });
  const contexts = known.flatMap((one) => one?.base.contextTokens ?? []);
  return {
    endpoints: new Map(endpoints),
    ...(contexts.length > 0 && { contextTokens: Math.min(...contexts) }),
    ...(await counting(home, known[0]?.base)),
  };
}

async function counting(home: Home, base: BaseManifest | undefined): Promise<Pick<ServedModels, "countTokens">> {
  if (base === undefined) return {};
  const renderer = await loadRenderer(home, base);
  return { countTokens: (text) => renderer.encode(text).length };
}
