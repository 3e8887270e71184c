/**
 * A server whose target answers clients directly: no app of ours stands before it. Its adapters are checked before it loads
 * them, candidates get names that hold their hash, and while a training needs the memory the whole server is ended.
 */
import { join, resolve } from "node:path";
import { assert } from "../foundation/errors.ts";
import { shortHash } from "../foundation/hashing.ts";
import type { AdapterManifest } from "../records/adapter-manifest.ts";
import type { BaseManifest } from "../records/base-manifest.ts";
import { checkAdapterFiles } from "./check-adapter-files.ts";
import type { RunningServer, ServeOptions } from "./running-server.ts";
import type { ModelServer, PeftAdapter, ServerKind } from "./target.ts";

interface Served {
  base: BaseManifest;
  adapters: AdapterManifest[];
  candidates: AdapterManifest[];
}

/** Starts the target and returns when it answers. Throws: as `checkAdapterFiles` and the target. */
export async function startDirectServer(
  kind: ServerKind,
  options: ServeOptions & { host: string; port: number; parallel: number; contextTokens: number },
  { base, adapters, candidates }: Served,
): Promise<RunningServer> {
  const { home, host, port, parallel, contextTokens, onStage } = options;
  const checked: number[] = [];
  for (const adapter of [...adapters, ...candidates]) {
    checked.push((await checkAdapterFiles(home, { adapter, base })).rank);
  }
  const placeOf = (adapter: AdapterManifest, id: string): PeftAdapter => ({
    id,
    folder: resolve(home.adapterFolder(adapter.adapterHash)),
  });
  const kept = adapters.map((adapter) => placeOf(adapter, adapter.name ?? adapter.adapterHash));
  const tried = candidates.map((adapter) => placeOf(adapter, candidateName(adapter)));
  let address = port;
  const start = async (): Promise<ModelServer> => {
    const server = await kind.serve({
      ...{ base, baseFolder: resolve(home.baseFolder(base.name), base.hfFolder), adapters: kept },
      ...{ host, port: address, parallel, contextTokens },
      rooms: { adapters: kept.length + tried.length, rank: Math.max(1, ...checked) },
      logFile: join(home.servers, `${options.target}-${process.pid}.log`),
      ...(onStage !== undefined && { onStage }),
    });
    try {
      for (const adapter of tried) await server.load(adapter);
    } catch (error) {
      await server.close();
      throw error;
    }
    address = Number(new URL(server.url).port);
    return server;
  };
  let server: ModelServer | null = await start();
  const { url, takesSeed } = server;
  const named = [...adapters, ...candidates].map((adapter, i) => ({ adapter, id: [...kept, ...tried][i]?.id ?? "" }));
  const models = modelsOf(base, named);
  async function close(): Promise<void> {
    const ending = server;
    server = null;
    if (ending === null) return;
    for (const { id } of tried) await ending.unload(id).catch(() => {}); // it goes with the server, if that is ours
    await ending.close();
  }
  return {
    ...{ url, models, contextTokens, takesSeed, threads: 0 },
    idOf(adapterHash) {
      const served = models.find((model) => model.adapterHash === adapterHash);
      assert(served !== undefined, `adapter ${adapterHash} is not served`);
      return served.id;
    },
    pause: close,
    async resume() {
      server ??= await start();
    },
    close,
  };
}

function modelsOf(
  { name, baseHash }: BaseManifest,
  adapters: readonly { adapter: AdapterManifest; id: string }[],
): RunningServer["models"] {
  return [
    { id: name, parent: null, baseHash, adapterHash: null },
    ...adapters.map(({ adapter, id }) => ({ id, parent: name, baseHash, adapterHash: adapter.adapterHash })),
  ];
}

/** Holds the adapter's hash, so that a name never comes to mean another one. */
function candidateName({ name, adapterHash }: AdapterManifest): string {
  return name === null ? adapterHash : `${name}@${shortHash(adapterHash)}`;
}
