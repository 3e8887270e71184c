/**
 * Is something worse than it was? By non-inferiority, against whatever the candidate is compared with. Losses that each stay within the
 * margin would add up from champion to champion, so where another arm than the base is the one to beat, what is judged is
 * the worse of both comparisons.
 */
import { type AxisResult, type GateSettings, generalMargin } from "../records/gate.ts";
import { percent, points, pointsInterval } from "../statistics/figures.ts";
import { nonInferiority } from "../statistics/non-inferiority.ts";
import { hasSpread, pairedDifference } from "../statistics/paired-difference.ts";
import { requiredItems } from "../statistics/power.ts";
import type { GeneralDifferences, SkillEvidence } from "./axis.ts";
import { decidingInterval, decidingRates, tooFewFamilies } from "./deciding-interval.ts";

type Judged = Omit<AxisResult, "kind">;

/** Judges a skill. One at which the arm compared with is at the floor has nothing to lose, so it says nothing. */
export function harmAtSkill(side: SkillEvidence, gate: GateSettings): Judged {
  const { alpha, floor, skills } = gate;
  const interval = decidingRates(side, alpha);
  const threshold = `above ${points(-skills.margin)} points`;
  if (side.baseRate <= floor) {
    const reason = `Without the candidate ${percent(side.baseRate)} are solved, so there is nothing to lose.`;
    const estimate = pairedDifference(side.differences).difference;
    const outcome = "uninformative" as const;
    return { axis: side.skill, outcome, isLetPass: true, estimate, interval, threshold, reason, neededItems: null };
  }
  const reason = `The difference is ${pointsInterval(interval)} points.`;
  const { skill: axis, differences } = side;
  return judged({ axis, differences, interval, threshold, reason }, skills, gate);
}

/** Judges a set of general texts. */
export function harmAtTexts({ name: axis, per, differences }: GeneralDifferences, gate: GateSettings): Judged {
  const interval = decidingInterval({ differences, counts: null }, gate.alpha);
  const shown = interval === null ? "cannot be told" : `${nats(interval.low)} to ${nats(interval.high)} nats a ${per}`;
  const margin = generalMargin(gate, per);
  const threshold = `above ${nats(-margin)} nats a ${per}`;
  const { allowInconclusive } = gate.general;
  const reason = `The difference is ${shown}.`;
  return judged({ axis, differences, interval, threshold, reason }, { margin, allowInconclusive }, gate);
}

/** Returns the worse of two judgements of one thing and says of which comparison it is; the first where it is the only one. */
export function worseOf(toBeat: Judged, base: Judged | null): Judged {
  if (base === null) return toBeat;
  const both = [
    { ...toBeat, reason: `Against the arm to beat: ${toBeat.reason}` },
    { ...base, reason: `Against the base: ${base.reason}` },
  ] as const;
  const [one, other] = both;
  const rank = WORST_FIRST.indexOf(one.outcome) - WORST_FIRST.indexOf(other.outcome);
  return rank < 0 || (rank === 0 && lowest(one) <= lowest(other)) ? one : other;
}

const WORST_FIRST: AxisResult["outcome"][] = ["failed", "inconclusive", "passed", "uninformative"];

function lowest({ interval }: Judged): number {
  return interval?.low ?? Number.NEGATIVE_INFINITY;
}

type Asked = Pick<AxisResult, "axis" | "interval" | "threshold" | "reason"> & { differences: number[][] };

function judged(
  { differences, reason, ...asked }: Asked,
  { margin, allowInconclusive }: Pick<GateSettings["general"], "margin" | "allowInconclusive">,
  gate: GateSettings,
): Judged {
  const estimate = pairedDifference(differences);
  const few = tooFewFamilies(estimate.families, gate);
  const outcome = few === null ? nonInferiority(asked.interval, margin) : "inconclusive";
  const { interval } = asked;
  const { difference } = estimate;
  const isNamed = outcome === "inconclusive" && few === null && interval !== null && hasSpread(estimate);
  // Of a gain that so few items show nobody is sure: then what is asked is whether it is as good.
  const open = { ...estimate, n: differences.flat().length, bound: -margin, truth: Math.min(0, difference) };
  return {
    ...asked,
    ...{ outcome, estimate: difference, isLetPass: outcome === "inconclusive" && allowInconclusive },
    reason: few ?? reason,
    neededItems: isNamed ? requiredItems({ ...open, interval }, gate.alpha) : null,
  };
}

function nats(value: number): string {
  return `${value > 0 ? "+" : ""}${value.toFixed(3)}`;
}
