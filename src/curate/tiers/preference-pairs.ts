/**
 * Two answers to comparable prompts of the same item, of which one passed and one failed cleanly.
 *
 * Two prompts are comparable where they are equal once tips are taken out of them and the numbers of attempts are not
 * looked at. What one of them says of earlier attempts is a part of it: an answer that knew more is not compared with
 * one that knew less.
 */
import { groupBy } from "../../foundation/group-by.ts";
import { type Hash, hashText } from "../../foundation/hashing.ts";
import type { Message, Tool } from "../../records/message.ts";
import { answerOf, headOf, looksTooLong, originOf, plainText, rowKey } from "../answer.ts";
import type { Candidate } from "../candidate.ts";
import { differInMeaning, nearCopies, withoutCopies, withoutNearCopies } from "../distinct.ts";
import { goodAndBad } from "../good-and-bad.ts";
import type { ItemWork, TierRow, TierRule } from "../tier.ts";
import { tried } from "../tries.ts";

const ATTEMPT_NUMBERS = /\b(attempt|try) {0,2}#?\d{1,6}( {0,2}(of|\/) {0,2}\d{1,6})?/gi;

const tier: TierRule = {
  summary: "pairs of a verified answer and a clean failure of the same item, with comparable prompts",
  withBad: true,
  rows(sound, work) {
    const saidIn = (candidate: Candidate) =>
      [contextOf(candidate), plainText(answerOf(candidate, work.settings))].join(" ");
    const { good, bad } = goodAndBad(sound, work, saidIn);
    const better = distinctIn(groupBy(withoutCopies(tried(good, work), work), contextOf), work);
    const worse = distinctIn(groupBy(withoutCopies(bad, work), contextOf), work);
    const pairs = [...better].flatMap(([context, group]) => paired(group, worse.get(context) ?? [], work));
    const used = new Set(pairs.flatMap(({ of }) => of));
    for (const group of [...better, ...worse].map(([, candidates]) => candidates))
      for (const candidate of group) if (!used.has(candidate)) work.refuse("no-partner", candidate);
    const distinct = better.size < 2 ? pairs : withoutNearPairs(pairs, work);
    const { maxPerItem } = work.settings;
    const tooLong = ({ of }: WorkerPair) => Number(of.some((candidate) => looksTooLong(candidate, work.settings)));
    const ranked = distinct.toSorted((x, y) => tooLong(x) - tooLong(y));
    for (const { of } of ranked.slice(maxPerItem)) for (const candidate of of) work.refuse("over-item-cap", candidate);
    return ranked.slice(0, maxPerItem);
  },
};

/** Of each context by itself: what is kept in another one may have no partner there. */
function distinctIn(contexts: ReadonlyMap<string, Candidate[]>, work: ItemWork): Map<string, Candidate[]> {
  return new Map([...contexts].map(([context, group]) => [context, withoutNearCopies(group, work)]));
}

/** Over all contexts: the best of the pairs that say nearly the same. */
function withoutNearPairs(pairs: readonly WorkerPair[], { settings, refuse }: ItemWork): WorkerPair[] {
  const saidBy = ({ of }: WorkerPair) => of.map((candidate) => plainText(answerOf(candidate, settings)));
  const asked = ({ of: [good] }: WorkerPair) => good;
  const likeOf = nearCopies(pairs, { saidBy, asked }, settings.nearThreshold);
  for (const [pair, { of: kept }] of likeOf)
    for (const [side, candidate] of pair.of.entries()) refuse("near-duplicate", candidate, kept[side]);
  return pairs.filter((pair) => !likeOf.has(pair));
}

interface WorkerPair extends TierRow {
  of: readonly [good: Candidate, bad: Candidate];
}

/** What two comparable prompts have in common. */
function contextOf({ tipFree, tools }: Candidate): string {
  return [...(tipFree ?? []), ...(tools ?? [])].map(numberless).join(" ");
}

/** Of messages and tools, most of which all prompts of an item have in common. */
const numberlessHashes = new WeakMap<object, Hash>();

function numberless(part: Message | Tool): Hash {
  const hash = numberlessHashes.get(part) ?? hashText(JSON.stringify(part).replaceAll(ATTEMPT_NUMBERS, "$1"));
  numberlessHashes.set(part, hash);
  return hash;
}

/**
 * Pairs each better answer with the worse one that is nearest to it in length, so that length says little, and that
 * differs from it in more than trivia. Uses each once.
 */
function paired(better: readonly Candidate[], worse: readonly Candidate[], { settings }: ItemWork): WorkerPair[] {
  const lengthOf = (candidate: Candidate) => plainText(answerOf(candidate, settings)).length;
  const left = worse.map((bad) => ({ bad, length: lengthOf(bad) }));
  return better.flatMap((good) => {
    const length = lengthOf(good);
    left.sort((x, y) => Math.abs(x.length - length) - Math.abs(y.length - length));
    const place = left.findIndex(({ bad }) => differInMeaning(answerOf(good, settings), answerOf(bad, settings)));
    const [partner] = place < 0 ? [] : left.splice(place, 1);
    return partner === undefined ? [] : [pairOf(good, partner.bad, settings)];
  });
}

function pairOf(good: Candidate, bad: Candidate, settings: ItemWork["settings"]): WorkerPair {
  const chosen = answerOf(good, settings);
  const rejected = answerOf(bad, settings);
  const answers = { chosen, rejected, chosenFrom: originOf(good), rejectedFrom: originOf(bad) };
  return {
    row: { kind: "worker-pair", ...headOf(good, settings), ...answers },
    of: [good, bad],
    key: rowKey(good, chosen, rejected),
  };
}

export default tier;
