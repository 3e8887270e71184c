/**
 * Which of an item's examples are kept: no two that say the same, and no more than so many. Examples are compared by
 * their answers, as their task is the same, and by their prompts where the answers do not tell them apart.
 */
import { isDeepStrictEqual } from "node:util";
import type { Message } from "../records/message.ts";
import { answerOf, byWorth, looksTooLong, plainText, rowKey } from "./answer.ts";
import type { Candidate } from "./candidate.ts";
import { jaccard, shingleSet } from "./near/jaccard.ts";
import type { ItemWork } from "./tier.ts";

/** Keeps the best of the examples that have the same prompt and answer. */
export function withoutCopies(candidates: readonly Candidate[], { settings, refuse }: ItemWork): Candidate[] {
  const kept = new Map<string, Candidate>();
  for (const candidate of [...candidates].sort(byWorth(settings))) {
    const key = rowKey(candidate, answerOf(candidate, settings));
    const same = kept.get(key);
    if (same === undefined) kept.set(key, candidate);
    else refuse("exact-duplicate", candidate, same);
  }
  return [...kept.values()];
}

/** The texts that an example is compared by, each with that of the same place. */
type SaidBy<T> = (one: T) => readonly string[];

/** Keeps the best of the examples that say nearly the same, the threshold being that of the settings. */
export function withoutNearCopies(
  candidates: readonly Candidate[],
  { settings, refuse }: ItemWork,
  saidBy: SaidBy<Candidate> = (candidate) => [plainText(answerOf(candidate, settings))],
): Candidate[] {
  const asked = (candidate: Candidate) => candidate;
  const likeOf = nearCopies(candidates, { saidBy, asked }, settings.nearThreshold);
  for (const [candidate, kept] of likeOf) refuse("near-duplicate", candidate, kept);
  return candidates.filter((candidate) => !likeOf.has(candidate));
}

/**
 * For each that says nearly what an earlier one says, that one, which is no copy itself: all texts are alike, and where all
 * are equal, so is what was `asked`.
 */
export function nearCopies<T>(
  all: readonly T[],
  { saidBy, asked }: { saidBy: SaidBy<T>; asked(one: T): Candidate },
  nearThreshold: number | null,
): Map<T, T> {
  const likeOf = new Map<T, T>();
  if (nearThreshold === null || all.length < 2) return likeOf;
  const kept: { one: T; compared: Compared }[] = [];
  for (const one of all) {
    const texts = saidBy(one).map((text) => ({ text, shingles: shingleSet(text) }));
    const compared = { texts, asked: asked(one) };
    const like = kept.find((other) => areNear(compared, other.compared, nearThreshold));
    if (like === undefined) kept.push({ one, compared });
    else likeOf.set(one, like.one);
  }
  return likeOf;
}

interface Compared {
  texts: readonly { text: string; shingles: Int32Array }[];
  asked: Candidate;
}

function areNear(some: Compared, others: Compared, nearThreshold: number): boolean {
  const pairs = some.texts.map((one, i) => [one, others.texts[i] ?? one] as const);
  const differing = pairs.filter(([one, other]) => one.text !== other.text);
  if (differing.length === 0) return areAskedAlike(some.asked, others.asked, nearThreshold);
  return differing.every(([x, y]) => jaccard(x.shingles, y.shingles) >= nearThreshold);
}

/** Message by message: most of a prompt may be what all of an item, or of a skill, have in common. */
function areAskedAlike(one: Candidate, other: Candidate, nearThreshold: number): boolean {
  const [prompt, others] = [one.tipFree ?? [], other.tipFree ?? []];
  const isAlike = (message: Message, i: number) => {
    const same = others[i];
    return message === same || (message.role === same?.role && similarity(message, same) >= nearThreshold);
  };
  return prompt.length === others.length && prompt.every(isAlike) && isDeepStrictEqual(one.tools, other.tools);
}

function similarity(x: Message, y: Message): number {
  return plainText(x) === plainText(y) ? 1 : jaccard(shinglesOf(x), shinglesOf(y));
}

/** A message of a prompt is compared with those of all examples with the same answer. */
const shinglesOfMessages = new WeakMap<Message, Int32Array>();

function shinglesOf(message: Message): Int32Array {
  const shingles = shinglesOfMessages.get(message) ?? shingleSet(plainText(message));
  shinglesOfMessages.set(message, shingles);
  return shingles;
}

/**
 * Keeps at most `maxPerItem` examples: first the best of each that says something else, then the best of what is left;
 * what looks too long only where there is room.
 */
export function capped(
  candidates: readonly Candidate[],
  { settings, refuse }: ItemWork,
  saidBy: SaidBy<Candidate> = (candidate) => [plainText(answerOf(candidate, settings))],
): Candidate[] {
  const answers = new Set<string>();
  const first: Candidate[] = [];
  const again: Candidate[] = [];
  for (const candidate of candidates) {
    const before = answers.size;
    const isNew = answers.add(saidBy(candidate).join("\n")).size > before;
    (isNew ? first : again).push(candidate);
  }
  const tooLong = (candidate: Candidate) => Number(looksTooLong(candidate, settings));
  const all = [...first, ...again].sort((x, y) => tooLong(x) - tooLong(y));
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
