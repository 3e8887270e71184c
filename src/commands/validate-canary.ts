/**
 * The canary of a comparison: asked of every adapter that an arm is served with, the candidate's and the champion's alike. A champion that
 * is not applied would be the base, and easier to beat. Does not know when it is asked.
 */
import { Refusal } from "../foundation/errors.ts";
import type { Endpoint } from "../harness/index.ts";
import type { BaseManifest } from "../records/base-manifest.ts";
import type { Arm } from "../records/comparison.ts";
import type { RunningServer } from "../serve/index.ts";
import { readAdapterManifest } from "../store/manifests.ts";
import type { Context } from "./command.ts";
import { proveLive } from "./live-adapter.ts";

/** What the canary says of all adapters together. */
export interface Canaries {
  /** Whether all are applied; null where the endpoint cannot tell of one, or none is served. */
  isLive: boolean | null;
  /** The arms whose adapter is not. */
  notApplied: string[];
}

export interface ServedArms {
  arms: readonly Arm[];
  base: BaseManifest;
  endpointOf(arm: Arm): Endpoint;
  server: RunningServer;
  target: string;
}

/** Throws: `ADAPTER_NOT_LIVE` for the first adapter that is not; a failure of the boundary `endpoint`. */
export async function refuseNotLive(served: ServedArms, context: Context): Promise<void> {
  for (const arm of armsOfAdapters(served)) await isLive(arm, served, context);
}

/** Asks the canary of every adapter. Throws: a failure of the boundary `endpoint`. */
export async function canariesOf(served: ServedArms, context: Context): Promise<Canaries> {
  const notApplied: string[] = [];
  let told: true | null = true;
  const arms = armsOfAdapters(served);
  for (const arm of arms) {
    try {
      if ((await isLive(arm, served, context)) === null) told = null;
    } catch (error) {
      if (!(error instanceof Refusal) || error.code !== "ADAPTER_NOT_LIVE") throw error;
      notApplied.push(arm.arm);
    }
  }
  return { isLive: notApplied.length > 0 ? false : arms.length === 0 ? null : told, notApplied };
}

/** One arm for each adapter. */
function armsOfAdapters({ arms }: ServedArms): Arm[] {
  return arms.filter(
    ({ adapterHash }, index) =>
      adapterHash !== null && arms.findIndex((arm) => arm.adapterHash === adapterHash) === index,
  );
}

async function isLive(
  arm: Arm,
  { base, endpointOf, server, target }: ServedArms,
  context: Context,
): Promise<true | null> {
  const adapter = await readAdapterManifest(context.home, arm.adapterHash ?? "");
  const asked = { endpoint: endpointOf(arm), known: { base, adapter }, baseModel: server.idOf(null), target };
  const proof = await proveLive(asked, context);
  return proof?.state === "live" ? true : null;
}
