/**
 * What tells a run of another program apart from all others, and whether it is here already.
 */
import { type Hash, hashFile, hashJson } from "../foundation/hashing.ts";
import type { RunSummary } from "../store/runs.ts";
import type { ForeignRun } from "./foreign.ts";
import type { FamilyRule } from "./foreign-item.ts";

/** Finds the run that a source has become already: by its hash, or by another name of the same run. */
export function sourcesOf(
  runs: RunSummary[],
): (format: string, start: ForeignRun, sourceHash: Hash) => RunSummary | undefined {
  const byHash = new Map(runs.map((run) => [run.source?.hash, run]));
  const named = (format: string, name: string) => `${format} ${name}`;
  const aliases = new Map<string, RunSummary>();
  for (const run of runs) {
    for (const alias of run.source?.aliases ?? []) aliases.set(named(run.source?.format ?? "", alias), run);
  }
  return (format, { nativeId }, sourceHash) => byHash.get(sourceHash) ?? aliases.get(named(format, nativeId));
}

/** What a source is imported as and with. */
interface Importing {
  format: string;
  skill: string | null;
  familyRule: FamilyRule | null;
  words: string | null;
}

/** What tells a run of a source apart: its name, its files' bytes, and what it is imported as and with. */
export function sourceHasher({ format, skill, familyRule, words }: Importing): (run: ForeignRun) => Promise<Hash> {
  const hashes = new Map<string, Promise<Hash>>();
  const ofFile = (path: string) => {
    const hash = hashes.get(path) ?? hashFile(path);
    hashes.set(path, hash);
    return hash;
  };
  return async (run) => {
    // One after the other: a job may have thousands, each of which takes a buffer while it is read.
    const files: Hash[] = [];
    for (const path of run.files) files.push(await ofFile(path));
    const given = [
      ...(familyRule === null ? [] : [["family-by", familyRule.text]]),
      ...(words === null ? [] : [["words", await ofFile(words)]]),
    ];
    return hashJson([format, run.nativeId, skill ?? run.skill, run.version ?? null, files.sort(), ...given]);
  };
}
