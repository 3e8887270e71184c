/**
 * A decision as text for a terminal: the same figures as the report, without its item tables.
 */
import type { Decision, PairResult } from "../records/comparison.ts";
import {
  levelOf,
  percent,
  percentInterval,
  points,
  pointsInterval,
  pValue,
  ratio,
  tokens,
} from "../statistics/figures.ts";
import { outlook } from "./outlook.ts";
import { verdictSentence } from "./verdict-sentence.ts";

/** Renders a decision in plain lines of at most 100 columns or so. */
export function renderDecision(decision: Decision): string {
  const level = levelOf(decision.alpha);
  return [
    verdictSentence(decision),
    ...decision.reasons.map((reason) => `  ${reason}`),
    "",
    ...armLines(decision, level),
    ...decision.pairs.flatMap((pair, index) => ["", ...pairLines(pair, { level, isDeciding: index === 0 })]),
  ].join("\n");
}

function armLines(decision: Decision, level: string): string[] {
  const rows = [
    ["arm", "solved", "rate", `${level} interval`, "tokens an attempt"],
    ...decision.arms.map(({ arm, passed, n, rate, interval, completionTokens }) => {
      return [arm, `${passed} of ${n}`, percent(rate), percentInterval(interval), tokens(completionTokens)];
    }),
  ];
  const widths = (rows[0] as string[]).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  return rows.map((row) =>
    row
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

function pairLines(pair: PairResult, { level, isDeciding }: { level: string; isDeciding: boolean }): string[] {
  const { treatment, reference } = pair;
  const rows: [string, string][] = [
    ["both", `${pair.both} items`],
    [`only ${treatment}`, `${pair.onlyTreatment}`],
    [`only ${reference}`, `${pair.onlyReference}`],
    ["neither", `${pair.neither}`],
    ["difference", `${points(pair.difference)} points`],
    [
      `  ${level}, t over families`,
      `${pointsInterval(pair.clusterInterval)}${isDeciding ? "  (this one decides)" : ""}`,
    ],
    [`  ${level}, Newcombe paired`, pointsInterval(pair.newcombeInterval)],
    [`  ${level}, bootstrap of families`, pointsInterval(pair.bootstrapInterval)],
    ["McNemar mid-p", `${pValue(pair.midP)}  (exact ${pValue(pair.exactP)}, mid-p after Holm ${pValue(pair.holmP)})`],
    ["completion tokens", ratio(pair.tokenRatio)],
    ["verdict", pair.verdict],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return [
    `${treatment} against ${reference}: ${pair.n} items of ${pair.families} families${isDeciding ? " (deciding)" : ""}`,
    ...rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`),
    ...outlook(pair).map((line) => `  ${line}`),
  ];
}
