/**
 * What `tracemill serve` serves from the start: adapters by name, which have to be sound, and champions, of which one that is
 * not keeps nobody else from being served.
 */
import { Failure, Refusal } from "../foundation/errors.ts";
import type { Hash } from "../foundation/hashing.ts";
import { warn } from "../foundation/progress.ts";
import { type AdapterManifest, adapterLabel } from "../records/adapter-manifest.ts";
import type { BaseManifest } from "../records/base-manifest.ts";
import type { RunningServer } from "../serve/index.ts";
import { readAdapterManifest, readBaseManifest } from "../store/manifests.ts";
import type { Context } from "./command.ts";
import { proveServed } from "./live-adapter.ts";
import { tellPending } from "./serve-proofs.ts";
import { standingChampions, taintedAdapters } from "./standing-champions.ts";
import { learned, type Tainted } from "./taint.ts";

export interface Starting {
  base: BaseManifest;
  named: AdapterManifest[];
  /** Those that can be served; more may be named as well. */
  champions: AdapterManifest[];
  /** Why a champion cannot be served, or was not proven as the server failed: it is tried again. */
  failed: Map<Hash, Refusal | Failure>;
}

export interface StartingOptions {
  base: string;
  adapter: string[];
  champions: boolean;
  refusesTaint: boolean;
  target: string;
  canary: boolean;
}

/** Throws: `UNKNOWN_BASE`, `UNKNOWN_ADAPTER`; `TAINTED_ADAPTER` for one that is named and refused. */
export async function startingWith(options: StartingOptions, { home }: Context): Promise<Starting> {
  const { target, refusesTaint } = options;
  const base = await readBaseManifest(home, options.base);
  const named = await Promise.all(options.adapter.map((name) => readAdapterManifest(home, name)));
  if (refusesTaint && named.length > 0) {
    const tainted = await taintedAdapters(home);
    for (const adapter of named) {
      const taint = tainted.get(adapter.adapterHash);
      if (taint !== undefined) throw taintedAdapter(adapter, taint);
    }
  }
  const standing = options.champions ? await standingChampions(home, { base, refusesTaint }) : new Map();
  const { checkServable } = await import("../serve/index.ts");
  const champions = new Map<Hash, AdapterManifest>();
  const failed: Starting["failed"] = new Map();
  for (const one of standing.values()) {
    const adapter: AdapterManifest | null = "refusal" in one ? null : one.adapter;
    if (adapter === null || failed.has(adapter.adapterHash)) continue;
    try {
      await checkServable(home, { base, adapter, target });
      champions.set(adapter.adapterHash, adapter);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      failed.set(adapter.adapterHash, error);
    }
  }
  return { base, named, champions: [...champions.values()], failed };
}

/**
 * Puts adapters to the canary; a champion that fails, or whose server does, goes among those that cannot be served.
 * Throws: `ADAPTER_NOT_LIVE` for one that is named, and a failure of the boundary `endpoint`.
 */
export async function proveStarted(
  server: RunningServer,
  { starting, target, canary }: { starting: Starting; target: string; canary: boolean },
  context: Context,
): Promise<void> {
  const { base, named, champions, failed } = starting;
  const asked = { base, target, canary };
  tellPending(server, context);
  for (const adapter of named) await proveServed(server, { ...asked, adapter }, context);
  const isNamed = new Set(named.map(({ adapterHash }) => adapterHash));
  for (const adapter of champions.filter(({ adapterHash }) => !isNamed.has(adapterHash))) {
    try {
      await proveServed(server, { ...asked, adapter }, context);
    } catch (error) {
      if (!(error instanceof Refusal || error instanceof Failure)) throw error;
      failed.set(adapter.adapterHash, error);
      void server
        .unload(server.idOf(adapter.adapterHash))
        .catch((cause: Error) => warn(`Warning: ${cause.message}`, context));
    }
  }
}

function taintedAdapter(adapter: AdapterManifest, taint: Tainted): Refusal {
  return new Refusal({
    code: "TAINTED_ADAPTER",
    message: `The adapter ${adapterLabel(adapter)} ${learned(taint)} from what was revoked since.`,
    expected: "an adapter without a revoked row behind it",
    got: `--on-taint refuse with --adapter ${adapterLabel(adapter)}`,
    fix: "leave it out, serve an adapter of the dataset's successor, or --on-taint warn",
  });
}
