/**
 * Remembers which sealed logs were found to be as they were sealed, by size and time of the last change: the lake goes
 * on answering from files that it made long ago, and a log that was edited since must not go unseen, nor be read whole
 * at each question. A memory, not a truth: `verify` does not ask it, and losing it costs the reading again.
 */
import { readFileSync, statSync } from "node:fs";
import { z } from "zod";
import { writeJsonAtomic } from "../foundation/files.ts";
import type { RunId } from "../records/ids.ts";
import { chainBroken, checkChain } from "./chain.ts";
import type { Home } from "./home.ts";
import type { SealedRun } from "./ledger.ts";

const seenSchema = z.object({ head: z.string(), sizeBytes: z.int().min(0), changedMs: z.number() });

type Seen = z.infer<typeof seenSchema>;

export interface CheckedLogs {
  /** Reads a log anew where it changed since it was last found sound. Throws: `LOG_BROKEN`. */
  check(run: SealedRun): void;
  /** Remembers a log that `work` reads and checks by itself. */
  checkedBy(run: SealedRun, work: () => Promise<void>): Promise<void>;
  save(): Promise<void>;
}

/** Reads what is remembered of a home's logs; what cannot be read is nothing. */
export function openCheckedLogs(home: Home): CheckedLogs {
  const known = readKnown(home.checkedLogs);
  let isChanged = false;
  const remember = (run: RunId, seen: Seen) => {
    known.set(run, seen);
    isChanged = true;
  };
  return {
    check(run) {
      const path = home.runLog(run.run);
      const seen = look(path, run);
      const before = known.get(run.run);
      if (before?.head === seen.head && before.sizeBytes === seen.sizeBytes && before.changedMs === seen.changedMs)
        return;
      const { broken } = checkChain(path, { sealed: run });
      if (broken !== null) throw chainBroken(path, broken);
      remember(run.run, seen);
    },
    async checkedBy(run, work) {
      const seen = look(home.runLog(run.run), run); // before it is read: a change while it is read is one that came later
      await work();
      remember(run.run, seen);
    },
    async save() {
      if (!isChanged) return;
      // Where the memory cannot be kept (a full or read-only disk), that too costs the reading again and no more.
      await writeJsonAtomic(home.checkedLogs, Object.fromEntries(known)).catch(() => {});
    },
  };
}

/** Times of the last change can be set back by hand (`touch -r`), those of the last change of the entry cannot. */
function look(path: string, { head }: SealedRun): Seen {
  const { size, ctimeMs } = statSync(path);
  return { head, sizeBytes: size, changedMs: ctimeMs };
}

function readKnown(path: string): Map<string, Seen> {
  try {
    return new Map(Object.entries(z.record(z.string(), seenSchema).parse(JSON.parse(readFileSync(path, "utf8")))));
  } catch {
    return new Map(); // a memory that is missing or broken only costs the reading again
  }
}
