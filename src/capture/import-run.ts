/**
 * Writes one imported run: into a folder of its own first, and into the store only once it is whole and ended, so that
 * a stop at any moment leaves no part of it there. Knows no format.
 */
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../foundation/clock.ts";
import type { Hash } from "../foundation/hashing.ts";
import { isAlive } from "../foundation/lock-file.ts";
import type { RunEvent } from "../records/events.ts";
import { newRunId } from "../records/ids.ts";
import type { SkillSplits } from "../skills/skill-splits.ts";
import { syncFolderOf } from "../store/durable-file.ts";
import { type Home, homeAt } from "../store/home.ts";
import { createRunLog, sealRun } from "../store/run-log.ts";
import type { ForeignItem, ForeignRun } from "./foreign.ts";
import { foreignStart } from "./foreign-item.ts";
import { type ForeignRecord, foreignWriter } from "./foreign-writer.ts";
import { endRun, type SealedRecording } from "./recorded-run.ts";
import { openRunCounts } from "./run-counts.ts";

export interface ImportTarget {
  home: Home;
  clock: Clock;
  codeVersion: string;
  format: string;
  /** Null takes what the source says. */
  skill: string | null;
  /** The family of an item; null takes what the source says. */
  familyOf: ((item: ForeignItem) => string | null) | null;
}

export interface OpenImport {
  /** Writes a record of this run. Throws: as the log's `append`. */
  take(record: ForeignRecord): void;
  /** Says what of the source could not be used. */
  note(code: string, message: string): void;
  /** Ends the run and moves it into the store. */
  finish(): Promise<SealedRecording>;
  /** Leaves nothing of it. */
  drop(): void;
}

const MOST_FACTS_CHARACTERS = 100_000;

export function openImport(
  target: ImportTarget,
  start: ForeignRun,
  { sourceHash, splits }: { sourceHash: Hash; splits: SkillSplits },
): OpenImport {
  const { home, clock, codeVersion, format } = target;
  const folder = join(draftsFolder(home), `${process.pid}-${randomBytes(4).toString("hex")}`);
  const draft = homeAt(folder);
  const skill = target.skill ?? start.skill;
  let now = start.startedAt ?? clock();
  let run = newRunId(() => now);
  while (existsSync(home.runFolder(run))) run = newRunId(() => now);
  const log = createRunLog(draft, { run, clock: () => now, isDraft: true });
  const counts = openRunCounts(run);
  const append = (event: RunEvent) => {
    log.append(event);
    counts.take(event);
  };
  const { facts, nativeId, model, aliases = [] } = start;
  const source = {
    format,
    nativeId,
    aliases: [...aliases],
    hash: sourceHash,
    model,
    ...(isLong(facts) ? {} : { facts }),
  };
  const config = { command: "import", label: nativeId, source };
  append({ type: "run_started", data: foreignStart({ run, skill, codeVersion, config }) });
  const write = foreignWriter({ log, counts, append, skill, splits, familyOf: target.familyOf });

  return {
    take(record) {
      if ("at" in record && record.at) now = record.at;
      write(record);
    },
    note: (code, message) => append({ type: "failure", data: { boundary: "import", code, message, attempt: null } }),
    async finish() {
      const sealed = endRun(run, counts, append);
      log.close();
      mkdirSync(join(home.path, "runs"), { recursive: true });
      renameSync(draft.runFolder(run), home.runFolder(run));
      syncFolderOf(join(home.path, "runs"));
      rmSync(folder, { recursive: true, force: true });
      await sealRun(home, run, clock);
      return sealed;
    },
    drop() {
      log.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Removes what an import left whose process was killed. */
export function removeDeadDrafts(home: Home): void {
  const folder = draftsFolder(home);
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    if (!isAlive(Number(name.split("-")[0]))) rmSync(join(folder, name), { recursive: true, force: true });
  }
}

function draftsFolder(home: Home): string {
  return join(home.path, "imports");
}

function isLong(facts: ForeignRun["facts"]): boolean {
  return JSON.stringify(facts).length > MOST_FACTS_CHARACTERS;
}
