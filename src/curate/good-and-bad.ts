/** Splits examples into good answers and clean failures: those that failed by their own fault. */
import type { Candidate } from "./candidate.ts";
import type { ItemWork } from "./tier.ts";

/** With these the environment, or a gap of the verifier, may be to blame. */
const NOT_ITS_FAULT = ["environment-suspect", "evaluator-gap", "conflict", "dirty-exit"];

/**
 * Refuses what is neither: a worker's label says nothing of the answer where something else may be to blame, and that of an
 * attempt nothing of its earlier turns where it failed. A whole attempt is what its label is of, so its turns stay together.
 * What the flags of a verdict say of another role's answer, that role's rule has judged.
 */
export function goodAndBad(
  sound: readonly Candidate[],
  { settings, refuse }: ItemWork,
): { good: Candidate[]; bad: Candidate[] } {
  const good = sound.filter(({ isWanted, label }) => isWanted && label?.passed === true);
  const isItsFault = ({ flags, isLast }: Candidate) =>
    !flags.some((flag) => NOT_ITS_FAULT.includes(flag)) && (isLast || settings.unit === "attempt");
  const isBad = (candidate: Candidate) =>
    candidate.label?.passed === false && (candidate.role !== "worker" || isItsFault(candidate));
  const bad = sound.filter(isBad);
  const clean = new Set([...good, ...bad]);
  for (const candidate of sound) if (!clean.has(candidate)) refuse("no-clean-label", candidate);
  return { good, bad };
}
