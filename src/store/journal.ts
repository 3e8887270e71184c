/**
 * What a loop has finished, so that it resumes at its first unfinished stage: `loops/<settings hash>.json`.
 * Other settings are another loop. It is a convenience, not a source of truth: what a stage made stands in the logs,
 * the ledger and the manifests.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Clock } from "../foundation/clock.ts";
import { Refusal } from "../foundation/errors.ts";
import { writeJsonAtomic } from "../foundation/files.ts";
import { type Hash, hashJson } from "../foundation/hashing.ts";
import type { Home } from "./home.ts";

const stageSchema = z.object({ result: z.json(), startedAt: z.iso.datetime(), durationMs: z.number().min(0) });
const journalSchema = z.object({
  settings: z.json(),
  stages: z.record(z.string(), stageSchema),
  /** What an unfinished stage left behind for its resumption (a run id), by stage. */
  notes: z.record(z.string(), z.string()),
});

export type JournalStage = z.infer<typeof stageSchema>;

export interface Journal {
  settingsHash: Hash;
  stages: Record<string, JournalStage>;
  /**
   * Returns the stage's recorded result, or does the stage and records what it gives. `work` gets what an interrupted
   * try noted, and a function to note something for the next one.
   */
  stage<T>(
    name: string,
    work: (noted: string | undefined, note: (text: string) => Promise<void>) => Promise<T>,
  ): Promise<T>;
}

/**
 * Opens the journal of the loop with these settings, new or begun.
 * Throws: `JOURNAL_BROKEN` where the file is no journal.
 */
export async function openJournal(home: Home, settings: unknown, clock: Clock): Promise<Journal> {
  const settingsHash = hashJson(settings);
  const path = join(home.path, "loops", `${settingsHash.slice(0, 16)}.json`);
  const journal = await readJournal(path, settings);
  return {
    settingsHash,
    stages: journal.stages,
    async stage(name, work) {
      const finished = journal.stages[name];
      if (finished !== undefined) return finished.result as never;
      const startedAt = clock();
      const result = await work(journal.notes[name], async (text) => {
        journal.notes[name] = text;
        await writeJsonAtomic(path, journal);
      });
      journal.stages[name] = {
        result: (result ?? null) as never,
        startedAt: startedAt.toISOString(),
        durationMs: clock().getTime() - startedAt.getTime(),
      };
      delete journal.notes[name];
      await writeJsonAtomic(path, journal);
      return result;
    },
  };
}

async function readJournal(path: string, settings: unknown): Promise<z.infer<typeof journalSchema>> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  if (text === null) return { settings: settings as never, stages: {}, notes: {} };
  try {
    return journalSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new Refusal({
      code: "JOURNAL_BROKEN",
      message: "The loop's journal cannot be read.",
      where: path,
      fix: `remove ${path}; the loop then starts anew, and nothing recorded is lost`,
      cause,
    });
  }
}
