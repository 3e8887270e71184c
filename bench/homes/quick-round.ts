/**
 * What the benchmarks of training and serving work on: the rows that a quick demo collects, and the adapter that it trains
 * on them. Made once, by the stages of the loop up to the training, in a home that is kept (`TRACEMILL_BENCH_HOME`, else a
 * folder beside other temporary ones); a home where `tracemill loop --preset quick` has run is gone on from.
 */
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureBase } from "../../src/commands/base.ts";
import type { Context } from "../../src/commands/command.ts";
import { exportDataset } from "../../src/commands/export.ts";
import { collectingOf, FIRST_ROUND, type LoopSettings, loopSettings } from "../../src/commands/loop-settings.ts";
import { runSkill } from "../../src/commands/run.ts";
import { trainOn } from "../../src/commands/train.ts";
import { systemClock } from "../../src/foundation/clock.ts";
import type { Hash } from "../../src/foundation/hashing.ts";
import type { AdapterManifest } from "../../src/records/adapter-manifest.ts";
import type { BaseManifest } from "../../src/records/base-manifest.ts";
import { type Home, homeAt } from "../../src/store/home.ts";
import { openJournal } from "../../src/store/journal.ts";

const SETTINGS = loopSettings("quick", {
  ...{ skill: "sql", learns: ["sql"], base: "smollm2", seed: 1, sides: [], round: FIRST_ROUND, continues: false },
  ...{ target: "llamacpp", serverArgs: "", startTimeout: "10m" },
});

export interface QuickRound {
  home: Home;
  base: BaseManifest;
  dataset: Hash;
  settings: LoopSettings;
  /** The demo's adapter, trained where it is not there yet. */
  adapter(): Promise<AdapterManifest>;
}

/** Collects the rows of a quick demo, or finds them; as long as a few minutes. */
export async function quickRound(): Promise<QuickRound> {
  const home = homeAt(process.env.TRACEMILL_BENCH_HOME ?? join(tmpdir(), "tracemill-bench-quick-round"));
  await mkdir(home.path, { recursive: true });
  const { stdout, stderr } = process;
  const signal = new AbortController().signal;
  const context: Context = { home, stdout, stderr, clock: systemClock, isJson: false, signal };
  const { skill, learns, base: name, seed, target, serverArgs, startTimeout } = SETTINGS;
  const work = { skill, seed, itemSeed: seed, model: name, target, serverArgs, startTimeout };
  const { stage } = await openJournal(home, collectingOf(SETTINGS), systemClock);
  const run = async (title: string, options: Omit<Parameters<typeof runSkill>[0], keyof typeof work>) => {
    const { run: made } = await stage(title, (resume, noteRun) =>
      runSkill({ ...work, ...options, resume, noteRun }, context),
    );
    return made;
  };

  const base = await ensureBase(name, context);
  const train = await run("collect", { ...SETTINGS.collect, split: "train", memory: "grow" });
  const watched = await run("watch", { ...SETTINGS.watch, split: "validation", tipsFrom: [train] });
  const dataset = await stage("export", async () => {
    const runs = [train, watched];
    return (await exportDataset({ ...SETTINGS.export, skills: learns, base: name, seed, runs }, context)).datasetHash;
  });
  const adapter = () => trainOn({ ...SETTINGS.train, seed, dataset, base: name }, context);
  return { home, base, dataset, settings: SETTINGS, adapter };
}
