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
  const unclear = ({ role, flags, isLast }: Candidate) => {
    if (role !== "worker") return null;
    if (flags.some((flag) => NOT_ITS_FAULT.includes(flag))) return "no-clean-label";
    return isLast || settings.unit === "attempt" ? null : "not-last-answer";
  };
  const bad = sound.filter((candidate) => candidate.label?.passed === false && unclear(candidate) === null);
  const clean = new Set([...good, ...bad]);
  for (const candidate of sound) if (!clean.has(candidate)) refuse(unclear(candidate) ?? "no-clean-label", candidate);
  return { good, bad };
}
