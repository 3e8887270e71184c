/**
 * Chooses the examples of a dataset: the user's filter, then the integrity filters, then no duplicates, then at most
 * so many of one item. The lake is read twice, once to choose by hashes and once to hand out texts, so that memory
 * grows with the number of examples and not with their length. Does not know of tokens, formats or files.
 */
import { join } from "node:path";
import { extensionIds, loadExtension } from "../foundation/discovery.ts";
import { assert, Refusal } from "../foundation/errors.ts";
import { hashJson } from "../foundation/hashing.ts";
import type { ActionCall } from "../records/events.ts";
import type { TurnId } from "../records/ids.ts";
import type { Message } from "../records/message.ts";
import { type RefusalTally, refusalTally } from "../records/refusal-tally.ts";
import type { Part, SelectedExample, Selection } from "../records/selection.ts";
import type { Lake } from "../store/lake.ts";
import type { RecordedTexts } from "../store/recorded-texts.ts";
import { type Candidate, readCandidate } from "./candidate.ts";
import {
  candidatesQuery,
  countQuery,
  filteredOutQuery,
  type Query,
  type Scope,
  shuffledCandidatesQuery,
} from "./candidate-query.ts";
import type { Filter } from "./filter.ts";
import { capPerItem, dropDuplicates, type Pick, type Picked } from "./pick.ts";

export interface SelectionSettings extends Scope {
  tips: "drop" | "keep";
  /** How a skill writes an action as an answer; null where the answer is kept as it was recorded. */
  answerText: ((skill: string, call: ActionCall) => string) | null;
  maxPerItem: number;
  seed: number;
}

/** Where examples are read from; both stay open until the last row of the selection was read. */
export interface SelectionStore {
  lake: Lake;
  texts: RecordedTexts;
}

const EXAMPLES_NAMED = 3;
const FILTERS_FOLDER = join(import.meta.dirname, "filters");

/**
 * Chooses examples of the lake.
 * Throws: `FAMILY_IN_TWO_SPLITS` where a family of the chosen examples is held out in another run.
 */
export async function selectExamples(store: SelectionStore, settings: SelectionSettings): Promise<Selection> {
  const { lake } = store;
  const filters = await loadFilters();
  const refusals = refusalTally();
  const examples = await countFiltered(lake, settings, refusals);

  const picks: Pick[] = [];
  for await (const candidate of candidates(store, candidatesQuery(settings))) {
    const refusing = filters.find(({ filter }) => filter.refuses(candidate));
    if (refusing !== undefined) refusals.add(refusing.reason, [candidate.turn]);
    else picks.push(pickOf(candidate, settings));
  }
  const refuse = (reason: string, { kept, refused }: Picked) => {
    refusals.add(
      reason,
      refused.map(({ turn }) => turn),
    );
    return kept;
  };
  const distinct = refuse("exact-duplicate", dropDuplicates(picks));
  const chosen = refuse("over-item-cap", capPerItem(distinct, settings.maxPerItem));
  await refuseFamiliesInTwoSplits(lake, settings.skills);

  const parts = new Map<TurnId, Part>(chosen.map(({ turn, part }) => [turn, part]));
  const countOf = (part: Part) => chosen.filter((pick) => pick.part === part).length;
  return {
    examples,
    chosen: { train: countOf("train"), validation: countOf("validation") },
    refusals,
    async *rows() {
      for await (const candidate of candidates(store, shuffledCandidatesQuery(settings, settings.seed))) {
        const part = parts.get(candidate.turn);
        if (part !== undefined) yield exampleOf(candidate, part, settings);
      }
    },
  };
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

async function* candidates({ lake, texts }: SelectionStore, { sql, parameters }: Query): AsyncGenerator<Candidate> {
  for await (const rows of lake.stream(sql, parameters)) {
    for (const row of rows) yield readCandidate(row, texts);
  }
}

/** Returns how many examples are in scope; those that the user's filter takes are added to the tally. */
async function countFiltered(lake: Lake, scope: Scope, tally: RefusalTally): Promise<number> {
  const counting = countQuery(scope);
  const [row] = await lake.query(counting.sql, counting.parameters);
  const examples = Number(row?.examples);
  const out = examples - Number(row?.passing);
  if (out > 0) {
    const naming = filteredOutQuery(scope, EXAMPLES_NAMED);
    const named = await lake.query(naming.sql, naming.parameters);
    tally.add(
      "filter",
      named.map(({ turn }) => String(turn)),
      out,
    );
  }
  return examples;
}

function pickOf(candidate: Candidate, settings: SelectionSettings): Pick {
  const { turn, item, run, attemptNumber, turnNumber, completionTokens, tipFree, tools, split } = candidate;
  const answer = completionOf(candidate, settings).map((message) => ({
    ...message,
    content: message.content?.trim().replaceAll(/\s+/g, " ") ?? null,
  }));
  return {
    turn,
    part: split === "validation" ? "validation" : "train",
    item,
    run,
    attemptNumber,
    turnNumber,
    completionTokens,
    exampleKey: hashJson([tipFree, tools, answer]),
    answerKey: hashJson(answer),
  };
}

function completionOf({ skill, call, response }: Candidate, { answerText }: SelectionSettings): Message[] {
  if (answerText === null) {
    assert(response !== null, "an example without an answer passed the filters");
    return [response];
  }
  assert(call !== null, "an example without an action passed the filters");
  return [{ role: "assistant", content: answerText(skill, call) }];
}

function exampleOf(candidate: Candidate, part: Part, settings: SelectionSettings): SelectedExample {
  const { verdict, tools, skill, role, family, item, run, attempt, turn, model, baseHash, adapterHash } = candidate;
  const prompt = settings.tips === "drop" ? candidate.tipFree : candidate.messages;
  assert(prompt !== null && verdict !== null, "an example without prompt or verdict passed the filters");
  return {
    part,
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
