/**
 * A decision as text for a terminal: the same figures as the report, without its item tables.
 */
import { counted } from "../foundation/counted.ts";
import { printable } from "../foundation/printable.ts";
import { textTable } from "../foundation/text-table.ts";
import type { ArmResult, Decision, PairResult } from "../records/comparison.ts";
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
import { AXIS_HEADER, axisRow } from "./axis-table.ts";
import type { UnrandomisedComparison } from "./compare-runs.ts";
import { effortRow } from "./effort.ts";
import { outlook, type ShownPair } from "./outlook.ts";
import { gateSentence, verdictSentence } from "./verdict-sentence.ts";

/** Renders a decision in plain lines of at most 100 columns or so. */
export function renderDecision(decision: Decision): string {
  const { alpha, reasons, axes, arms, pairs, sides, shown, adapterHash } = decision;
  const level = levelOf(alpha);
  return [
    verdictSentence(decision),
    ...(adapterHash === null ? [] : [printable(gateSentence(decision))]),
    ...reasons.map((reason) => `  ${printable(reason)}`),
    ...(axes.length > 0 ? ["", textTable(AXIS_HEADER, axes.map(axisRow))] : []),
    ...(arms.length > 0 ? ["", ...armTables(arms, level)] : []),
    ...pairs.flatMap((pair, index) => ["", ...pairLines(pair, { alpha, isDeciding: index === 0 })]),
    ...sides.flatMap((side) => [
      ...["", side.skill, ...armTables(side.arms, level)],
      ...side.pairs.flatMap((pair) => ["", ...pairLines(pair, { alpha, isDeciding: false })]),
    ]),
    ...(shown.length > 0 ? ["", shownTable(shown)] : []),
  ].join("\n");
}

/** Renders a comparison of runs that exist already. */
export function renderUnrandomised({ arms, pair, unpaired, alpha }: UnrandomisedComparison): string {
  const level = levelOf(alpha);
  const alone = unpaired.filter(({ items }) => items > 0).map(({ run, items }) => `${items} of ${run}`);
  return [
    "Unrandomised: two runs that exist already, paired by item. It shows, and decides nothing.",
    ...(alone.length > 0 ? [`Not paired: ${alone.join(", ")}.`] : []),
    "",
    ...armTables(arms, level),
    "",
    ...pairLines(pair, { alpha, isDeciding: false }),
  ].join("\n");
}

/** What each arm solved, and what that took. */
function armTables(arms: readonly ArmResult[], level: string): string[] {
  const solved = textTable(
    ["arm", "solved at the first try", "rate", `${level} interval`, "tokens an attempt", "valid actions"],
    arms.map(({ arm, passed, n, rate, interval, metrics }) => {
      const { completionTokens, validCalls } = metrics;
      const counted = [`${passed} of ${n}`, percent(rate), percentInterval(interval)];
      return [arm, ...counted, tokens(completionTokens), percent(validCalls)];
    }),
  );
  const took = arms.map(({ arm, metrics }) => [arm, ...effortRow(metrics)]);
  return [solved, "", textTable(["arm", ...EFFORT_TEXT_HEADER], took)];
}

/** Shorter than the report's, for a terminal. */
const EFFORT_TEXT_HEADER = [
  "in all attempts",
  "tries to solve",
  "tokens",
  "with prompts",
  "a solved item",
  "s an attempt",
];

function shownTable(shown: Decision["shown"]): string {
  const rows = shown.map(({ set, arm, figure, value }) => [set, arm, figure, value.toFixed(3)]);
  return textTable(["texts", "arm", "figure", "value"], rows);
}

function pairLines(pair: ShownPair, { alpha, isDeciding }: { alpha: number; isDeciding: boolean }): string[] {
  const { treatment, reference, oneTry, alpha: decidingAlpha = alpha } = pair;
  const level = levelOf(alpha);
  const decides = isDeciding ? `  (this one decides${pair.alpha === undefined ? "" : ", with the bets"})` : "";
  const rows: [string, string][] = [
    ...(oneTry === null ? [] : countRows(pair, oneTry)),
    ["difference", `${points(pair.difference)} points`],
    [`  ${levelOf(decidingAlpha)}, t over families`, `${pointsInterval(pair.clusterInterval)}${decides}`],
    ...(oneTry === null ? [] : newcombeRow(oneTry, level)),
    [`  ${level}, bootstrap of families`, pointsInterval(pair.bootstrapInterval)],
    ...(oneTry === null ? [] : mcnemarRow(oneTry)),
    ["completion tokens", ratio(pair.tokenRatio)],
    ["tokens a solved item", ratio(pair.costRatio)],
    ...(pair.verdict === undefined ? [] : [["verdict", pair.verdict] as [string, string]]),
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return [
    `${treatment} against ${reference}: ${counted(pair.n, "item")} of ${counted(pair.families, "family", "families")}${isDeciding ? " (deciding)" : ""}`,
    ...rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`),
    ...outlook(pair, decidingAlpha).map((line) => `  ${line}`),
  ];
}

type OneTry = NonNullable<PairResult["oneTry"]>;

function countRows({ treatment, reference }: ShownPair, oneTry: OneTry): [string, string][] {
  return [
    ["both", counted(oneTry.both, "item")],
    [`only ${treatment}`, `${oneTry.onlyTreatment}`],
    [`only ${reference}`, `${oneTry.onlyReference}`],
    ["neither", `${oneTry.neither}`],
  ];
}

function newcombeRow({ newcombeInterval }: OneTry, level: string): [string, string][] {
  return [[`  ${level}, Newcombe paired`, pointsInterval(newcombeInterval)]];
}

function mcnemarRow({ midP, exactP, holmP }: OneTry): [string, string][] {
  return [["McNemar mid-p", `${pValue(midP)}  (exact ${pValue(exactP)}, mid-p after Holm ${pValue(holmP)})`]];
}
