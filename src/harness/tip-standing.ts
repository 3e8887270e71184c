/**
 * What is known of tips when a run begins: which are retired, and the effects that draws of earlier runs gave them. A run
 * records both and keeps to them when it is resumed, so that what it reads does not change under it.
 */
import { z } from "zod";
import { type RunId, type TipId, tipIdSchema } from "../records/ids.ts";
import { CREDIT_RULE } from "../statistics/tip-credit.ts";
import type { Home } from "../store/home.ts";
import { withLake } from "../store/lake.ts";
import { revocations, tipRetirements } from "../store/ledger.ts";
import { listRuns } from "../store/runs.ts";
import { creditedTips } from "./credited-tips.ts";
import { NO_STANDING, type TipRun, type TipStanding } from "./memory.ts";
import { readRunStart } from "./open-run.ts";

const DIGITS = 4;

const recordedSchema = z.object({
  retiredTips: z.array(tipIdSchema).default([]),
  mergedTips: z.record(tipIdSchema, tipIdSchema).default({}),
  tipEffects: z.record(z.string(), z.number()).default({}),
});

/**
 * Returns the standing of the tips of these runs: as a resumed run recorded it, else as ledger and lake have it now.
 * Throws: as `openLake`, where an earlier run of the skill drew tips; `RUN_EMPTY`.
 */
export async function tipStanding(
  home: Home,
  { skill, tipRuns, resume }: { skill: string; tipRuns: readonly TipRun[]; resume: RunId | undefined },
): Promise<TipStanding> {
  if (tipRuns.length === 0) return NO_STANDING;
  if (resume !== undefined) return recordedSchema.parse((await readRunStart(home, resume)).start.config);
  const runs = new Set(tipRuns.map(({ run }) => run));
  const retirements = [...tipRetirements(home).values()].filter((retired) => retired.skill === skill);
  const revoked = revocations(home).flatMap(({ kind, target }) => (kind === "tip" ? [target as TipId] : []));
  const retired = retirements.flatMap(({ tip, mergedInto }) => (mergedInto === null ? [tip] : []));
  const retiredTips = [...new Set([...retired, ...revoked])];
  const mergedTips = Object.fromEntries(
    retirements.flatMap(({ tip, mergedInto }) => (mergedInto === null ? [] : [[tip, mergedInto]])),
  );
  return { retiredTips, mergedTips, tipEffects: await effectsOf(home, skill, runs) };
}

/** Only where some run drew tips: then the lake is there to be asked, else there is nothing to ask it. */
async function effectsOf(home: Home, skill: string, of: ReadonlySet<RunId>): Promise<TipStanding["tipEffects"]> {
  const drawn = (await listRuns(home)).filter((run) => run.skill === skill && run.isSealed && run.tipDropout > 0);
  const runs = drawn.filter(({ split }) => split === "train").map(({ run }) => run);
  if (runs.length === 0) return {};
  return withLake(home, async (lake) => {
    const tips = await creditedTips(lake, { skill, runs, isOfRuns: false, rule: CREDIT_RULE });
    const known = tips.flatMap(({ tip, run, credit }) => {
      const estimate = credit.shrunken?.estimate;
      return estimate === undefined || !of.has(run) ? [] : [[tip, Number(estimate.toFixed(DIGITS))] as const];
    });
    return Object.fromEntries(known);
  });
}
