/**
 * A server whose target answers by itself, behind a front of ours (front.ts). Its adapters are checked before it loads them;
 * those that come while it runs, and all where others use it too, get names that hold their hash there; and while a training needs the memory the whole
 * server is ended.
 */
import { join, resolve } from "node:path";
import pLimit from "p-limit";
import { shortHash } from "../foundation/hashing.ts";
import { startWebServer } from "../foundation/web-server.ts";
import type { AdapterManifest } from "../records/adapter-manifest.ts";
import type { BaseManifest } from "../records/base-manifest.ts";
import type { Home } from "../store/home.ts";
import { listAdapters, readAdapterManifest } from "../store/manifests.ts";
import { checkAdapterFiles } from "./check-adapter-files.ts";
import { createFront, type FrontedModel } from "./front.ts";
import { openAnswers } from "./open-answers.ts";
import { type ProvenNames, provenNames } from "./proofs.ts";
import { idAmong, type RunningServer, type ServeOptions } from "./running-server.ts";
import { createServedNames } from "./served-names.ts";
import { serverPaused } from "./server-paused.ts";
import type { ModelServer, PeftAdapter, ServerKind } from "./target.ts";

const START_TIMEOUT_MS = 600_000;

interface Served {
  base: BaseManifest;
  adapters: AdapterManifest[];
  candidates: AdapterManifest[];
}

type Placed = ServeOptions & { host: string; port: number; parallel: number; contextTokens: number };

interface DirectModel extends FrontedModel {
  /** Null for the base. */
  folder: string | null;
  isCandidate: boolean;
}

/** Starts the target and returns when it answers. Throws: as `checkAdapterFiles`, `startWebServer` and the target. */
export async function startDirectServer(
  kind: ServerKind,
  options: Placed,
  { base, adapters, candidates }: Served,
): Promise<RunningServer> {
  const { home, host, port, contextTokens } = options;
  const ranks: number[] = [];
  const check = async (adapter: AdapterManifest) => ranks.push((await checkAdapterFiles(home, { adapter, base })).rank);
  for (const adapter of [...adapters, ...candidates]) await check(adapter);
  const first = firstModels({ base, adapters, candidates }, { home, isAttached: kind.isAttached?.() === true });
  const running = startRunning(async () => {
    const rank = Math.max(1, ...ranks, ...(await ranksOf(home, base)));
    return startTarget(kind, options, { base, models: names.models(), rank });
  });
  const all = createServedNames<DirectModel>(first, {
    open: async (model) => running.now()?.load(peft(model)),
    close: async (model) => running.now()?.unload(model.upstream),
  });
  const proven = provenNames(all, { wanted: options.wantsProofs === true });
  const { names, proofs, silence } = proven;
  const closing = new AbortController();
  const front = createFront({
    ...{ names, baseId: base.name, enter: running.enter, closing: closing.signal },
    // Of one that has died whoever looks after it tells, once.
    onBug: (error) => running.ended() === null && console.error(error),
  });
  // Its port is known to be free before minutes are spent on a start.
  const web = await startWebServer(front.fetch, { host, port });
  const server = await running.resume().catch(async (error) => {
    await web.close();
    throw error;
  });
  return {
    ...{ url: `${web.url}/v1`, contextTokens, takesSeed: server.takesSeed, threads: 0 },
    ...{ pid: running.pid, ended: running.ended },
    get models() {
      return names.models().map(({ id, parent, baseHash, adapterHash }) => ({ id, parent, baseHash, adapterHash }));
    },
    idOf: (adapterHash) => idAmong(names.models(), adapterHash),
    async load(name) {
      const adapter = await readAdapterManifest(home, name);
      await check(adapter);
      const model = placed(adapter, { home, base, upstream: nameWithHash(adapter) });
      await names.add(model);
      return model.id;
    },
    ...losses(proven, running.now),
    ...{ unload: names.remove, call: names.call, proofs, pause: running.pause },
    async resume() {
      silence();
      await running.resume();
    },
    async close() {
      await web.close(() => closing.abort(new Error("The server is closing.")));
      await running.pause();
    },
  };
}

/** What the server has lost of its adapters, where it is not ours. */
function losses(
  { names, lose }: ProvenNames<DirectModel>,
  now: () => ModelServer | null,
): Pick<RunningServer, "lost" | "restore"> {
  async function lost(): Promise<DirectModel[]> {
    const missing = new Set(await now()?.missing());
    return names.models().filter(({ upstream }) => missing.has(upstream));
  }
  return {
    lost: async () => lose(await lost()),
    async restore(id) {
      for (const model of await lost()) if (model.id === id) await now()?.load(peft(model));
    },
  };
}

/** The server that runs, if one does: begun and ended one after the other, however often that is asked for at once. */
function startRunning(start: () => Promise<ModelServer>) {
  const oneByOne = pLimit(1);
  const answers = openAnswers();
  let server: ModelServer | null = null;
  /** Of the one before, where it has ended by itself and none runs since. */
  let died: string | null = null;

  async function takeAway(): Promise<void> {
    const ending = server;
    server = null;
    await answers.untilNone();
    await ending?.close();
  }

  return {
    now: () => server,
    pid: () => server?.pid ?? null,
    ended: () => server?.ended() ?? died,
    enter() {
      if (server === null) throw serverPaused();
      return { server, leave: answers.enter() };
    },
    resume: () =>
      oneByOne(async () => {
        died = server?.ended() ?? died;
        if (died !== null) await takeAway();
        server ??= await start();
        died = null;
        return server;
      }),
    pause: () =>
      oneByOne(async () => {
        died = null;
        await takeAway();
      }),
  };
}

async function startTarget(
  kind: ServerKind,
  {
    home,
    parallel,
    contextTokens,
    target,
    args = [],
    startTimeoutMs = START_TIMEOUT_MS,
    signal,
    onStage,
    onWarning,
  }: Placed,
  { base, models, rank }: { base: BaseManifest; models: readonly DirectModel[]; rank: number },
): Promise<ModelServer> {
  const adapters = models.filter(({ folder, isCandidate }) => folder !== null && !isCandidate);
  const tried = models.filter(({ isCandidate }) => isCandidate);
  const server = await kind.serve({
    ...{ home, base, baseFolder: resolve(home.baseFolder(base.name), base.hfFolder), adapters: adapters.map(peft) },
    ...{ parallel, contextTokens, args, startTimeoutMs },
    rooms: { adapters: adapters.length + tried.length, rank },
    logFile: join(home.servers, `${target}-${process.pid}.log`),
    ...(signal !== undefined && { signal }),
    ...(onStage !== undefined && { onStage }),
    ...(onWarning !== undefined && { onWarning }),
  });
  try {
    for (const model of tried) await server.load(peft(model));
    return server;
  } catch (error) {
    await server.close();
    throw error;
  }
}

/** Of the base's registered adapters: each may be promoted while the server runs, which makes its room when it starts. */
async function ranksOf(home: Home, { baseHash }: BaseManifest): Promise<number[]> {
  const adapters = await listAdapters(home);
  return adapters.flatMap((one) => (one.baseHash === baseHash && one.config.trains !== "full" ? one.config.rank : []));
}

function firstModels(
  { base, adapters, candidates }: Served,
  { home, isAttached }: { home: Home; isAttached: boolean },
): DirectModel[] {
  // Where others load adapters too, one of another home may have the same name.
  const upstreamOf = isAttached ? nameWithHash : idOf;
  return [
    baseModel(base),
    ...adapters.map((adapter) => placed(adapter, { home, base, upstream: upstreamOf(adapter) })),
    ...candidates.map((adapter) => ({
      ...placed(adapter, { home, base, upstream: nameWithHash(adapter) }),
      ...{ id: nameWithHash(adapter), isCandidate: true },
    })),
  ];
}

function baseModel({ name, baseHash }: BaseManifest): DirectModel {
  return { id: name, upstream: name, parent: null, baseHash, adapterHash: null, folder: null, isCandidate: false };
}

function placed(
  adapter: AdapterManifest,
  { home, base, upstream }: { home: Home; base: BaseManifest; upstream: string },
): DirectModel {
  const { adapterHash } = adapter;
  const hashes = { baseHash: base.baseHash, adapterHash };
  const folder = resolve(home.adapterFolder(adapterHash));
  return { id: idOf(adapter), upstream, parent: base.name, ...hashes, folder, isCandidate: false };
}

function peft({ upstream, folder }: DirectModel): PeftAdapter {
  return { id: upstream, folder: folder ?? "" };
}

function idOf({ name, adapterHash }: AdapterManifest): string {
  return name ?? adapterHash;
}

/** Holds the adapter's hash, so that a name never comes to mean another one. */
function nameWithHash({ name, adapterHash }: AdapterManifest): string {
  return name === null ? adapterHash : `${name}@${shortHash(adapterHash)}`;
}
