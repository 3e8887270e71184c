/** Splits examples into good answers and clean failures: those that failed by their own fault. */
import type { Candidate } from "./candidate.ts";
import type { ItemWork } from "./tier.ts";

/** With these the environment, or a gap of the verifier, may be to blame. */
const NOT_ITS_FAULT = ["environment-suspect", "evaluator-gap", "conflict", "dirty-exit"];

/**
 * Refuses what is neither: its label says nothing of the answer, as that of an attempt says nothing of its earlier turns
 * where it failed. A whole attempt is what its label is of, so its turns stay together.
 */
export function goodAndBad(
  sound: readonly Candidate[],
  { settings, refuse }: ItemWork,
): { good: Candidate[]; bad: Candidate[] } {
  const good = sound.filter(({ isWanted, label }) => isWanted && label?.passed === true);
  const isBad = ({ label, flags, isLast, role }: Candidate) =>
    label?.passed === false &&
    !flags.some((flag) => NOT_ITS_FAULT.includes(flag)) &&
    (isLast || role !== "worker" || settings.unit === "attempt");
  const bad = sound.filter(isBad);
  const clean = new Set([...good, ...bad]);
  for (const candidate of sound) if (!clean.has(candidate)) refuse("no-clean-label", candidate);
  return { good, bad };
}
