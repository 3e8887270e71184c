/** How many attempts passed, as a share of those that were judged: one that nobody judged did not fail. */
import { percent } from "../statistics/figures.ts";

/** Says of how many the share is where that is not all. */
export function passedText({ attempts, judged, passed }: { attempts: number; judged: number; passed: number }): string {
  const of = judged < attempts ? ` of ${judged} judged` : "";
  return `${passed} passed (${percent(passed / Math.max(1, judged))}${of})`;
}
