/**
 * Pairs of tips for a model that ranks them: a task as the retriever is asked with it, and of two tips that were retrieved
 * for it the one that is credibly worth more. By the effects that draws give, tested as the reflector's pairs are. An effect
 * is a mean over all attempts that drew the tip: what it is worth for this one task alone is not known.
 */
import { groupBy } from "../foundation/group-by.ts";
import { hashText } from "../foundation/hashing.ts";
import type { RunId, TurnId } from "../records/ids.ts";
import { type RefusalTally, refusalTally } from "../records/refusal-tally.ts";
import type { AnswerOrigin, RerankerRow } from "../records/selection.ts";
import { CREDIT_RULE } from "../statistics/tip-credit.ts";
import { sqlText } from "../store/duckdb.ts";
import type { Lake } from "../store/lake.ts";
import { type CreditedTip, readCredits } from "./credit.ts";
import { refuseCopy, type Told } from "./duplicates.ts";
import { drawJointRetrievals, type JointRetrieval, type TipNames, tipsRetrievedTogether } from "./joint-retrievals.ts";
import { TIP_CREDIT_VERSION } from "./reflector-pairs.ts";
import { crediblePairs, type TipPair, whyIncomparable } from "./tip-pairs.ts";

/** Tasks that one pair of tips may be asked with: however many there are, it is one finding. */
const QUERIES_PER_PAIR = 8;
/** So many tasks are looked at for each that is taken, as some have enough pairs already. */
const LOOKS_PER_QUERY = 32;
/** Pairs of tips of one task. */
const PAIRS_PER_QUERY = 2;

export interface RerankerPairSettings {
  skills: readonly string[];
  runs: readonly RunId[];
  /** Of the rows' order, and of which tasks a pair is asked with. */
  seed: number;
  /** Rate of wrong pairs among all pairs of tips. */
  alpha?: number;
  /** Most rows of one item, which is one query. */
  maxPerItem?: number;
  /** Whether the better tip of a pair may be a retired one. */
  isRetiredKept?: boolean;
}

type PairCaps = RerankerPairSettings & { queriesPerPair: number };
type Writer = Pick<AnswerOrigin, "model" | "baseHash" | "adapterHash">;
type Asked = { pair: TipPair<CreditedTip>; at: JointRetrieval };

/**
 * Chooses pairs of tips with their queries. Refusals count tips up to the tests, then pairs of tips (`same-answer`,
 * `not-credible`, `retired-tip`), named by the better one, then rows, named by the turn that retrieved both
 * (`exact-duplicate`, `over-pair-cap`, `over-item-cap`).
 */
export async function rerankerPairs(
  lake: Lake,
  settings: RerankerPairSettings,
  queriesPerPair = QUERIES_PER_PAIR,
): Promise<{ pairs: RerankerRow[] } & Told> {
  const { skills, runs, seed, alpha = CREDIT_RULE.alpha, isRetiredKept = false } = settings;
  const told: Told = { refusals: refusalTally(), duplicates: [] };
  const { refusals } = told;
  const credits = await readCredits(lake, { skills, runs, alpha });
  const sound = credits.filter((tip) => {
    if (!runs.includes(tip.source.run)) return false;
    const reason = tip.source.split === "train" ? whyIncomparable(tip) : "not-train";
    if (reason !== null) refusals.add(reason, [tip.tip]);
    return reason === null;
  });

  const { kept, refused } = crediblePairs(
    retrievedPairs(sound, await tipsRetrievedTogether(lake, runs), refusals),
    alpha,
  );
  for (const { chosen } of refused) refusals.add("not-credible", [chosen.tip]);
  const isLive = ({ chosen }: TipPair<CreditedTip>) => isRetiredKept || !chosen.isRetired;
  const live = kept.filter(isLive);
  for (const pair of kept) if (!isLive(pair)) refusals.add("retired-tip", [pair.chosen.tip]);
  const asked = await askedPairs(lake, live, { ...settings, queriesPerPair });
  const writers = await readWriters(lake, live);
  const rankOf = ({ pair, at }: Asked) => hashText(`${seed}:${at.item}:${pair.chosen.tip}:${pair.rejected.tip}`);
  const taken = capped(asked, { ...settings, queriesPerPair }, told);
  const rows = taken.map((one) => ({ row: rowOf(one, writers), rank: rankOf(one) }));
  return { pairs: rows.sort((x, y) => (x.rank < y.rank ? -1 : 1)).map(({ row }) => row), ...told };
}

/** For each pair of tips the tasks that it may be asked with. */
async function askedPairs(
  lake: Lake,
  live: readonly TipPair<CreditedTip>[],
  { runs, seed, queriesPerPair }: PairCaps,
): Promise<Asked[][]> {
  const pairs = live.map(({ chosen, rejected }): TipNames => [chosen.tip, rejected.tip]);
  const drawn = await drawJointRetrievals(lake, { runs, pairs, seed, most: queriesPerPair * LOOKS_PER_QUERY });
  const byPair = groupBy(drawn, ({ one, other }) => `${one} ${other}`);
  return live.map((pair) =>
    (byPair.get(`${pair.chosen.tip} ${pair.rejected.tip}`) ?? []).map((at): Asked => ({ pair, at })),
  );
}

/** Pairs of sound tips that say different things. None depends on how large an effect is. */
function retrievedPairs(
  sound: readonly CreditedTip[],
  names: readonly TipNames[],
  refusals: RefusalTally,
): [CreditedTip, CreditedTip][] {
  const byName = new Map(sound.map((tip) => [tip.tip, tip]));
  return names.flatMap(([first, second]): [CreditedTip, CreditedTip][] => {
    const [one, other] = [byName.get(first), byName.get(second)];
    if (one === undefined || other === undefined || one.skill !== other.skill) return [];
    if (plain(one.text) !== plain(other.text)) return [[one, other]];
    refusals.add("same-answer", [one.tip]);
    return [];
  });
}

/** Takes the surest pairs first, so that they are the ones that an item's few rows hold. */
function capped(
  byPair: readonly Asked[][],
  { queriesPerPair, maxPerItem = PAIRS_PER_QUERY }: PairCaps,
  told: Told,
): Asked[] {
  const ofItem = new Map<string, number>();
  const surest = new Map<string, TurnId>();
  return byPair.flatMap((ofPair) => {
    let taken = 0;
    told.refusals.add("over-pair-cap", [], (ofPair[0]?.at.tasks ?? 0) - ofPair.length);
    return ofPair.filter(({ pair, at }) => {
      const text = hashText(JSON.stringify([at.task, pair.chosen.text, pair.rejected.text].map(plain)));
      const rows = ofItem.get(at.item) ?? 0;
      const full = taken >= queriesPerPair ? "over-pair-cap" : rows >= maxPerItem ? "over-item-cap" : null;
      const kept = surest.get(text);
      if (kept !== undefined) refuseCopy(told, { removed: at.turn, kept, reason: "exact-duplicate" });
      else if (full !== null) told.refusals.add(full, [at.turn]);
      if (kept !== undefined || full !== null) return false;
      surest.set(text, at.turn);
      ofItem.set(at.item, rows + 1);
      taken += 1;
      return true;
    });
  });
}

/** Reads which models wrote the tips. Shapes: by turn. */
async function readWriters(lake: Lake, pairs: readonly TipPair<CreditedTip>[]): Promise<Map<TurnId, Writer>> {
  const tips = pairs.flatMap(({ chosen, rejected }) => [chosen, rejected]);
  const turns = [...new Set(tips.flatMap(({ source: { turn } }) => (turn === null ? [] : [turn])))];
  if (turns.length === 0) return new Map();
  const rows = await lake.query(
    `SELECT turn, model, base_hash, adapter_hash FROM files.turns WHERE turn IN (${turns.map(sqlText).join(", ")})`,
  );
  return new Map(
    rows.map((row): [TurnId, Writer] => [
      row.turn as TurnId,
      {
        model: row.model as string | null,
        baseHash: row.base_hash as Writer["baseHash"],
        adapterHash: row.adapter_hash as Writer["adapterHash"],
      },
    ]),
  );
}

function rowOf({ pair, at }: Asked, writers: ReadonlyMap<TurnId, Writer>): RerankerRow {
  const { chosen, rejected, rate } = pair;
  const originOf = (tip: CreditedTip): AnswerOrigin => ({
    ...{ run: at.run, attempt: at.attempt, turn: at.turn },
    ...{ model: null, baseHash: null, adapterHash: null },
    ...(tip.source.turn === null ? {} : writers.get(tip.source.turn)),
    label: tip === chosen,
    reward: (1 + (tip.credit.shrunken?.estimate ?? 0)) / 2,
    confidence: 1 - rate,
    rule: "tip-effect",
    verifierId: "tip-credit",
    verifierVersion: TIP_CREDIT_VERSION,
    tips: [tip.tip],
  });
  return {
    kind: "reranker-pair",
    part: "train",
    skill: chosen.skill,
    role: "reflector",
    family: at.family,
    item: at.item,
    query: at.task,
    positive: chosen.text,
    negative: rejected.text,
    chosenFrom: originOf(chosen),
    rejectedFrom: originOf(rejected),
  };
}

function plain(text: string): string {
  return text.trim().replaceAll(/\s+/g, " ");
}
