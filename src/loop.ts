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
import { collectingOf, judgedBy, type LoopSettings } from "./commands/loop-settings.ts";
import { type RunInput, runSkill } from "./commands/run.ts";
import { serverInputOf } from "./commands/target-input.ts";
import { trainOn } from "./commands/train.ts";
import { type Room, withTrainingRoom } from "./commands/training-room.ts";
import { validateAdapter } from "./commands/validate.ts";
import { inOrder } from "./foundation/in-order.ts";
import type { Decision } from "./records/comparison.ts";
import { type JournalStage, openJournal } from "./store/journal.ts";

export interface LoopResult {
  settings: LoopSettings;
  /** The runs that rows and tips come from, and those that only watch the training; one a skill. */
  runs: { train: string[]; validation: string[] };
  datasetHash: string;
  adapterHash: string;
  decision: Decision;
  stages: Record<string, JournalStage>;
}

/** Runs the whole loop, or what is left of it, and returns what came out of each stage. */
export async function loop(settings: LoopSettings, room: Room, context: Context): Promise<LoopResult> {
  const { skill, learns, base, seed, target, sides, round } = settings;
  // A round collects and is judged on items of its own, so that no candidate is judged where the one before was.
  const work = { seed, itemSeed: seed + round.number - 1, target, ...serverInputOf(settings) };
  const { stage, stages: collected } = await openJournal(context.home, collectingOf(settings), context.clock);
  const { stage: stageOfTraining, stages } = await openJournal(context.home, settings, context.clock);
  const ofEach = (name: string, run: Omit<RunInput, "skill">, tips?: readonly string[]) =>
    inOrder(learns, async (one, index) => {
      const tipsFrom = tips?.[index] === undefined ? {} : { tipsFrom: [tips[index]] };
      const { run: made } = await stage(learns.length === 1 ? name : `${name} ${one}`, (resume, noteRun) =>
        runSkill({ ...run, ...work, ...tipsFrom, skill: one, resume, noteRun }, context),
      );
      return made;
    });

  await stage("base", async () => (await ensureBase(base, context)).baseHash);

  // The model works on the train families; each verified solution becomes a tip for the items that are like it.
  const growing = { ...settings.collect, model: round.champion ?? base, split: "train", memory: "grow" } as const;
  const train = await ofEach("collect", growing);

  // Verified answers of the validation families: the trainer watches its loss on them, and never trains on one.
  const watching = { ...settings.watch, model: base, split: "validation" } as const;
  const watched = round.watched.length > 0 ? round.watched : await ofEach("watch", watching, train);

  const datasetHash = await stage("export", async () => {
    const runs = [...round.replay, ...train, ...watched];
    return (await exportDataset({ ...settings.export, skills: learns, base, seed, runs }, context)).datasetHash;
  });

  const adapterHash = await stageOfTraining("train", async () => {
    const from = settings.continues && round.champion !== null ? { from: round.champion } : {};
    const training = () => trainOn({ ...settings.train, ...from, seed, dataset: datasetHash, base }, context);
    return (await withTrainingRoom(room, context, training)).adapterHash;
  });

  const decision = await stageOfTraining("validate", () => {
    const asked = { ...settings.validate, ...work, ...judgedBy(settings), skill, base, candidate: adapterHash, sides };
    return validateAdapter(asked, context);
  });

  const runs = { train, validation: watched };
  return { settings, runs, datasetHash, adapterHash, decision, stages: { ...collected, ...stages } };
}
