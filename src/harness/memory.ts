/**
 * The tips that a run may read: those of earlier train runs, and in `grow` mode its own as they come.
 * Only tips of train items enter, whatever a log says: what was learnt from held-out work must not reach a prompt.
 */
import { Refusal } from "../foundation/errors.ts";
import type { Hash } from "../foundation/hashing.ts";
import { unknownName } from "../foundation/nearest.ts";
import type { Random } from "../foundation/random.ts";
import type { MemoryMode } from "../records/events.ts";
import type { RunId, TipId } from "../records/ids.ts";
import type { Item, Split } from "../records/item.ts";
import type { Retrieval, Tip } from "../records/tip.ts";
import type { Budget } from "../skills/template.ts";
import type { Home } from "../store/home.ts";
import { listRuns, readRunLog } from "../store/runs.ts";
import { type Retirements, readableTips } from "./readable-tips.ts";
import type { Similarity } from "./retrieval-method.ts";
import { type TipIndex, tipIndex } from "./tip-index.ts";

export interface TipRun {
  run: RunId;
  head: Hash;
}

/** What is known of tips of earlier runs when a run begins. */
export interface TipStanding {
  /** Tips of the skill that the ledger retired for what they say. */
  retiredTips: TipId[];
  /** Those that it merged, and what they were merged into. */
  mergedTips: Record<TipId, TipId>;
  /** Shrunken effects of tips that were drawn, as fractions. */
  tipEffects: Record<TipId, number>;
}

export const NO_STANDING: TipStanding = { retiredTips: [], mergedTips: {}, tipEffects: {} };

/**
 * Holds a memory mode to what the split allows.
 * Throws: `MEMORY_MUST_BE_FROZEN` where a validation or test run would learn; `TIPS_WITHOUT_MEMORY`.
 */
export function checkMemory(memory: MemoryMode, split: Split, tipRuns: readonly TipRun[]): void {
  if (memory === "grow" && split !== "train") {
    throw new Refusal({
      code: "MEMORY_MUST_BE_FROZEN",
      message: `A ${split} run may read tips but not write any.`,
      expected: "memory frozen or none",
      got: "memory grow",
      fix: "give --memory frozen --tips-from RUN, or --memory none",
    });
  }
  if (memory === "none" && tipRuns.length > 0) {
    throw new Refusal({
      code: "TIPS_WITHOUT_MEMORY",
      message: "Tips were given to a run that renders none.",
      expected: "memory frozen or grow beside tips",
      got: `memory none with the tips of ${tipRuns.map((r) => r.run).join(", ")}`,
      fix: "give --memory frozen, or leave --tips-from out",
    });
  }
}

/**
 * Reads the tips of sealed train runs of a skill into an index, without those that the runs themselves or the ledger
 * retired. A tip that was merged into one of a run that is not read is read in its place: nothing that a run learnt is
 * lost to who reads it alone, and what is read always stands in the runs that are named.
 * Throws: `UNKNOWN_RUN`; `RUN_CHANGED` where a log is not sealed at the head that was named.
 */
export async function openMemory(
  home: Home,
  skill: string,
  { tipRuns, standing, similarity }: { tipRuns: readonly TipRun[]; standing: TipStanding; similarity: Similarity },
): Promise<TipIndex> {
  const index = tipIndex(similarity, new Map(Object.entries(standing.tipEffects)));
  if (tipRuns.length === 0) return index;
  const saved: SavedTip[] = [];
  const retirements = new Map<TipId, TipId | null>();
  const runs = await listRuns(home);
  for (const { run, head } of tipRuns) {
    const summary = runs.find((r) => r.run === run);
    if (summary === undefined)
      throw unknownName(
        "run",
        run,
        runs.map((r) => r.run),
      );
    if (!summary.isSealed || summary.head !== head) {
      throw new Refusal({
        code: "RUN_CHANGED",
        message: `The tips of run ${run} cannot be used.`,
        expected: `a log sealed at ${head}`,
        got: summary.isSealed ? `one sealed at ${summary.head}` : "a run that is not finished",
        where: home.runLog(run),
        fix: `tracemill run --resume ${run}`,
      });
    }
    const told = await tipsOf(home, run);
    saved.push(...told.saved.filter(({ about }) => about.skill === skill));
    for (const [tip, into] of told.retirements) retirements.set(tip, into);
  }
  for (const [tip, into] of Object.entries(standing.mergedTips)) retirements.set(tip as TipId, into);
  for (const tip of standing.retiredTips) retirements.set(tip, null);
  for (const { about, kind } of readableTips(saved, retirements)) index.add(about, kind);
  return index;
}

interface SavedTip {
  tip: TipId;
  about: Tip;
  kind: string | null;
}

/** Of train items alone: no other tip is there for anyone. */
async function tipsOf(home: Home, run: RunId): Promise<{ saved: SavedTip[]; retirements: Retirements }> {
  const tips: Tip[] = [];
  const trainKinds = new Map<string, string | null>();
  const retirements = new Map<TipId, TipId | null>();
  for await (const event of readRunLog(home, run)) {
    if (event.type === "items_scanned")
      for (const { item, split, kind } of event.data.items) if (split === "train") trainKinds.set(item, kind);
    if (event.type === "tip_saved") tips.push(event.data);
    if (event.type === "tip_retired") retirements.set(event.data.tip, event.data.mergedInto ?? null);
  }
  const saved = tips.flatMap((about) => {
    const kind = trainKinds.get(about.source.item);
    return kind === undefined ? [] : [{ tip: about.tip, about, kind }];
  });
  return { saved, retirements };
}

/** How tips are chosen for one prompt. */
export interface Recall {
  /** Most tips that are retrieved. */
  count: number;
  /** Probability with which each of them is left out by a draw. */
  dropProbability: number;
  /** The draw of one tip, from a stream of its own: what is drawn of one tip says nothing of another. */
  chance(tip: TipId): Random;
  budget: Budget;
}

/**
 * Chooses the tips for an item's prompt: what was retrieved, in rank order, and the tips that are to be rendered.
 * Whether a tip has room is settled before its own draw, and a dropped tip keeps its room: so whether a tip is shown
 * depends on its own draw and on nothing that any draw could change. A tip without room is not drawn at all.
 */
export function recall(index: TipIndex, item: Item, options: Recall): { retrievals: Retrieval[]; tips: Tip[] } {
  const { count, dropProbability, chance, budget } = options;
  const tips: Tip[] = [];
  let tokens = 0;
  const retrievals = index.similar(item, count).map(({ tip, score }, i): Retrieval => {
    const retrieved = { tip: tip.tip, rank: i + 1, score };
    const tipTokens = budget.count(tip.text);
    if (tokens + tipTokens > budget.tokens)
      return { ...retrieved, dropProbability: 0, isDropped: false, isRendered: false };
    tokens += tipTokens;
    const isDropped = dropProbability > 0 && chance(tip.tip).next() < dropProbability;
    if (!isDropped) tips.push(tip);
    return { ...retrieved, dropProbability, isDropped, isRendered: !isDropped };
  });
  return { retrievals, tips };
}
