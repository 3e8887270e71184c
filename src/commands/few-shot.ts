/**
 * Solved items that a skill brings along, as the memory of a comparison's `few-shot` arm: a run over train items that saves them and
 * attempts nothing, so that what stands in the arm's prompts is on record as every other tip is.
 */
import { Refusal } from "../foundation/errors.ts";
import { CODE_VERSION } from "../foundation/version.ts";
import { type Endpoint, runHarness } from "../harness/index.ts";
import type { Arm } from "../records/comparison.ts";
import { scanItems } from "../skills/scan.ts";
import { listRuns } from "../store/runs.ts";
import type { Context } from "./command.ts";
import type { OpenPart } from "./validate-draft.ts";

/**
 * Returns the run that holds a skill's solved items, made now where there is none yet.
 * Throws: `NO_STARTERS` where the skill brings none; as `runHarness`.
 */
export async function solvedItemsRun(
  { part, skill }: OpenPart,
  { worker, itemSeed }: { worker: Endpoint; itemSeed: number },
  context: Context,
): Promise<Arm["tipRuns"][number]> {
  const { home, clock, signal } = context;
  const label = `few-shot ${part.skill.hash} ${itemSeed}`;
  const known = (await listRuns(home)).find((run) => run.label === label && run.isSealed);
  if (known?.head) return { run: known.run, head: known.head };
  const result = await runHarness({
    ...{ home, clock, signal, skill, skillHash: part.skill.hash, codeVersion: CODE_VERSION },
    ...{ items: await scanItems(skill, { seed: itemSeed, split: "train" }), split: "train", roles: { worker } },
    ...{ attempts: 1, mostAttempts: 0, concurrency: 1, seed: itemSeed, sampling: part.sampling, comparison: null },
    ...{ memory: "grow", tipRuns: [], starters: true, config: { command: "few-shot", label } },
  });
  if (result.tips === 0) throw noStarters(part.skill.id);
  return { run: result.run, head: result.head };
}

function noStarters(skill: string): Refusal {
  return new Refusal({
    code: "NO_STARTERS",
    message: `The skill ${skill} brings no solved items along, so there is nothing to show.`,
    expected: "a skill with `starters`",
    fix: "leave the arm few-shot out",
  });
}
