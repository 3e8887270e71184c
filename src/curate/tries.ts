/** Which attempts at an item count at all. */
import type { Candidate } from "./candidate.ts";
import type { ItemWork } from "./tier.ts";

/** Keeps all attempts, the first ones alone, or the one with the fewest completion tokens. */
export function tried(sound: readonly Candidate[], { settings: { tries }, refuse }: ItemWork): Candidate[] {
  if (tries === "all") return [...sound];
  const [best] = [...sound].sort(byAttemptTokens);
  const counts = ({ attempt, attemptNumber }: Candidate) =>
    tries === "first" ? attemptNumber === 1 : attempt === best?.attempt;
  for (const candidate of sound) if (!counts(candidate)) refuse(`not-${tries}-try`, candidate);
  return sound.filter(counts);
}

/** What nobody counted comes last; of equally long ones the earlier first. */
function byAttemptTokens(x: Candidate, y: Candidate): number {
  return (x.attemptTokens ?? Number.MAX_SAFE_INTEGER) - (y.attemptTokens ?? Number.MAX_SAFE_INTEGER);
}
