/**
 * Pairs of answers of the reflector to comparable failures, of which one taught more than the other: by the effects of
 * their tips as draws show them, never by how attempts that read them happened to end. Only train families; every tip and
 * every pair that is left out is counted with its reason.
 */
import { groupBy } from "../foundation/group-by.ts";
import type { RunId, TurnId } from "../records/ids.ts";
import { type RefusalTally, refusalTally } from "../records/refusal-tally.ts";
import type { AnswerOrigin, PairRow } from "../records/selection.ts";
import { CREDIT_RULE } from "../statistics/tip-credit.ts";
import type { Lake } from "../store/lake.ts";
import type { RecordedTexts } from "../store/recorded-texts.ts";
import { plainText } from "./answer.ts";
import { type CreditedTip, readCredits } from "./credit.ts";
import { refuseCopy, type Told } from "./duplicates.ts";
import { becauseOf, type ItemGate } from "./item-gate.ts";
import { type ReflectorAnswer, readAnswers, type UnusableAnswer } from "./reflector-answers.ts";
import { rowRank } from "./row-rank.ts";
import { capPerTip, crediblePairs, type TipPair, whyIncomparable } from "./tip-pairs.ts";

/** Goes up whenever the same draws would say otherwise which of two tips is worth more. */
export const TIP_CREDIT_VERSION = "1";

/** Pairs that one tip may be in, so that the best of a family does not make up most of a dataset. */
const PAIRS_PER_TIP = 3;
/** Pairs whose prompt is of one item. */
const PAIRS_PER_ITEM = 2;

export interface ReflectorPairSettings {
  skills: readonly string[];
  runs: readonly RunId[];
  /** Of the rows' order. */
  seed: number;
  /** Rate of wrong pairs among all. */
  alpha?: number;
  perTip?: number;
  /** Most rows of one item. */
  maxPerItem?: number;
  /** Says why the answer of a turn cannot be in a pair; left out, every answer can. Asked once of each that else could. */
  refusalOf?: (turn: TurnId) => ReturnType<ItemGate>;
  /** Whether the better tip of a pair may be a retired one. */
  isRetiredKept?: boolean;
}

/** A tip whose answer can be trained on, or be the worse one. */
interface AnsweredTip extends CreditedTip {
  turn: TurnId;
  answered: ReflectorAnswer;
}

/**
 * Chooses pairs of the reflector's answers. Refusals count tips, named by the turns that wrote them, up to the tests, and pairs,
 * named by the chosen's turn, from there on (`same-answer`, `not-credible`, `retired-tip`, `exact-duplicate`, `over-tip-cap`,
 * `over-item-cap`).
 */
export async function reflectorPairs(
  store: { lake: Lake; texts: RecordedTexts },
  settings: ReflectorPairSettings,
): Promise<{ pairs: PairRow[] } & Told> {
  const { skills, runs, seed, alpha = CREDIT_RULE.alpha, isRetiredKept = false } = settings;
  const told: Told = { refusals: refusalTally(), duplicates: [] };
  const { refusals } = told;
  const credits = await readCredits(store.lake, { skills, runs, alpha });
  const written = credits.filter(({ source }) => runs.includes(source.run));
  const answers = await readAnswers(store, written);
  const sound = written.flatMap((tip): AnsweredTip[] => {
    const { turn } = tip.source;
    const answered = turn === null ? undefined : answers.get(turn);
    const own = refusalOf(tip, answered);
    const refusal = own !== null ? { reason: own } : turn === null ? null : (settings.refusalOf?.(turn) ?? null);
    if (refusal !== null) refusals.add(refusal.reason, turn === null ? [] : [becauseOf(turn, refusal)], 1);
    if (refusal !== null || turn === null || typeof answered !== "object") return [];
    return [{ ...tip, turn, answered }];
  });

  const { kept, refused } = crediblePairs(distinct(comparable(sound), refusals), alpha);
  for (const { chosen } of refused) refusals.add("not-credible", [chosen.turn]);
  const isLive = ({ chosen }: TipPair<AnsweredTip>) => isRetiredKept || !chosen.isRetired;
  const live = kept.filter(isLive);
  for (const pair of kept) if (!isLive(pair)) refusals.add("retired-tip", [pair.chosen.turn]);
  const capped = cappedPairs(withoutCopies(live, told), settings, refusals);
  const ranked = capped.map(rowOf).map((row) => ({ row, rank: rowRank(row, seed) }));
  return { pairs: ranked.sort((x, y) => (x.rank < y.rank ? -1 : 1)).map(({ row }) => row), ...told };
}

/** The first thing that keeps a tip out of every pair; null where nothing does. None depends on how large its effect is. */
function refusalOf(tip: CreditedTip, answered: ReflectorAnswer | UnusableAnswer | undefined): string | null {
  const { source } = tip;
  if (source.split !== "train") return "not-train";
  if (answered === undefined) return "no-answer";
  if (source.failureMode === null) return "not-a-failure";
  if (typeof answered === "string") return answered;
  return whyIncomparable(tip);
}

/** Pairs of one family's tips whose attempts failed at the same item, or in the same way. */
function comparable(tips: readonly AnsweredTip[]): [AnsweredTip, AnsweredTip][] {
  const families = groupBy(tips, ({ skill, family }) => JSON.stringify([skill, family]));
  return [...families.values()].flatMap((family) =>
    family.flatMap((one, i) =>
      family
        .slice(i + 1)
        .filter(({ source }) => source.item === one.source.item || source.failureMode === one.source.failureMode)
        .map((other): [AnsweredTip, AnsweredTip] => [one, other]),
    ),
  );
}

function distinct(pairs: readonly [AnsweredTip, AnsweredTip][], refusals: RefusalTally): [AnsweredTip, AnsweredTip][] {
  const words = ({ text }: AnsweredTip) => text.trim().replaceAll(/\s+/g, " ");
  return pairs.filter(([one, other]) => {
    const isSame = words(one) === words(other);
    if (isSame) refusals.add("same-answer", [one.turn]);
    return !isSame;
  });
}

/** Keeps the surest of the pairs that give the same row: two runs may ask and answer alike, and their tips have two names. */
function withoutCopies(pairs: readonly TipPair<AnsweredTip>[], told: Told): TipPair<AnsweredTip>[] {
  const surest = new Map<string, TurnId>();
  return pairs.filter(({ chosen, rejected }) => {
    const { prompt, answer } = chosen.answered;
    const key = JSON.stringify([...prompt, answer, rejected.answered.answer].map(plainText));
    const kept = surest.get(key);
    if (kept === undefined) surest.set(key, chosen.turn);
    else refuseCopy(told, { removed: chosen.turn, kept, reason: "exact-duplicate" });
    return kept === undefined;
  });
}

function cappedPairs(
  pairs: readonly TipPair<AnsweredTip>[],
  { perTip = PAIRS_PER_TIP, maxPerItem = PAIRS_PER_ITEM }: ReflectorPairSettings,
  refusals: RefusalTally,
): TipPair<AnsweredTip>[] {
  const { kept, refused } = capPerTip(pairs, perTip);
  for (const { chosen } of refused) refusals.add("over-tip-cap", [chosen.turn]);
  const ofItems = [...groupBy(kept, ({ chosen }) => chosen.source.item).values()];
  for (const { chosen } of ofItems.flatMap((ofItem) => ofItem.slice(maxPerItem)))
    refusals.add("over-item-cap", [chosen.turn]);
  return ofItems.flatMap((ofItem) => ofItem.slice(0, maxPerItem));
}

function rowOf({ chosen, rejected, rate }: TipPair<AnsweredTip>): PairRow {
  return {
    kind: "reflector-pair",
    part: "train",
    skill: chosen.skill,
    role: "reflector",
    family: chosen.family,
    item: chosen.source.item,
    prompt: chosen.answered.prompt,
    tools: null,
    reference: null,
    chosen: chosen.answered.answer,
    rejected: rejected.answered.answer,
    chosenFrom: originOf(chosen, { label: true, confidence: 1 - rate }),
    rejectedFrom: originOf(rejected, { label: false, confidence: 1 - rate }),
  };
}

/** A tip without effect has the reward 1/2. */
function originOf(tip: AnsweredTip, { label, confidence }: { label: boolean; confidence: number }): AnswerOrigin {
  const { source, turn, answered, credit } = tip;
  const { attempt } = source;
  return {
    run: source.run,
    attempt: attempt as NonNullable<typeof attempt>,
    turn,
    model: answered.model,
    baseHash: answered.baseHash,
    adapterHash: answered.adapterHash,
    label,
    reward: (1 + (credit.shrunken?.estimate ?? 0)) / 2,
    confidence,
    rule: "tip-effect",
    verifierId: "tip-credit",
    verifierVersion: TIP_CREDIT_VERSION,
    tips: [tip.tip],
  };
}
