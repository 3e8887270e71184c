/**
 * The sets that a comparison names, loaded by their ids, and what its plan says of them before anything is asked.
 */
import { join } from "node:path";
import { loadExtension } from "../../foundation/discovery.ts";
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
