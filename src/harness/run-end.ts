/**
 * The last lines of a run's log: what its memory says twice is merged, then the run is finished. Contradictions are
 * told to whoever started the run, and change nothing.
 */
import { sumOf } from "../foundation/sums.ts";
import type { RunId } from "../records/ids.ts";
import type { RunLog } from "../store/run-log.ts";
import { type Consolidation, consolidate } from "./consolidate.ts";
import { failuresOf, judgedAttempts } from "./item-end.ts";
import type { ItemWork } from "./run-state.ts";
import type { TipIndex } from "./tip-index.ts";

/** Writes the end of a run whose items are all finished; `memory` is the one that it grew, null where it grew none. */
export function finishRun(log: RunLog, work: readonly ItemWork[], memory: TipIndex | null): Consolidation {
  const consolidation = memory === null ? { merges: [], contradictions: [] } : mergeOwnTips(log, memory);
  const attempts = sumOf(work, judgedAttempts);
  const passed = sumOf(work, (item) => item.passed);
  log.append({ type: "run_finished", data: { items: work.length, attempts, passed, failures: failuresOf(work) } });
  return consolidation;
}

/**
 * Retires each tip that this run saved and that says what an older one says; tips of other runs are in sealed logs. The
 * older one stays: what the draws of this run say of it is only known once the run is sealed.
 */
function mergeOwnTips(log: RunLog, memory: TipIndex): Consolidation {
  const { merges, contradictions } = consolidate(memory.all());
  const own = ownTips(memory, log.run);
  const possible = merges.filter(({ tip }) => own.has(tip));
  for (const { tip, into } of possible) {
    log.append({ type: "tip_retired", data: { tip, reason: mergedReason(into), mergedInto: into } });
    memory.retire(tip);
  }
  return { merges: possible, contradictions };
}

/** The reason that is recorded of a tip that was merged. */
export function mergedReason(into: string): string {
  return `merged into ${into}`;
}

function ownTips(memory: TipIndex, run: RunId): Set<string> {
  return new Set(memory.all().flatMap(({ tip, source }) => (source.run === run ? [tip] : [])));
}
