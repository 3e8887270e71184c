/**
 * Where imported runs lie until they are whole: in a folder of their own, so that a stop at any moment leaves no part of one
 * in the store. Whole ones are moved there and sealed some at a time, as the way to the disk and into the ledger costs as
 * much for one as for many.
 */
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../foundation/clock.ts";
import { isAlive } from "../foundation/lock-file.ts";
import { newRunId, type RunId } from "../records/ids.ts";
import { syncFolderOf, syncWritten } from "../store/durable-file.ts";
import { type Home, homeAt } from "../store/home.ts";
import type { SealedRun } from "../store/ledger.ts";
import { sealWritten } from "../store/runs.ts";

export interface DraftRuns {
  /** The home that drafts are written in. */
  home: Home;
  /** An id that no run has, there and in the store. */
  freshId(clock: Clock): RunId;
  /** Takes a run whose log has ended, by what its writer knows of it. Throws: as `keep`. */
  add(run: SealedRun): Promise<void>;
  /** Moves all that were added into the store and seals them, unless nothing may be kept. Throws: as `appendLedger`. */
  keep(): Promise<void>;
  /** Makes a folder for other files of the import, which lie no longer than it runs. */
  scratch(): string;
  /** Removes what was not kept. */
  drop(): void;
}

const MOST_WHOLE = 16;

/** Opens the drafts of one import; while `mayKeep` says no, none of them is kept. */
export function openDrafts(home: Home, clock: Clock, mayKeep: () => boolean): DraftRuns {
  const draft = homeAt(join(draftsFolder(home), `${process.pid}-${randomBytes(4).toString("hex")}`));
  let whole: SealedRun[] = [];

  async function keep(): Promise<void> {
    if (whole.length === 0 || !mayKeep()) return;
    await Promise.all(whole.map(({ run }) => syncWritten(draft.runLog(run))));
    mkdirSync(join(home.path, "runs"), { recursive: true });
    for (const { run } of whole) renameSync(draft.runFolder(run), home.runFolder(run));
    syncFolderOf(join(home.path, "runs"));
    const kept = whole;
    whole = [];
    sealWritten(home, kept, clock);
  }

  return {
    ...{ home: draft, keep },
    freshId(runClock) {
      let run = newRunId(runClock);
      while ([home, draft].some((each) => existsSync(each.runFolder(run)))) run = newRunId(runClock);
      return run;
    },
    async add(run) {
      whole.push(run);
      if (whole.length >= MOST_WHOLE) await keep();
    },
    scratch() {
      const folder = join(draft.path, "scratch");
      mkdirSync(folder, { recursive: true });
      return folder;
    },
    drop: () => rmSync(draft.path, { recursive: true, force: true }),
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
