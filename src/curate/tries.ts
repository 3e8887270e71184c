/** Which attempts at an item count at all. */
import { byWorth } from "./answer.ts";
import type { Candidate } from "./candidate.ts";
import type { ItemWork } from "./tier.ts";

/** Keeps all attempts, the first ones alone, or the one with the fewest completion tokens. */
export function tried(sound: readonly Candidate[], { settings: { tries }, refuse }: ItemWork): Candidate[] {
  if (tries === "all") return [...sound];
  const [best] = [...sound].sort(byWorth);
  const counts = ({ attempt, attemptNumber }: Candidate) =>
    tries === "first" ? attemptNumber === 1 : attempt === best?.attempt;
  for (const candidate of sound) if (!counts(candidate)) refuse(`not-${tries}-try`, candidate);
  return sound.filter(counts);
}
