/**
 * The main path: from an agent's runs to a proven adapter.
 *
 * Each stage is the function behind a command of the same name, so whatever the loop does can be done by hand. The
 * journal keeps what each has finished: started again with the same settings, the loop goes on at its first unfinished
 * stage, and that stage where it stopped. Knows the order of the stages and what one hands to the next, nothing else.
 */
import { ensureBase } from "./commands/base.ts";
import type { Context } from "./commands/command.ts";
import { exportDataset } from "./commands/export.ts";
import type { LoopSettings } from "./commands/loop-settings.ts";
import { runSkill } from "./commands/run.ts";
import { trainOn } from "./commands/train.ts";
import { type Room, withTrainingRoom } from "./commands/training-room.ts";
import { validateAdapter } from "./commands/validate.ts";
import type { Decision } from "./records/comparison.ts";
import { type JournalStage, openJournal } from "./store/journal.ts";

export interface LoopResult {
  settings: LoopSettings;
  /** The run that rows and tips come from, and the one that only watches the training. */
  runs: { train: string; validation: string };
  datasetHash: string;
  adapterHash: string;
  decision: Decision;
  stages: Record<string, JournalStage>;
}

/** Runs the whole loop, or what is left of it, and returns what came out of each stage. */
export async function loop(settings: LoopSettings, room: Room, context: Context): Promise<LoopResult> {
  const { skill, base, seed, target, serverArgs, startTimeout, sides, round } = settings;
  // A round collects and is judged on items of its own, so that no candidate is judged where the one before was.
  const work = { skill, seed, itemSeed: seed + round.number - 1, target, serverArgs, startTimeout };
  const { stage, stages } = await openJournal(context.home, settings, context.clock);

  await stage("base", async () => (await ensureBase(base, context)).baseHash);

  // The model works on the train families; each verified solution becomes a tip for the items that are like it.
  const train = await stage("collect", (resume, noteRun) =>
    runSkill(
      { ...settings.collect, ...work, model: round.champion ?? base, split: "train", memory: "grow", resume, noteRun },
      context,
    ),
  );

  // Verified answers of the validation families: the trainer watches its loss on them, and never trains on one.
  const watched = await stage("watch", async (resume, noteRun) => {
    const watch = { ...settings.watch, ...work, model: base, split: "validation" as const, tipsFrom: [train.run] };
    return round.watched ?? (await runSkill({ ...watch, resume, noteRun }, context)).run;
  });

  const datasetHash = await stage("export", async () => {
    const runs = [...round.replay, train.run, watched];
    return (await exportDataset({ ...settings.export, skills: [skill], base, seed, runs }, context)).datasetHash;
  });

  const adapterHash = await stage("train", async () => {
    const training = () => trainOn({ ...settings.train, seed, dataset: datasetHash, base }, context);
    return (await withTrainingRoom(room, context, training)).adapterHash;
  });

  const against = round.champion === null ? "base" : "champion";
  const decision = await stage("validate", () =>
    validateAdapter({ ...settings.validate, ...work, base, candidate: adapterHash, sides, against }, context),
  );

  return {
    settings,
    runs: { train: train.run, validation: watched },
    datasetHash,
    adapterHash,
    decision,
    stages,
  };
}
