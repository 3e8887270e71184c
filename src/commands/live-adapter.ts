/**
 * The canary before a run, and before an adapter answers anybody else: an adapter that is served and not applied would be taken for one that does not help. Where a
 * server cannot score a prompt nothing can be proven, and that is told and recorded.
 */
import { Failure } from "../foundation/errors.ts";
import { warn } from "../foundation/progress.ts";
import { type AdapterManifest, adapterLabel } from "../records/adapter-manifest.ts";
import type { BaseManifest } from "../records/base-manifest.ts";
import type { RunningServer } from "../serve/index.ts";
import { readProbes } from "../store/manifests.ts";
import type { Context } from "./command.ts";
import type { Elsewhere } from "./served-elsewhere.ts";

export type Proof =
  | { state: "live"; effect: number; difference: number; differenceAtMost: number }
  | { state: "unproven"; reason: string };

/**
 * Proves an adapter that is served here, unless `canary` is off, and lets it answer where it waits for that.
 * Throws: as `proveLive`.
 */
export async function proveServed(
  server: RunningServer,
  { base, adapter, target, canary }: { base: BaseManifest; adapter: AdapterManifest; target: string; canary: boolean },
  context: Context,
): Promise<void> {
  const { adapterHash } = adapter;
  const { url, proofs } = server;
  const id = server.idOf(adapterHash);
  if (!canary) return proofs.passed(id);
  const endpoint = { url, model: proofs.nameOf(id), name: id, baseHash: base.baseHash, adapterHash };
  try {
    await proveLive({ endpoint, known: { base, adapter }, baseModel: server.idOf(null), target }, context);
  } catch (error) {
    proofs.failed(id, (error as Error).message);
    throw error;
  }
  proofs.passed(id);
}

/**
 * Proves an adapter at its endpoint; null for what is no adapter of this home.
 * Throws: `ADAPTER_NOT_LIVE`; a failure of the boundary `endpoint` where it does not answer.
 */
export async function proveLive(
  { endpoint, known, baseModel, target }: Elsewhere,
  context: Context,
): Promise<Proof | null> {
  const { home, signal } = context;
  const adapter = known?.adapter ?? null;
  if (adapter === null) return null;
  const { checkCanary } = await import("../serve/index.ts");
  const probes = await readProbes(home, adapter.adapterHash);
  const { url, model } = endpoint;
  try {
    const { effect, difference, limits } = await checkCanary({
      url,
      model,
      baseModel,
      adapter,
      probes,
      target,
      signal,
    });
    const { differenceAtMost } = limits;
    return { state: "live", effect: effect.endpoint, difference: difference.adapter, differenceAtMost };
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "NO_PROMPT_SCORES") throw error;
    const label = adapterLabel(adapter);
    warn(`Warning: the server does not score prompts, so it is not proven that ${label} is live there.`, context);
    return { state: "unproven", reason: error.message.slice(0, 300) };
  }
}
