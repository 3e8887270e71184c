/**
 * What a comparison is judged by, measured between canaries: the runs of its arms, and general ability. Whatever stops it, the canary is
 * asked once more, so that what is finished may be taken up.
 */
import { warn } from "../foundation/progress.ts";
import type { Endpoint } from "../harness/index.ts";
import type { AdapterManifest } from "../records/adapter-manifest.ts";
import type { BaseManifest } from "../records/base-manifest.ts";
import { type Arm, armNamed, decidingPair, type Plan } from "../records/comparison.ts";
import type { Renderer } from "../render/renderer.ts";
import type { RunningServer } from "../serve/index.ts";
import type { ArmRun, Found } from "../validate/index.ts";
import type { Context } from "./command.ts";
import { type AbilityQuestion, measureAbility } from "./validate-ability.ts";
import { runArms } from "./validate-arms.ts";
import type { Canaries } from "./validate-canary.ts";
import type { OpenPart } from "./validate-draft.ts";
import type { ValidateOptions } from "./validate-input.ts";
import type { Session } from "./validate-session.ts";

/** How long a stopped try waits for its last canary. */
const LAST_CANARY_MS = 60_000;

type Seen = Omit<Found, keyof Canaries | "taint" | "leaks">;

/** Where the base is only served twice. */
const NOT_ASKED: Seen = { general: [], foreign: [], kl: null, shown: [] };

interface Measuring {
  plan: Plan;
  parts: readonly OpenPart[];
  base: BaseManifest;
  adapter: AdapterManifest | null;
  ability: AbilityQuestion;
  options: ValidateOptions;
  endpointOf(arm: Arm): Endpoint;
  server: RunningServer;
  renderer: Renderer;
  session: Session;
}

/** Asks the canary of every adapter that is served. Throws: a failure of the boundary `endpoint`. */
type Prove = (signal: AbortSignal) => Promise<Canaries>;

/**
 * Runs the arms and measures what is asked beside them, with the canary after each part.
 * Throws: as `runArms` and `measureAbility`, after a last canary.
 */
export async function measured(
  { plan, parts, base, adapter, ability, options, endpointOf, server, renderer, session }: Measuring,
  prove: Prove,
  context: Context,
): Promise<{ runs: ArmRun[]; seen: Seen }> {
  const proveSoFar = async () => session.note(await prove(context.signal));
  try {
    const runs = await runArms(plan, { parts, endpointOf, options, session, onPartEnd: proveSoFar }, context);
    const [reference, treatment] = decidingPair(plan).map((name) => endpointOf(armNamed(plan, name))) as [
      Endpoint,
      Endpoint,
    ];
    const plainBase = { ...reference, model: server.idOf(null), name: base.name, adapterHash: null };
    const asked = { plan, arms: { base: plainBase, reference, candidate: treatment }, renderer, options };
    const seen = adapter === null ? NOT_ASKED : await measureAbility(ability, { ...asked, adapter }, context);
    // Once more: one that stopped being applied on the way was judged as the base.
    await proveSoFar();
    return { runs, seen };
  } catch (error) {
    if (adapter !== null) await proveAtStop(session, prove, context);
    throw error;
  }
}

/** The last canary of a try that was stopped: without it what was made would have to be made again. Never throws. */
async function proveAtStop(session: Session, prove: Prove, context: Context): Promise<void> {
  try {
    const canaries = await prove(AbortSignal.timeout(LAST_CANARY_MS));
    await session.note(canaries);
    if (canaries.isLive === true) return;
    const what =
      canaries.isLive === false
        ? `The adapter of ${canaries.notApplied.join(", ")} is not applied any more`
        : "Not every adapter is proven to be applied";
    warn(`${what}, so what this try has made is not taken up again.`, context);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    warn(`The canary could not be asked, so what this try has made is not taken up again: ${reason}`, context);
  }
}
