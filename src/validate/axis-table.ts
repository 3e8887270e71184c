/**
 * The axes of a decision as rows of text: one for each thing that was asked.
 */
import type { AxisResult } from "../records/gate.ts";
import { points, pointsInterval } from "../statistics/figures.ts";

export const AXIS_HEADER = ["axis", "estimate", "interval", "asked", "outcome", "items that would tell"];

/** Returns an axis's row. */
export function axisRow({
  axis,
  estimate,
  interval,
  threshold,
  outcome,
  isLetPass,
  neededItems,
}: AxisResult): string[] {
  const inPoints = threshold.endsWith("points") || threshold === "above 0";
  const shown = (value: number) => (inPoints ? points(value) : value.toFixed(3));
  const between =
    interval === null ? "-" : inPoints ? pointsInterval(interval) : `${shown(interval.low)} to ${shown(interval.high)}`;
  return [
    axis,
    estimate === null ? "-" : shown(estimate),
    between,
    threshold,
    isLetPass && outcome !== "uninformative" ? `${outcome}, let pass` : outcome,
    neededItems === null ? "-" : `${neededItems}`,
  ];
}
