/**
 * One try at a comparison, from one canary to the next. An adapter that stops being applied on the way is judged as the base, and
 * only the canary at the end tells; so a run, or a figure of general ability, is taken up by a later try only where the ledger says that
 * the canary stood after its last line. Does not know how the canary is asked.
 */
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../foundation/clock.ts";
import { type Hash, hashFile, hashJson, shortHash } from "../foundation/hashing.ts";
import { acquireLock } from "../foundation/lock-file.ts";
import type { Plan } from "../records/comparison.ts";
import type { RunId } from "../records/ids.ts";
import { lastLink } from "../store/chain.ts";
import type { Home } from "../store/home.ts";
import { appendLedger, readLedger } from "../store/ledger.ts";
import { listRuns } from "../store/runs.ts";
import type { Canaries } from "./validate-canary.ts";

export interface Session {
  /** Runs of earlier tries, at whose end no canary stood: they are made again. */
  readonly leftOut: readonly RunId[];
  /** What the canary has said since the start: of an adapter that was not applied once, whatever it says later. */
  canaries(): Canaries;
  isTakenUp(run: RunId): boolean;
  /** Notes what the canary says while nothing is written: where all adapters are live, all that is there may be taken up. */
  note(canaries: Canaries): Promise<void>;
  /** Lets others have the comparison. */
  close(): void;
}

/** Where figures of general ability are kept. */
export function generalFolder(home: Home, { comparisonHash }: Plan): string {
  return join(home.comparisonFolder(comparisonHash), "general");
}

/** Opens a planned comparison for one try; figures of general ability that no canary stood after are removed. Throws: `LOCKED`. */
export async function openSession(home: Home, plan: Plan, clock: Clock): Promise<Session> {
  const { comparisonHash } = plan;
  const lock = join(home.comparisonFolder(comparisonHash), "lock");
  const close = acquireLock(lock, `The comparison ${shortHash(comparisonHash)}`);
  try {
    const unproven = plan.purpose === "aa" ? [] : await dropUnproven(home, plan);
    const leftOut = new Set(unproven);
    let seen: Canaries = { isLive: null, notApplied: [] };
    return {
      leftOut: unproven,
      canaries: () => seen,
      isTakenUp: (run) => !leftOut.has(run),
      async note(canaries) {
        if (seen.isLive === false) return;
        seen = canaries;
        if (canaries.isLive !== true) return;
        const runs = (await headsOf(home, plan)).filter(({ run }) => !leftOut.has(run));
        const data = { comparisonHash, runs, generalHash: await generalHash(home, plan) };
        appendLedger(home, { type: "arms_proven", data }, clock);
      },
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

async function dropUnproven(home: Home, plan: Plan): Promise<RunId[]> {
  const heads = new Map<RunId, Hash>();
  let general: Hash | null = null;
  for await (const { type, data } of readLedger(home)) {
    if (type !== "arms_proven" || data.comparisonHash !== plan.comparisonHash) continue;
    for (const { run, head } of data.runs) heads.set(run, head);
    general = data.generalHash;
  }
  if ((await generalHash(home, plan)) !== general) {
    await rm(generalFolder(home, plan), { recursive: true, force: true });
  }
  return (await headsOf(home, plan)).filter(({ run, head }) => heads.get(run) !== head).map(({ run }) => run);
}

/** Where the logs of the comparison's runs end now, sealed or not. */
async function headsOf(home: Home, { comparisonHash }: Plan): Promise<{ run: RunId; head: Hash }[]> {
  return (await listRuns(home))
    .filter(({ comparison }) => comparison?.comparisonHash === comparisonHash)
    .map(({ run, head }) => ({ run, head: head ?? lastLink(home.runLog(run)).end.head }));
}

async function generalHash(home: Home, plan: Plan): Promise<Hash | null> {
  const folder = generalFolder(home, plan);
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  if (names === null) return null;
  return hashJson(await Promise.all(names.sort().map(async (name) => [name, await hashFile(join(folder, name))])));
}
