/**
 * The verdict in plain words.
 */
import type { Decision } from "../records/comparison.ts";
import { points } from "../statistics/figures.ts";

/** Says in one sentence what was decided, about which arms, and by how much. */
export function verdictSentence({
  verdict,
  pairs,
  adapterHash,
}: Pick<Decision, "verdict" | "pairs" | "adapterHash">): string {
  const [pair] = pairs;
  if (pair === undefined) return "Refused by what needs no run.";
  const { treatment, reference, difference } = pair;
  const by = `(${points(difference)} points)`;
  if (adapterHash === null) return `Noise of serving: the base differs from itself by ${points(difference)} points.`;
  if (verdict === "inconclusive") {
    return `Inconclusive: these items do not show whether ${treatment} is better than ${reference} ${by}.`;
  }
  const more = verdict === "better" ? "more" : "fewer";
  const title = verdict === "better" ? "Better" : "Worse";
  return `${title}: ${treatment} solves ${more} held-out items at the first try than ${reference} ${by}.`;
}

/** Says in one sentence whether the gate lets the candidate be promoted. */
export function gateSentence({ hasPassed, axes }: Pick<Decision, "hasPassed" | "axes">): string {
  const open = axes.filter(({ outcome, isLetPass }) => outcome !== "passed" && !isLetPass).map(({ axis }) => axis);
  if (hasPassed) return `The gate passed: ${axes.length} axes, none against it.`;
  return open.length === 0
    ? "The gate did not pass: too few side axes told anything."
    : `The gate did not pass: ${open.join(", ")}.`;
}
