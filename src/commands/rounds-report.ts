/**
 * What a row of loops came to, as text and as `rounds.md` beside the picture `rounds.svg`.
 */
import { join } from "node:path";
import { counted } from "../foundation/counted.ts";
import { writeFileAtomic } from "../foundation/files.ts";
import { shortHash } from "../foundation/hashing.ts";
import { markdownTable } from "../foundation/markdown.ts";
import type { ArmResult, Interval, Plan } from "../records/comparison.ts";
import { levelOf, percent, percentInterval, points, pointsInterval } from "../statistics/figures.ts";
import type { Home } from "../store/home.ts";
import { readPlan } from "../store/manifests.ts";
import type { RoundsResult } from "./loop-rounds.ts";
import type { RoundReport } from "./round-report.ts";
import { roundsPicture } from "./rounds-picture.ts";

const HEADER = [
  "round",
  "before",
  "candidate",
  "difference",
  "verdict",
  "gate",
  "rows",
  "by adapters",
  "different answers",
];

/** Writes `rounds.md` and `rounds.svg` and returns their paths. */
export async function writeRoundsReport(
  result: RoundsResult,
  home: Home,
): Promise<{ report: string; picture: string }> {
  const report = join(home.path, "rounds.md");
  const picture = join(home.path, "rounds.svg");
  await writeFileAtomic(picture, roundsPicture(result.rounds.map(pointOf)));
  const plans = await Promise.all(result.rounds.map(({ comparisonHash }) => readPlan(home, comparisonHash)));
  await writeFileAtomic(report, markdownOf(result, itemsText(plans)));
  return { report, picture };
}

/** Returns the rounds as lines for the screen. */
export function roundsSummary({ rounds, champion, ended }: RoundsResult): string {
  return [
    ...rounds.map((round) => {
      const [, before, candidate, difference, verdict, gate] = rowOf(round);
      return `round ${round.round}: ${before} -> ${candidate} (${difference} points), ${verdict}, gate ${gate}`;
    }),
    ended,
    champion === null ? "The base answers." : `Champion: ${shortHash(champion)}.`,
  ].join("\n");
}

/** Says of which items each round's candidate was judged: a skill whose items no seed makes may have the same ones for all. */
function itemsText(plans: readonly Plan[]): string {
  const seen = new Set<string>();
  const isShared = plans.some(({ items }) => {
    const known = items.some(({ item }) => seen.has(item));
    for (const { item } of items) seen.add(item);
    return known;
  });
  if (isShared)
    return "Rounds share items, as the skill has no others: each further candidate on the same families is judged more strictly.";
  const areFresh = plans.some(({ isFresh }) => isFresh === true);
  return `Each round is judged on items of its own${areFresh ? ", from the second on of families that no other round has" : ""}.`;
}

function markdownOf({ rounds, champion, ended }: RoundsResult, items: string): string {
  return `${[
    `# ${counted(rounds.length, "round")}`,
    "![first-try success and tokens an attempt, round by round](rounds.svg)",
    markdownTable(HEADER, rounds.map(rowOf)),
    `${items} Intervals of the arms are Wilson's; the one of the difference decides.`,
    ...rounds.map(
      (round) => `- Round ${round.round}: comparison \`${round.comparisonHash}\`. ${round.reasons.join(" ")}`,
    ),
    ended,
    champion === null ? "The base answers." : `The champion is \`${champion}\`.`,
  ].join("\n\n")}\n`;
}

function rowOf(round: RoundReport): string[] {
  const [before, candidate] = armsOf(round);
  const pair = round.pairs[0];
  const level = levelOf(round.alpha);
  const shown = (arm: ArmResult | undefined) =>
    arm === undefined ? "-" : `${percent(arm.rate)} (${level} ${percentInterval(arm.interval)})`;
  return [
    `${round.round}`,
    shown(before),
    shown(candidate),
    pair === undefined ? "-" : `${points(pair.difference)} (${pointsInterval(pair.clusterInterval)})`,
    round.verdict,
    round.isPromoted ? "passed, promoted" : round.hasPassed ? "passed, not promoted" : "did not pass",
    `${round.trainRows}`,
    percent(round.selfGenerated),
    round.diversity === null ? "-" : percent(round.diversity),
  ];
}

function pointOf(round: RoundReport) {
  const [before, candidate] = armsOf(round);
  const tokens = before?.metrics.completionTokens ?? null;
  const ratio = round.pairs[0]?.tokenRatio?.interval ?? null;
  const isKnown = tokens !== null && ratio !== null;
  return {
    round: round.round,
    before: figureOf(before, null),
    candidate: figureOf(candidate, isKnown ? { low: ratio.low * tokens, high: ratio.high * tokens } : null),
  };
}

function figureOf(arm: ArmResult | undefined, tokensInterval: Interval | null) {
  if (arm === undefined) return null;
  return { rate: arm.rate, interval: arm.interval, tokens: arm.metrics.completionTokens, tokensInterval };
}

function armsOf({ arms, pairs }: RoundReport): [ArmResult | undefined, ArmResult | undefined] {
  const named = (name: string | undefined) => arms.find(({ arm }) => arm === name);
  return [named(pairs[0]?.reference), named(pairs[0]?.treatment)];
}
