/**
 * The sets that a comparison names, loaded by their ids, and what its plan says of them before anything is asked.
 */
import { join } from "node:path";
import { extensionIds, loadExtension } from "../../foundation/discovery.ts";
import { Refusal } from "../../foundation/errors.ts";
import type { Hash } from "../../foundation/hashing.ts";
import type { GeneralSet, LoadedSet } from "../general-set.ts";

const SETS = join(import.meta.dirname, "..", "general");

/** A set as it is asked for; `folder` is where its texts lie, for those that do not ship. */
export interface WantedSet {
  id: string;
  folder?: string;
}

export type NamedSet = LoadedSet & { id: string };

/** What a plan holds of a set, so that other texts make another comparison. */
export interface PlannedSet {
  set: string;
  hash: Hash;
  /** Texts that decide. */
  texts: number;
  prompts: number;
  source: string;
}

/** The ids of all sets there are. */
export function generalSetIds(): Promise<string[]> {
  return extensionIds(SETS);
}

/** Throws: `UNKNOWN_GENERAL_SET`, and what a set refuses. */
export async function loadGeneralSets(wanted: readonly WantedSet[]): Promise<NamedSet[]> {
  return Promise.all(
    wanted.map(async ({ id, folder }) => {
      const set = await loadExtension<GeneralSet>(SETS, "general set", id);
      return { id, ...(await set.load(folder === undefined ? {} : { folder })) };
    }),
  );
}

/** For the plan. */
export function plannedSets(sets: readonly NamedSet[]): PlannedSet[] {
  return sets.map(({ id, hash, texts, prompts, source }) => ({
    ...{ set: id, hash, texts: texts.filter(({ isDeciding }) => isDeciding).length, prompts: prompts.length, source },
  }));
}

/** Throws: `GENERAL_SET_CHANGED` where a set is no longer what the plan was made for. */
export function refuseChangedSets(planned: readonly PlannedSet[], sets: readonly NamedSet[]): void {
  for (const { set, hash, source } of planned) {
    const now = sets.find(({ id }) => id === set);
    if (now?.hash === hash) continue;
    throw new Refusal({
      code: "GENERAL_SET_CHANGED",
      message: `The texts of ${set} are not those that the comparison was planned with.`,
      expected: `${source}, ${hash}`,
      got: now === undefined ? "none" : `${now.source}, ${now.hash}`,
      fix: "put the texts back, or plan a new comparison",
    });
  }
}
