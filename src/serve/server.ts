/**
 * Starts the endpoint of one base and any number of its adapters, and ends it without cutting answers off.
 */
import { join, resolve } from "node:path";
import { loadExtension } from "../foundation/discovery.ts";
import { Refusal } from "../foundation/errors.ts";
import { hashFile } from "../foundation/hashing.ts";
import { type AdapterManifest, adapterLabel } from "../records/adapter-manifest.ts";
import type { BaseManifest } from "../records/base-manifest.ts";
import { loadRenderer, readPinnedFiles } from "../render/renderer.ts";
import { checkBaseFiles } from "../store/base-files.ts";
import { changedFile, missingFile } from "../store/file-refusals.ts";
import type { Home } from "../store/home.ts";
import { readAdapterManifest, readBaseManifest } from "../store/manifests.ts";
import { createAdmission } from "./admission.ts";
import { createApp } from "./app.ts";
import { checkAdapterFiles } from "./check-adapter-files.ts";
import { startDirectServer } from "./direct-server.ts";
import { followFreeCores, freeCores } from "./free-cores.ts";
import type { ServedModel } from "./generation.ts";
import { type HeldPort, holdPort } from "./held-port.ts";
import { readGgufShape } from "./model-shape.ts";
import { type PausableTarget, startPausable } from "./pausable-target.ts";
import { provenNames } from "./proofs.ts";
import { idAmong, type RunningServer, type ServeOptions } from "./running-server.ts";
import { servedGguf } from "./served-gguf.ts";
import { createServedNames } from "./served-names.ts";
import type { EngineKind, TargetKind } from "./target.ts";

const TARGETS = join(import.meta.dirname, "targets");
const ADAPTER_FILE = "adapter.gguf";
const DEFAULT_CONTEXT_TOKENS = 2048;

/**
 * Starts serving and returns when requests are answered.
 * Throws: `UNKNOWN_BASE`, `UNKNOWN_ADAPTER`, as `checkAdapterFiles`, `NO_GGUF`, `BASE_CHANGED`, `MISSING_FILE`, `PORT_IN_USE`.
 */
export async function startServer(options: ServeOptions): Promise<RunningServer> {
  const { home, host = "127.0.0.1", port = 0, parallel = 16, queueLimit = 256 } = options;
  const base = await readBaseManifest(home, options.base);
  const kind = await loadExtension<TargetKind>(TARGETS, "target", options.target ?? "llamacpp");
  const contextTokens = servedContextTokens(base, options.contextTokens);
  if ("serve" in kind) {
    if (kind.isAttached?.() !== true) await checkBase(home, base, options);
    const [adapters, candidates] = await Promise.all([
      adaptersNamed(home, options.adapters),
      adaptersNamed(home, options.candidates ?? []),
    ]);
    const placed = { ...options, host, port, parallel, contextTokens };
    return startDirectServer(kind, placed, { base, adapters, candidates });
  }
  if ((options.args ?? []).length > 0) throw noServerArgs(options.target);
  const names = [...options.adapters, ...(options.candidates ?? [])];
  return startEngineServer(kind, { ...options, host, port, parallel, queueLimit, contextTokens }, { base, names });
}

/** Whether what a server of its own would load is the base, where it loads it here. Throws: `BASE_CHANGED`, `MISSING_FILE`. */
async function checkBase(home: Home, base: BaseManifest, { onHash }: Pick<ServeOptions, "onHash">): Promise<void> {
  await checkBaseFiles(home, base, { format: "safetensors", onHash });
  await readPinnedFiles(home, base);
}

/** How many tokens a request may take where so many are asked for. */
export function servedContextTokens(base: BaseManifest, asked: number | undefined): number {
  return Math.min(asked ?? DEFAULT_CONTEXT_TOKENS, base.contextTokens);
}

/** Looks at an adapter as a start would. Throws: as `startServer` of an adapter. */
export async function checkServable(
  home: Home,
  { base, adapter, target }: { base: BaseManifest; adapter: AdapterManifest; target: string },
): Promise<void> {
  const kind = await loadExtension<TargetKind>(TARGETS, "target", target);
  if ("serve" in kind) await checkAdapterFiles(home, { adapter, base });
  else await servedAdapter(home, base, adapter);
}

type Placed = ServeOptions &
  Required<Pick<ServeOptions, "host" | "port" | "parallel" | "queueLimit" | "contextTokens">>;

interface Wanted {
  base: BaseManifest;
  names: string[];
}

async function startEngineServer(kind: EngineKind, options: Placed, wanted: Wanted): Promise<RunningServer> {
  const web = await holdPort({ host: options.host, port: options.port });
  try {
    return await startEngine(kind, options, { ...wanted, web });
  } catch (error) {
    await web.close();
    throw error;
  }
}

/** Starts the engine and answers at the port that is held for it. */
async function startEngine(
  kind: EngineKind,
  options: Placed,
  { base, names: wanted, web }: Wanted & { web: HeldPort },
): Promise<RunningServer> {
  const { home, parallel, queueLimit, contextTokens, startTimeoutMs, signal, onStage } = options;
  const weightsFile = await servedGguf(home, base, options);
  const { vocabularySize } = await readGgufShape(weightsFile);
  const first = await servedModels(home, base, wanted);
  const renderer = await loadRenderer(home, base);
  const threads = options.threads ?? (await freeCores());
  const target = await startPausable(first, (models) =>
    kind.start({
      ...{ weightsFile, models, contextTokens, parallel, threads },
      ...(startTimeoutMs !== undefined && { startTimeoutMs }),
      ...{ ...(signal !== undefined && { signal }), ...(onStage !== undefined && { onStage }) },
    }),
  );
  const open = opening(target, () => doubt());
  const all = createServedNames(first, { open, close: ({ id }) => target.unload(id) });
  const { names, proofs, silence, doubt } = provenNames(all, { wanted: options.wantsProofs === true });
  const following = options.threads === undefined ? followFreeCores(target.setThreads) : null;
  const closing = new AbortController();
  const admission = createAdmission({ parallel, queueLimit });
  web.answerBy(
    createApp({
      ...{ target, renderer, names, vocabularySize, admission },
      closing: closing.signal,
      // Of one that has died whoever looks after it tells, once.
      onBug: (error) => target.ended() === null && console.error(error),
    }),
  );
  return {
    ...{ url: `${web.url}/v1`, threads, contextTokens, takesSeed: true },
    ...{ pid: target.pid, ended: target.ended },
    get models() {
      return names.models().map(({ adapterFile: _, ...model }) => model);
    },
    idOf: (adapterHash) => idAmong(names.models(), adapterHash),
    async load(name) {
      const model = await servedAdapter(home, base, await readAdapterManifest(home, name));
      await names.add(model);
      return model.id;
    },
    ...{ lost: async () => [], restore: async () => {} }, // no one else has a hand in it
    ...{ unload: names.remove, call: names.call, proofs, pause: target.pause },
    resume() {
      silence();
      return target.resume();
    },
    async close() {
      await web.close(() => closing.abort(new Error("The server is closing.")));
      following?.stop();
      await target.close();
    },
  };
}

/** Loads models into a target, and tells where another process has taken its place for that. */
function opening(target: PausableTarget, onReplaced: () => void): (model: ServedModel) => Promise<void> {
  return async (model) => {
    const before = target.pid();
    await target.load(model);
    if (target.pid() !== before) onReplaced();
  };
}

function noServerArgs(target = "llamacpp"): Refusal {
  return new Refusal({
    code: "NO_SERVER_ARGS",
    message: `The target ${target} takes no arguments of a server.`,
    expected: "--server-args with --target vllm",
    got: `--target ${target}`,
    fix: "leave --server-args out",
  });
}

async function adaptersNamed(home: Home, names: readonly string[]): Promise<AdapterManifest[]> {
  const adapters = await Promise.all(names.map((name) => readAdapterManifest(home, name)));
  return [...new Map(adapters.map((adapter) => [adapter.adapterHash, adapter])).values()];
}

async function servedModels(home: Home, base: BaseManifest, names: string[]): Promise<ServedModel[]> {
  const unique = await adaptersNamed(home, names);
  const { name, baseHash } = base;
  return [
    { id: name, parent: null, baseHash, adapterHash: null, adapterFile: null },
    ...(await Promise.all(unique.map((adapter) => servedAdapter(home, base, adapter)))),
  ];
}

async function servedAdapter(home: Home, base: BaseManifest, adapter: AdapterManifest): Promise<ServedModel> {
  const { adapterHash, baseHash, name } = adapter;
  await checkAdapterFiles(home, { adapter, base });
  if (adapter.ggufRefused !== undefined) {
    throw new Refusal({
      code: "NO_ADAPTER_GGUF",
      message: `The adapter ${adapterLabel(adapter)} has no form that llama.cpp loads.`,
      got: adapter.ggufRefused,
      fix: "serve it by another target",
    });
  }
  const path = resolve(home.adapterFolder(adapterHash), ADAPTER_FILE);
  const expected = adapter.files.find((file) => file.path === ADAPTER_FILE)?.hash;
  const got = await hashFile(path).catch((cause) => {
    throw missingFile(path, "the adapter's GGUF", cause);
  });
  if (got !== expected) throw changedFile("ADAPTER_CHANGED", path, { expected, got });
  return { id: name ?? adapterHash, parent: base.name, baseHash, adapterHash, adapterFile: path };
}
