/**
 * Which of an item's examples are kept: no two that say the same, and no more than so many. Examples are compared by
 * their answers, as their task is the same.
 */
import type { Message } from "../records/message.ts";
import { answerOf, byWorth, plainText, rowKey } from "./answer.ts";
import type { Candidate } from "./candidate.ts";
import { jaccard, shingleSet } from "./near/jaccard.ts";
import type { ItemWork } from "./tier.ts";

/** Keeps the best of the examples that have the same prompt and answer. */
export function withoutCopies(candidates: readonly Candidate[], { settings, refuse }: ItemWork): Candidate[] {
  const kept = new Map<string, Candidate>();
  for (const candidate of [...candidates].sort(byWorth)) {
    const key = rowKey(candidate, answerOf(candidate, settings));
    const same = kept.get(key);
    if (same === undefined) kept.set(key, candidate);
    else refuse("exact-duplicate", candidate, same);
  }
  return [...kept.values()];
}

/**
 * Keeps the best of the examples whose answers are nearly the same, the threshold being that of the settings; `saidBy` is
 * what is compared.
 */
export function withoutNearCopies(
  candidates: readonly Candidate[],
  { settings, refuse }: ItemWork,
  saidBy = (candidate: Candidate) => plainText(answerOf(candidate, settings)),
): Candidate[] {
  const likeOf = nearCopies(candidates, saidBy, settings.nearThreshold);
  for (const [candidate, kept] of likeOf) refuse("near-duplicate", candidate, kept);
  return candidates.filter((candidate) => !likeOf.has(candidate));
}

/**
 * For each that says nearly what an earlier one says, that one, which is no copy itself. Equal texts are none: what was
 * asked differs there, or they would be exact copies.
 */
export function nearCopies<T>(all: readonly T[], textOf: (one: T) => string, nearThreshold: number | null): Map<T, T> {
  const likeOf = new Map<T, T>();
  if (nearThreshold === null || all.length < 2) return likeOf;
  const kept: { one: T; text: string; shingles: Int32Array }[] = [];
  for (const one of all) {
    const text = textOf(one);
    const shingles = shingleSet(text);
    const like = kept.find((other) => other.text !== text && jaccard(shingles, other.shingles) >= nearThreshold);
    if (like === undefined) kept.push({ one, text, shingles });
    else likeOf.set(one, like.one);
  }
  return likeOf;
}

/** Keeps at most `maxPerItem` examples: first the best of each different answer, then the best of what is left. */
export function capped(candidates: readonly Candidate[], { settings, refuse }: ItemWork): Candidate[] {
  const answers = new Set<string>();
  const first: Candidate[] = [];
  const again: Candidate[] = [];
  for (const candidate of candidates) {
    const before = answers.size;
    const isNew = answers.add(plainText(answerOf(candidate, settings))).size > before;
    (isNew ? first : again).push(candidate);
  }
  const all = [...first, ...again];
  for (const candidate of all.slice(settings.maxPerItem)) refuse("over-item-cap", candidate);
  return all.slice(0, settings.maxPerItem);
}

/** Whether two answers differ in more than case, white space, quotes and what ends a statement. */
export function differInMeaning(x: Message, y: Message): boolean {
  const bare = (message: Message) =>
    plainText(message)
      .toLowerCase()
      .replaceAll(/[\s"'`;.,]+/g, "");
  return bare(x) !== bare(y);
}
