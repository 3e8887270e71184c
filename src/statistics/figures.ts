/**
 * How figures are written for people, the same way on the terminal, in every report and in a gate's reasons.
 * Rates are percent, differences are percentage points with a sign.
 */
import type { Interval } from "../records/comparison.ts";

/** `95 %`, the confidence of an interval at this alpha. */
export function levelOf(alpha: number): string {
  return `${Number((100 * (1 - alpha)).toFixed(2))} %`;
}

/** `39.6 %`, or a dash where it is not known. */
export function percent(fraction: number | null): string {
  return fraction === null ? "-" : `${oneDigit(100 * fraction)} %`;
}

/** `2.4 to 7.1 %` */
export function percentInterval({ low, high }: Interval): string {
  return `${oneDigit(100 * low)} to ${oneDigit(100 * high)} %`;
}

/** `+35.4` */
export function points(fraction: number): string {
  const text = oneDigit(100 * fraction);
  return fraction > 0 && text !== "0.0" ? `+${text}` : text;
}

/** `6.3`: how large a difference is, whichever way it goes. */
export function pointsSize(fraction: number): string {
  return oneDigit(Math.abs(100 * fraction));
}

/** `+28.1 to +42.7`, or what stands for an interval that cannot be told. */
export function pointsInterval(interval: Interval | null): string {
  return interval === null ? "cannot be told" : `${points(interval.low)} to ${points(interval.high)}`;
}

/** `0.031`, `< 0.0001` */
export function pValue(p: number): string {
  if (p < 0.0001) return "< 0.0001";
  return p < 0.001 ? p.toFixed(4) : p.toFixed(3);
}

/** `x 0.55 (0.50 to 0.61)` */
export function ratio(value: { ratio: number; interval: Interval | null } | null): string {
  if (value === null) return "cannot be told";
  const { interval } = value;
  const around = interval === null ? "" : ` (${interval.low.toFixed(2)} to ${interval.high.toFixed(2)})`;
  return `x ${value.ratio.toFixed(2)}${around}`;
}

/** `31.6`, or a dash where it is not known. */
export function tokens(mean: number | null): string {
  return mean === null ? "-" : oneDigit(mean);
}

function oneDigit(value: number): string {
  const text = value.toFixed(1);
  return text === "-0.0" ? "0.0" : text;
}
