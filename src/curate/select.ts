/**
 * Chooses the examples of a dataset: the user's filter, then the integrity filters, then no duplicates, then at most
 * so many of one item. Examples are seen once, item by item over all runs, and the kept ones are put aside on the disk:
 * memory grows with the number of rows, and not with that of the examples or with their length. Does not know of tokens, formats or files.
 */
import { join } from "node:path";
import { extensionIds, loadExtension } from "../foundation/discovery.ts";
import { assert, Refusal } from "../foundation/errors.ts";
import { garbageMeter } from "../foundation/garbage.ts";
import { hashJson } from "../foundation/hashing.ts";
import type { ActionCall } from "../records/events.ts";
import type { Message } from "../records/message.ts";
import { type RefusalTally, refusalTally } from "../records/refusal-tally.ts";
import type { SelectedExample, Selection } from "../records/selection.ts";
import type { Lake } from "../store/lake.ts";
import type { RecordedTexts } from "../store/recorded-texts.ts";
import { type Candidate, readCandidate } from "./candidate.ts";
import { candidatesQuery, filteredOutQuery, type ItemRange, itemsQuery, type Scope } from "./candidate-query.ts";
import { type ExampleSpill, openSpill } from "./example-spill.ts";
import type { Filter } from "./filter.ts";
import { capItem, dropDuplicates, type Pick, type Picked } from "./pick.ts";
import { pickTable } from "./pick-table.ts";

export interface SelectionSettings extends Scope {
  tips: "drop" | "keep";
  /** How a skill writes an action as an answer; null where the answer is kept as it was recorded. */
  answerText: ((skill: string, call: ActionCall) => string) | null;
  maxPerItem: number;
  seed: number;
  /** About how many examples are read at a time. */
  examplesPerRange?: number;
}

/** Where examples are read from, and a folder on whose disk they are put aside until the selection is closed. */
export interface SelectionStore {
  lake: Lake;
  texts: RecordedTexts;
  spillFolder: string;
}

const EXAMPLES_NAMED = 3;
const EXAMPLES_PER_RANGE = 20_000;
/** To be counted they are only joined. */
const RANGES_PER_COUNT = 5;
const COLLECT_EVERY_BYTES = 128 << 20;
/** What a row of the lake leaves behind, and each text about four times: read, parsed, hashed, put aside. */
const ROW_BYTES = 16 << 10;
const FILTERS_FOLDER = join(import.meta.dirname, "filters");

/**
 * Chooses examples of the lake. The selection is to be closed; lake and texts may be closed before it.
 * Throws: `FAMILY_IN_TWO_SPLITS` where a family of the skills is held out in another run.
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
  await refuseFamiliesInTwoSplits(lake, settings.skills);
  const refusals = refusalTally();
  const filters = await loadFilters();
  const { ranges, examples } = await itemRanges(lake, settings, settings.examplesPerRange ?? EXAMPLES_PER_RANGE);
  for (const range of merged(ranges, RANGES_PER_COUNT))
    await tallyFilteredOut(lake, { scope: settings, range, tally: refusals });
  const refuse = <T extends Pick>(reason: string, { kept, refused }: Picked<T>): T[] => {
    for (const { turn } of refused) refusals.add(reason, [turn]);
    return kept;
  };

  const table = pickTable(settings.seed);
  const retired = settings.tips === "keep" ? await retiredTips(lake) : new Set<string>();
  for await (const ofItem of byItem(candidates(store, { scope: settings, ranges, retired }))) {
    const sound = ofItem.filter((candidate) => {
      const refusing = filters.find(({ filter }) => filter.refuses(candidate));
      if (refusing !== undefined) refusals.add(refusing.reason, [candidate.turn]);
      return refusing === undefined;
    });
    const distinct = refuse("exact-duplicate", dropDuplicates(sound.map((candidate) => pickOf(candidate, settings))));
    for (const pick of refuse("over-item-cap", capItem(distinct, settings.maxPerItem))) {
      table.add(pick, spill.put(pick.example));
    }
  }
  const { kept, refused } = table.distinct();
  for (const row of refused) refusals.add("exact-duplicate", [spill.get(table.placeOf(row)).turn]);
  const chosen = table.shuffled(kept);

  const train = chosen.filter(table.isTrain).length;
  return {
    examples,
    chosen: { train, validation: chosen.length - train },
    refusals,
    async *rows() {
      for (const row of chosen) yield spill.get(table.placeOf(row));
    },
    close: spill.close,
  };
}

/** Short-lived: it holds the texts of an example while those of its item are compared. */
interface TextPick extends Pick {
  answerKey: string;
  example: SelectedExample;
}

interface NamedFilter {
  reason: string;
  filter: Filter;
}

/** Returns every integrity filter with its reason, sorted by it. */
export async function loadFilters(): Promise<NamedFilter[]> {
  const ids = await extensionIds(FILTERS_FOLDER);
  return Promise.all(
    ids.map(async (reason) => ({ reason, filter: await loadExtension<Filter>(FILTERS_FOLDER, "filter", reason) })),
  );
}

/** Cuts the items in scope into ranges, each small enough for its examples to be joined and sorted in little memory. */
async function itemRanges(
  lake: Lake,
  scope: Scope,
  examplesPerRange: number,
): Promise<{ ranges: ItemRange[]; examples: number }> {
  const { sql, parameters } = itemsQuery(scope);
  const ranges: ItemRange[] = [];
  let total = 0;
  let inRange = 0;
  let last = "";
  const cut = () => {
    if (inRange > 0) ranges.push({ after: ranges.at(-1)?.until ?? "", until: last });
    inRange = 0;
  };
  for await (const rows of lake.stream(sql, parameters)) {
    for (const { item, examples } of rows) {
      if (inRange >= examplesPerRange) cut();
      last = String(item);
      inRange += Number(examples);
      total += Number(examples);
    }
  }
  cut();
  return { ranges, examples: total };
}

/** Also tips whose own run is not in the lake: their prompts may be. What is revoked is refused for that. */
async function retiredTips(lake: Lake): Promise<Set<string>> {
  const rows = await lake.query(
    `(SELECT tip FROM tips WHERE retired_reason IS NOT NULL UNION SELECT tip FROM ledger.tip_retirements)
     EXCEPT SELECT target FROM ledger.revocations WHERE kind = 'tip'`,
  );
  return new Set(rows.map(({ tip }) => String(tip)));
}

/** Puts each so many ranges that follow one another together. */
function merged(ranges: readonly ItemRange[], count: number): ItemRange[] {
  const firsts = ranges.filter((_, i) => i % count === 0);
  const lasts = ranges.filter((_, i) => i % count === count - 1 || i === ranges.length - 1);
  return firsts.map(({ after }, i) => ({ after, until: lasts[i]?.until ?? after }));
}

async function* candidates(
  { lake, texts }: SelectionStore,
  { scope, ranges, retired }: { scope: Scope; ranges: readonly ItemRange[]; retired: ReadonlySet<string> },
): AsyncGenerator<Candidate> {
  const drop = garbageMeter(COLLECT_EVERY_BYTES);
  for (const range of ranges) {
    const { sql, parameters } = candidatesQuery(scope, range);
    for await (const rows of lake.stream(sql, parameters)) {
      for (const row of rows) {
        const candidate = readCandidate(row, texts, retired);
        yield candidate;
        drop(ROW_BYTES + 4 * textLength(candidate));
      }
    }
  }
}

function textLength({ messages, response }: Candidate): number {
  return [...(messages ?? []), response].reduce((sum, message) => sum + (message?.content?.length ?? 0), 0);
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

async function tallyFilteredOut(
  lake: Lake,
  { scope, range, tally }: { scope: Scope; range: ItemRange; tally: RefusalTally },
): Promise<void> {
  const { sql, parameters } = filteredOutQuery(scope, range, EXAMPLES_NAMED);
  const [row] = await lake.query(sql, parameters);
  const turns = Array.isArray(row?.first) ? row.first.map(String) : [];
  tally.add("filter", turns, Number(row?.filtered));
}

function pickOf(candidate: Candidate, settings: SelectionSettings): TextPick {
  const { turn, completionTokens, tipFree, tools } = candidate;
  const example = exampleOf(candidate, settings);
  const answer = example.completion.map((message) => ({
    ...message,
    content: message.content?.trim().replaceAll(/\s+/g, " ") ?? null,
  }));
  const exampleKey = hashJson([tipFree, tools, answer]);
  return { turn, part: example.part, completionTokens, exampleKey, answerKey: hashJson(answer), example };
}

function completionOf({ skill, call, response }: Candidate, { answerText }: SelectionSettings): Message[] {
  if (answerText === null) {
    assert(response !== null, "an example without an answer passed the filters");
    return [response];
  }
  assert(call !== null, "an example without an action passed the filters");
  return [{ role: "assistant", content: answerText(skill, call) }];
}

function exampleOf(candidate: Candidate, settings: SelectionSettings): SelectedExample {
  const { verdict, tools, skill, role, family, item, run, attempt, turn, tips, model, baseHash, adapterHash } =
    candidate;
  const prompt = settings.tips === "drop" ? candidate.tipFree : candidate.messages;
  assert(prompt !== null && verdict !== null, "an example without prompt or verdict passed the filters");
  return {
    part: candidate.split === "validation" ? "validation" : "train",
    prompt,
    completion: completionOf(candidate, settings),
    tools,
    reward: verdict.value,
    skill,
    role,
    family,
    item,
    run,
    attempt,
    turn,
    tips,
    model,
    baseHash,
    adapterHash,
    verifierId: verdict.verifierId,
    verifierVersion: verdict.verifierVersion,
    confidence: verdict.confidence,
  };
}

/** A family that was held out once must never be trained on, so a lake that says both is not used at all. */
async function refuseFamiliesInTwoSplits(lake: Lake, skills: readonly string[]): Promise<void> {
  const [row] = await lake.query(
    `SELECT skill, family, string_agg(DISTINCT split, ' and ' ORDER BY split) AS splits FROM items
     WHERE skill IN (${skills.map((_, i) => `$skill${i}`).join(", ")})
     GROUP BY skill, family HAVING count(DISTINCT split) > 1 ORDER BY skill, family LIMIT 1`,
    Object.fromEntries(skills.map((skill, i) => [`skill${i}`, skill])),
  );
  if (row === undefined) return;
  throw new Refusal({
    code: "FAMILY_IN_TWO_SPLITS",
    message: `The family "${row.family}" of the skill ${row.skill} is in two splits, so no dataset of it would be honest.`,
    expected: "a family lies in one split over all runs",
    got: String(row.splits),
    where: "the items of the sealed runs",
    fix: "the skill's salt or split fractions have changed between runs: use a new home folder",
  });
}
