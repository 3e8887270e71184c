/**
 * Writes one imported run as a draft. Knows no format.
 */
import type { Json } from "../foundation/canonical-json.ts";
import type { Clock } from "../foundation/clock.ts";
import type { Hash } from "../foundation/hashing.ts";
import type { RunEvent } from "../records/events.ts";
import type { SkillSplits } from "../skills/skill-splits.ts";
import type { Home } from "../store/home.ts";
import { createRunLog } from "../store/run-log.ts";
import type { DraftRuns } from "./draft-runs.ts";
import type { ForeignRun, Rejected } from "./foreign.ts";
import { type FamilyRule, foreignStart } from "./foreign-item.ts";
import { type ForeignRecord, foreignWriter } from "./foreign-writer.ts";
import { rejected } from "./reading/json.ts";
import { endRun, type SealedRecording } from "./recorded-run.ts";
import { openRunCounts } from "./run-counts.ts";

export interface ImportTarget {
  home: Home;
  clock: Clock;
  codeVersion: string;
  format: string;
  /** Null takes what the source says. */
  skill: string | null;
  /** Null takes the families that the source says. */
  familyRule: FamilyRule | null;
}

export interface OpenImport {
  /** Writes a record of this run. Throws: as the log's `append`. */
  take(record: ForeignRecord): void;
  /** Facts of the run that are too long to be kept with it. */
  tooLong: readonly Rejected[];
  /** Says what of the source could not be used. */
  note(code: string, message: string): void;
  /** Ends the run, which is a whole draft then. Throws: as `DraftRuns.add`. */
  finish(): Promise<SealedRecording>;
  /** Writes no more of it. */
  close(): void;
}

/** Of all facts of a run, as JSON: they lie in the first line of its log, which every look at the run reads. */
const MOST_FACTS_CHARACTERS = 100_000;

/** Begins the draft of an imported run. Throws: what creating its log throws. */
export function openImport(
  target: ImportTarget,
  start: ForeignRun,
  { drafts, sourceHash, splits }: { drafts: DraftRuns; sourceHash: Hash; splits: SkillSplits },
): OpenImport {
  const { clock, codeVersion, format } = target;
  const skill = target.skill ?? start.skill;
  let now = start.startedAt ?? clock();
  const run = drafts.freshId(() => now);
  const log = createRunLog(drafts.home, { run, clock: () => now, isDraft: true });
  const counts = openRunCounts(run);
  const append = (event: RunEvent) => {
    log.append(event);
    counts.take(event);
  };
  const { nativeId, model, aliases = [] } = start;
  const { facts, tooLong } = fittingFacts(start);
  const source = { format, nativeId, aliases: [...aliases], hash: sourceHash, model, facts };
  const config = { command: "import", label: nativeId, source };
  append({ type: "run_started", data: foreignStart({ run, skill, codeVersion, config }) });
  const write = foreignWriter({ log, counts, append, skill, splits, familyRule: target.familyRule });

  return {
    tooLong,
    take(record) {
      if ("at" in record && record.at) now = record.at;
      write(record);
    },
    note: (code, message) => append({ type: "failure", data: { boundary: "import", code, message, attempt: null } }),
    async finish() {
      const sealed = endRun(run, counts, append);
      const { head, events } = log;
      log.close();
      await drafts.add({ run, head, events, skill });
      return sealed;
    },
    close: log.close,
  };
}

/** The facts of a run that fit, the shortest of them first, and the others. */
function fittingFacts({ nativeId, facts }: ForeignRun): { facts: ForeignRun["facts"]; tooLong: Rejected[] } {
  const sized = Object.entries(facts).map(([name, value]) => ({ name, size: JSON.stringify(value).length }));
  const kept: ForeignRun["facts"] = {};
  const tooLong: Rejected[] = [];
  let total = 0;
  for (const { name, size } of sized.toSorted((one, other) => one.size - other.size)) {
    total += size;
    if (total <= MOST_FACTS_CHARACTERS) kept[name] = facts[name] as Json;
    else tooLong.push(rejected(`a fact of ${nativeId}`, `\`${name}\` has ${size} characters, and ${LIMIT}`));
  }
  return { facts: kept, tooLong };
}

const LIMIT = `all facts of a run may have ${MOST_FACTS_CHARACTERS}`;
