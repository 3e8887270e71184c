/**
 * Models behind servers that the user names: under which name such a server has a base or an adapter of this home, and
 * that it says nothing else of it than the registry does.
 */
import { resolve } from "node:path";
import { Refusal } from "../foundation/errors.ts";
import { type Hash, shortHash } from "../foundation/hashing.ts";
import { type Endpoint, readServedModels, type ServedModel } from "../harness/index.ts";
import type { BaseManifest } from "../records/base-manifest.ts";
import { loadRenderer } from "../render/renderer.ts";
import type { Home } from "../store/home.ts";
import { findModel, type NamedModel } from "./model-server.ts";
import { DEFAULT_TARGET } from "./target-input.ts";

const LOOK_TIMEOUT_MS = 10_000;

export interface Elsewhere {
  endpoint: Endpoint;
  /** Null where the model is not registered here. */
  known: NamedModel | null;
  /** The name that the server has for the model's base. */
  baseModel: string;
  /** What serves there, for the canary. */
  target: string;
}

/** What a card's `owned_by` says of the server; the names are vLLM's and llama.cpp's own. */
const TARGETS: Record<string, string> = { tracemill: DEFAULT_TARGET, vllm: "vllm", llamacpp: "llama-server" };
const ANY_TARGET = "openai";

/**
 * Finds a model at a server by its name here, or the one that it is said to be called by there, by the hashes that tracemill's own server tells, by an adapter's hash in the
 * name (as candidates are called in vLLM), or a base by the folder that was loaded. What is not found is asked for by its
 * name; models need not be registered here.
 * Throws: `SERVED_MODEL_DIFFERS`; `ADAPTER_NOT_SERVED`, as nothing is loaded at a server that is not ours.
 */
export async function servedElsewhere(
  home: Home,
  { model: name, calledThere, url }: { model: string; calledThere?: string | undefined; url: string },
  signal: AbortSignal,
): Promise<Elsewhere> {
  const known = await findModel(home, name);
  if (known === null) {
    const endpoint = { url, model: calledThere ?? name, name, baseHash: null, adapterHash: null };
    return { endpoint, known, baseModel: name, target: ANY_TARGET };
  }
  const { base, adapter } = known;
  const hashes = { baseHash: base.baseHash, adapterHash: adapter?.adapterHash ?? null };
  // A server that is down is refused by whoever begins a run there.
  const timely = AbortSignal.any([signal, AbortSignal.timeout(LOOK_TIMEOUT_MS)]);
  const cards = [...((await readServedModels(url, timely).catch(() => null))?.values() ?? [])];
  const called = calledThere ?? name;
  const card =
    calledThere === undefined ? cardOf(cards, { ...known, name }, home) : cards.find(({ id }) => id === calledThere);
  if (card !== undefined) refuseOther(card, { name: called, url, hashes });
  else if (adapter !== null && cards.length > 0) throw notServed(called, url, cards);
  const ofBase = cardOf(cards, { base, adapter: null, name: base.name }, home);
  const room = { contextTokens: base.contextTokens, ...(await counting(home, base)) };
  return {
    endpoint: { url, model: idOf(card) ?? called, name, ...hashes, ...room },
    known,
    baseModel: textOf(card?.parent) ?? idOf(ofBase) ?? base.name,
    target: TARGETS[textOf(card?.owned_by) ?? ""] ?? ANY_TARGET,
  };
}

/** How long texts are to a base's models. */
export async function counting(home: Home, base: BaseManifest): Promise<Required<Pick<Endpoint, "countTokens">>> {
  const renderer = await loadRenderer(home, base);
  return { countTokens: (text) => renderer.encode(text).length };
}

function cardOf(
  cards: readonly ServedModel[],
  { name, base, adapter }: NamedModel & { name: string },
  home: Home,
): ServedModel | undefined {
  const folder = resolve(home.baseFolder(base.name), base.hfFolder);
  const ways: ((card: ServedModel) => boolean)[] = [
    ({ id }) => id === name,
    ({ base_hash, adapter_hash }) => base_hash === base.baseHash && adapter_hash === (adapter?.adapterHash ?? null),
    adapter === null
      ? ({ root, parent }) => root === folder && (parent ?? null) === null
      : ({ id }) => String(id).includes(shortHash(adapter.adapterHash)),
  ];
  for (const is of ways) {
    const found = cards.find(is);
    if (found !== undefined) return found;
  }
  return undefined;
}

function refuseOther(
  card: ServedModel,
  { name, url, hashes }: { name: string; url: string; hashes: { baseHash: Hash; adapterHash: Hash | null } },
): void {
  const told = { baseHash: card.base_hash, adapterHash: card.adapter_hash };
  const differs = (key: keyof typeof told) => told[key] !== undefined && told[key] !== hashes[key];
  if (!differs("baseHash") && !differs("adapterHash")) return;
  const shown = (base: unknown, adapter: unknown) =>
    `base ${shortHash(String(base))}, ${adapter === null ? "no adapter" : `adapter ${shortHash(String(adapter))}`}`;
  throw new Refusal({
    code: "SERVED_MODEL_DIFFERS",
    message: `The endpoint's ${name} is not the one that is registered here.`,
    expected: shown(hashes.baseHash, hashes.adapterHash),
    got: shown(told.baseHash, told.adapterHash ?? null),
    where: url,
    fix: "use the home that the server was started from, or serve this model: tracemill serve",
  });
}

function notServed(name: string, where: string, cards: readonly ServedModel[]): Refusal {
  return new Refusal({
    code: "ADAPTER_NOT_SERVED",
    message: `The endpoint does not serve the adapter ${name}, and nothing is loaded at a server that is not ours.`,
    expected: `${name} among its models`,
    got: cards.map(({ id }) => id).join(", "),
    where,
    fix: "serve it there under this name, ask for its base, or name no endpoint: it is then served here",
  });
}

function idOf(card: ServedModel | undefined): string | null {
  return textOf(card?.id);
}

function textOf(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}
