/**
 * Chooses the rows of a dataset: the user's filter, then the integrity filters, then what the tier makes of an item's
 * sound examples, then no near-duplicates over all items, then balance. Examples are seen once, item by item over all
 * runs, and rows are put aside on the disk: memory grows with the number of rows, and not with that of the examples or
 * with their length. Does not know of tokens, formats or files.
 */
import { join } from "node:path";
import { loadExtension } from "../foundation/discovery.ts";
import { Refusal } from "../foundation/errors.ts";
import { garbageMeter } from "../foundation/garbage.ts";
import { groupBy } from "../foundation/group-by.ts";
import { oneAhead } from "../foundation/one-ahead.ts";
import type { RunId, TurnId } from "../records/ids.ts";
import { type RefusalTally, refusalTally } from "../records/refusal-tally.ts";
import { NOT_SCRUBBED, originsOf, type Selection } from "../records/selection.ts";
import { type Row, sqlText } from "../store/duckdb.ts";
import type { Lake } from "../store/lake.ts";
import type { RecordedTexts } from "../store/recorded-texts.ts";
import { CANDIDATE_COLUMNS, type Candidate, readCandidate, type TipsSaid } from "./candidate.ts";
import { candidatesQuery, filteredOutQuery, type ItemRange, itemsQuery, tasksQuery } from "./candidate-query.ts";
import { type CandidateTexts, candidateTexts } from "./candidate-texts.ts";
import { clauseTally } from "./clause-counts.ts";
import { refuseCopy, type Told } from "./duplicates.ts";
import { type ExampleSpill, openSpill } from "./example-spill.ts";
import { type GateKeeper, openGates } from "./gates.ts";
import { openHeldOut } from "./held-out.ts";
import { becauseOf } from "./item-gate.ts";
import { rateGate } from "./item-rates.ts";
import { type RowTable, rowTable } from "./row-table.ts";
import type { SelectionSettings } from "./selection-settings.ts";
import { FAILED_COMMAND } from "./step-flags.ts";
import type { ItemWork, TierRule } from "./tier.ts";

/** Where examples are read from, and a folder on whose disk they are put aside until the selection is closed. */
export interface SelectionStore {
  lake: Lake;
  texts: RecordedTexts;
  spillFolder: string;
}

const EXAMPLES_NAMED = 3;
/** The more, the fewer queries: each looks into every file of the lake. */
const EXAMPLES_PER_RANGE = 40_000;
/** The tasks of a range are held together. */
const TASK_BYTES_PER_RANGE = 32 << 20;
/** To be counted they are only joined. */
const RANGES_PER_COUNT = 3;
const MOST_GARBAGE_BYTES = 64 << 20;
/** Why a turn may be refused by itself and still be a step of an attempt: it stays as context and is not trained on. */
const STEPS_MAY = new Set(["no-action", "truncated", "failed-step", FAILED_COMMAND]);
const TIERS_FOLDER = join(import.meta.dirname, "tiers");

/** Throws: `UNKNOWN_TIER` with the nearest known ones. */
export function loadTier(id: string): Promise<TierRule> {
  return loadExtension<TierRule>(TIERS_FOLDER, "tier", id);
}

/**
 * Chooses rows of the lake. The selection is to be closed; lake and texts may be closed before it.
 * Throws: `FAMILY_IN_TWO_SPLITS`, `ITEM_IN_TWO_SPLITS` where one of the skills is held out in another run; `UNKNOWN_GATE`, `GATE_IS_FIXED`.
 */
export async function selectExamples(store: SelectionStore, settings: SelectionSettings): Promise<Selection> {
  const spill = openSpill(store.spillFolder);
  try {
    return await selectInto(spill, store, settings);
  } catch (error) {
    spill.close();
    throw error;
  }
}

async function selectInto(spill: ExampleSpill, store: SelectionStore, settings: SelectionSettings): Promise<Selection> {
  const { lake } = store;
  await refuseTwoSplits(lake, settings);
  const told: Told = { refusals: refusalTally(), duplicates: [] };
  const { refusals } = told;
  const { ranges, examples } = await itemRanges(lake, settings);
  const clauses = clauseTally(settings.filter);
  for (const range of merged(ranges, RANGES_PER_COUNT))
    for (const row of await filteredOut(lake, { settings, range, refusals })) clauses.add(row);
  const table = rowTable(settings);
  const refuse = (reason: string, { turn }: { turn: TurnId }, kept?: { turn: TurnId }) => {
    if (kept === undefined) refusals.add(reason, [turn]);
    else refuseCopy(told, { removed: turn, kept: kept.turn, reason });
  };
  await addRows({ spill, table, refusals }, store, { settings, refuse, ranges });
  const turnsOf = (row: number) => originsOf(spill.get(table.placeOf(row)));
  const chosen = table.choose((row, reason, kept) => {
    const standsFor = kept === null ? undefined : turnsOf(kept)[0];
    for (const origin of turnsOf(row)) refuse(reason, origin, standsFor);
  });
  const train = chosen.filter(table.isTrain).length;
  return {
    examples,
    chosen: { train, validation: chosen.length - train },
    clauses: clauses.counts(),
    ...told,
    scrub: NOT_SCRUBBED,
    async *rows() {
      for (const row of chosen) yield spill.get(table.placeOf(row));
    },
    close: spill.close,
  };
}

async function addRows(
  { spill, table, refusals }: { spill: ExampleSpill; table: RowTable; refusals: RefusalTally },
  store: SelectionStore,
  { settings, refuse, ranges }: ItemWork & { ranges: readonly ItemRange[] },
): Promise<void> {
  const { lake } = store;
  const tier = await loadTier(settings.tier);
  const refusing = await openGates(settings);
  const heldOut = await openHeldOut(lake, settings.heldOut);
  const said = await tipsSaid(lake);
  const collect = garbageMeter(MOST_GARBAGE_BYTES);
  const texts = candidateTexts(store.texts);
  const open = async (range: ItemRange) => {
    const gates = [await heldOut.gate(range), await rateGate(lake, settings, range)];
    const { sql, parameters } = candidatesQuery(settings, range, CANDIDATE_COLUMNS);
    const tasks = await tasksOf(lake, settings, range);
    return { gates, tasks, batches: await lake.stream(sql, parameters) };
  };
  for await (const { gates, tasks, batches } of oneAhead(ranges, open)) {
    for await (const ofItem of byItem(candidates(batches, texts, said))) {
      collect();
      const item = ofItem[0]?.item ?? "";
      const gate = gates.flatMap((says) => says(item) ?? [])[0];
      if (gate !== undefined) {
        for (const { turn } of ofItem) refusals.add(gate.reason, [becauseOf(turn, gate)]);
        continue;
      }
      const sound = soundOf(ofItem, { settings, refuse, refusing });
      for (const tierRow of tier.rows(sound, { settings, refuse }))
        table.add(tierRow, spill.put(tierRow.row), tasks.get(item) ?? "");
    }
  }
}

/** By item; of none where no near-duplicates are looked for. */
async function tasksOf(lake: Lake, settings: SelectionSettings, range: ItemRange): Promise<Map<string, string>> {
  if (settings.nearThreshold === null) return new Map();
  const { sql, parameters } = tasksQuery(settings, range);
  const tasks = new Map<string, string>();
  for await (const rows of await lake.stream(sql, parameters)) {
    for (const { item, task } of rows) tasks.set(String(item), String(task));
  }
  return tasks;
}

/** Of a whole attempt every turn is a part of the row: each has to pass, but for what only the last one can have. */
function soundOf(
  ofItem: readonly Candidate[],
  { settings, refuse, refusing }: ItemWork & { refusing: GateKeeper },
): Candidate[] {
  const units =
    settings.unit === "turn"
      ? ofItem.map((candidate) => [candidate])
      : groupBy(ofItem, ({ attempt }) => attempt).values();
  return [...units].flatMap((turns) => {
    const reasons = turns.map((turn, i) => refusing(turn, i < turns.length - 1 ? STEPS_MAY : undefined));
    const reason = reasons.find((found) => found !== null) ?? null;
    if (reason === null) return turns;
    for (const turn of turns) refuse(reason, turn);
    return [];
  });
}

/** Cuts the items in scope into ranges, each small enough for its examples to be joined and sorted in little memory. */
async function itemRanges(lake: Lake, settings: SelectionSettings): Promise<{ ranges: ItemRange[]; examples: number }> {
  const { examplesPerRange = EXAMPLES_PER_RANGE } = settings;
  const { sql, parameters } = itemsQuery(settings);
  const ranges: ItemRange[] = [];
  let total = 0;
  let inRange = 0;
  let taskBytes = 0;
  let last = "";
  const cut = () => {
    if (inRange > 0) ranges.push({ after: ranges.at(-1)?.until ?? "", until: last });
    inRange = 0;
    taskBytes = 0;
  };
  for await (const rows of await lake.stream(sql, parameters)) {
    for (const { item, examples, task_bytes } of rows) {
      if (inRange >= examplesPerRange || taskBytes >= TASK_BYTES_PER_RANGE) cut();
      last = String(item);
      inRange += Number(examples);
      taskBytes += Number(task_bytes);
      total += Number(examples);
    }
  }
  cut();
  return { ranges, examples: total };
}

/** Also of tips whose own run is not in the lake: their prompts may be. What is revoked is refused for that. */
export async function tipsSaid(lake: Lake): Promise<TipsSaid> {
  const named = async (sql: string) => new Set((await lake.query(sql)).map(({ tip }) => String(tip)));
  const revoked = await named("SELECT target AS tip FROM ledger.revocations WHERE kind = 'tip'");
  const retired = await named(
    "SELECT tip FROM tips WHERE retired_reason IS NOT NULL UNION SELECT tip FROM ledger.tip_retirements",
  );
  for (const tip of revoked) retired.delete(tip);
  return { retired, revoked };
}

/** Puts each so many ranges that follow one another together. */
function merged(ranges: readonly ItemRange[], count: number): ItemRange[] {
  const firsts = ranges.filter((_, i) => i % count === 0);
  const lasts = ranges.filter((_, i) => i % count === count - 1 || i === ranges.length - 1);
  return firsts.map(({ after }, i) => ({ after, until: lasts[i]?.until ?? after }));
}

async function* candidates(
  batches: AsyncIterable<Row[]>,
  texts: CandidateTexts,
  said: TipsSaid,
): AsyncGenerator<Candidate> {
  for await (const rows of batches) for (const row of rows) yield readCandidate(row, texts, said);
}

async function* byItem(all: AsyncIterable<Candidate>): AsyncGenerator<Candidate[]> {
  let ofItem: Candidate[] = [];
  for await (const candidate of all) {
    if (ofItem.length > 0 && ofItem[0]?.item !== candidate.item) {
      yield ofItem;
      ofItem = [];
    }
    ofItem.push(candidate);
  }
  if (ofItem.length > 0) yield ofItem;
}

/**
 * Counts who refused what the filter is not true of, and returns what the filter alone did: nothing is true any more of an attempt
 * whose verdict is revoked.
 */
async function filteredOut(
  lake: Lake,
  { settings, range, refusals }: { settings: SelectionSettings; range: ItemRange; refusals: RefusalTally },
) {
  const { sql, parameters } = filteredOutQuery(settings, range, EXAMPLES_NAMED);
  const rows = await lake.query(sql, parameters);
  const isGate = !settings.gatesOff.includes("revoked");
  const byFilter = rows.filter(({ is_revoked }) => !(is_revoked === true && isGate));
  for (const row of rows) {
    const { first, filtered } = row;
    const reason = byFilter.includes(row) ? "filter" : "revoked-verdict";
    refusals.add(reason, Array.isArray(first) ? first.map(String) : [], Number(filtered));
  }
  return byFilter;
}

/** What was held out once must never be trained on, so a lake that says both is not used at all. */
async function refuseTwoSplits(lake: Lake, { skills, splitRuns }: SelectionSettings): Promise<void> {
  if (splitRuns.size === 0) return;
  const list = (names: Iterable<string>) => [...names].map(sqlText).join(", ");
  for (const what of ["family", "item"] as const) {
    const rows = await lake.query(
      `SELECT skill, ${what} AS name, split, min(run) AS run FROM files.items
       WHERE skill IN (${list(skills)}) AND run IN (${list(splitRuns.keys())}) GROUP BY skill, name, split
       QUALIFY count(*) OVER (PARTITION BY skill, name) > 1 ORDER BY skill, name, split LIMIT 3`,
    );
    const of = rows.filter(({ skill, name }) => skill === rows[0]?.skill && name === rows[0]?.name);
    if (of.length > 0) throw inTwoSplits(what, of, splitRuns);
  }
}

function inTwoSplits(what: "family" | "item", rows: readonly Row[], ways: SelectionSettings["splitRuns"]): Refusal {
  const takenOut = new Set(rows.map(({ run }) => ways.get(run as RunId)));
  return new Refusal({
    code: what === "family" ? "FAMILY_IN_TWO_SPLITS" : "ITEM_IN_TWO_SPLITS",
    message: `The ${what} "${rows[0]?.name}" of the skill ${rows[0]?.skill} is in two splits, so no dataset of it would be honest.`,
    expected: `a${what === "item" ? "n item" : " family"} lies in one split over all runs`,
    got: rows.map(({ split, run }) => `${split} in ${run}`).join(", "),
    where: "the items of the sealed runs",
    fix: `the skill's salt, split fractions or families have changed between them; take out what is wrong: ${[...takenOut].join(", or ")}`,
  });
}
