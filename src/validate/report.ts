/**
 * `report.md` of a comparison: the decision for people, with what lies beneath it - kinds, families, single items.
 * Every figure of its first part is in decision.json; the breakdowns are counts of the same outcomes.
 */
import { groupBy } from "../foundation/group-by.ts";
import { fenced, markdownTable } from "../foundation/markdown.ts";
import type { Decision, PairResult, Plan } from "../records/comparison.ts";
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
import type { ArmOutcomes, Outcome } from "./arm-outcomes.ts";
import { outlook } from "./outlook.ts";
import { outcomesOf } from "./pair-figures.ts";
import { verdictSentence } from "./verdict-sentence.ts";

const GAINED_SHOWN = 5;
const LOST_SHOWN = 3;
const TASK_LIMIT = 600;
const ANSWER_LIMIT = 600;

/** Renders a decision and the outcomes it was made from as Markdown. */
export function renderReport(plan: Plan, decision: Decision, arms: readonly ArmOutcomes[]): string {
  return `${[
    `# ${decision.verdict}: ${plan.skill.id}, ${plan.split} split`,
    verdictSentence(decision),
    decision.reasons.map((reason) => `- ${reason}`).join("\n"),
    "## Arms",
    armTable(plan, decision),
    ...decision.pairs.flatMap((pair) => pairSection(pair, decision)),
    "## By kind",
    breakdown("kind", arms, (outcome) => outcome.kind ?? "(none)"),
    "## By family",
    breakdown("family", arms, (outcome) => outcome.family),
    ...itemSections(plan, arms),
    "## How this was made",
    origin(plan, decision),
  ].join("\n\n")}\n`;
}

function armTable(plan: Plan, decision: Decision): string {
  const header = [
    "arm",
    "model",
    "tips",
    "solved",
    "rate",
    `${levelOf(decision.alpha)} interval (Wilson)`,
    "tokens an attempt",
  ];
  const rows = decision.arms.map(({ arm, passed, n, rate, interval, completionTokens }) => {
    const planned = plan.arms.find((other) => other.arm === arm);
    const tips = planned?.memory === "frozen" ? "yes" : "no";
    const counts = [`${passed} of ${n}`, percent(rate), percentInterval(interval), tokens(completionTokens)];
    return [arm, planned?.model ?? "", tips, ...counts];
  });
  return markdownTable(header, rows);
}

function pairSection(pair: PairResult, decision: Decision): string[] {
  const level = levelOf(decision.alpha);
  const { treatment, reference } = pair;
  const isDeciding = pair === decision.pairs[0];
  return [
    `## ${treatment} against ${reference}${isDeciding ? " (decides)" : ""}`,
    markdownTable(
      ["figure", "value"],
      [
        ["items", `${pair.n} of ${pair.families} families`],
        ["solved by both", `${pair.both}`],
        [`solved only by ${treatment}`, `${pair.onlyTreatment}`],
        [`solved only by ${reference}`, `${pair.onlyReference}`],
        ["solved by neither", `${pair.neither}`],
        ["difference in first-try success", `${points(pair.difference)} points`],
        [`${level} interval, t over families`, pointsInterval(pair.clusterInterval)],
        [`${level} interval, Newcombe paired (method 10)`, pointsInterval(pair.newcombeInterval)],
        [`${level} interval, bootstrap of families`, pointsInterval(pair.bootstrapInterval)],
        ["McNemar, mid-p", pValue(pair.midP)],
        ["McNemar, exact", pValue(pair.exactP)],
        ["McNemar, mid-p after Holm over all pairs", pValue(pair.holmP)],
        ["completion tokens of an attempt, ratio", ratio(pair.tokenRatio)],
        ["verdict", pair.verdict],
      ],
    ),
    outlook(pair).join(" "),
  ];
}

function breakdown(name: string, arms: readonly ArmOutcomes[], keyOf: (outcome: Outcome) => string): string {
  const keys = [...new Set(arms.flatMap(({ outcomes }) => outcomes.map(keyOf)))].sort();
  const rows = keys.map((key) => {
    const groups = arms.map(({ outcomes }) => outcomes.filter((outcome) => keyOf(outcome) === key));
    const solved = groups.map((group) => `${group.filter(({ passed }) => passed).length}`);
    return [key, `${groups[0]?.length ?? 0}`, ...solved];
  });
  return markdownTable([name, "items", ...arms.map(({ arm }) => `solved by ${arm.arm}`)], rows);
}

function itemSections(plan: Plan, arms: readonly ArmOutcomes[]): string[] {
  const [reference, treatment] = plan.pairs[0] as [string, string];
  const pairs = outcomesOf(arms, reference).map((before, index) => {
    return { before, after: outcomesOf(arms, treatment)[index] as Outcome };
  });
  const gained = spread(pairs.filter(({ before, after }) => !before.passed && after.passed)).slice(0, GAINED_SHOWN);
  const lost = spread(pairs.filter(({ before, after }) => before.passed && !after.passed)).slice(0, LOST_SHOWN);
  const shown = (list: typeof pairs) => list.flatMap((pair) => itemLines(pair, { reference, treatment }));
  return [
    ...(gained.length > 0 ? [`## Solved by ${treatment} and not by ${reference}`, ...shown(gained)] : []),
    ...(lost.length > 0 ? [`## Solved by ${reference} and not by ${treatment}`, ...shown(lost)] : []),
  ];
}

/** Puts one item of each family first, so that the few that are shown differ. */
function spread<T extends { before: Outcome }>(pairs: readonly T[]): T[] {
  const families = [...groupBy(pairs, ({ before }) => before.family).values()];
  return families.flatMap((group) => group.slice(0, 1)).concat(families.flatMap((group) => group.slice(1)));
}

function itemLines(
  { before, after }: { before: Outcome; after: Outcome },
  { reference, treatment }: { reference: string; treatment: string },
): string[] {
  const answer = (name: string, { response, passed, failureMode }: Outcome) => [
    `${name}: ${passed ? "solved" : `not solved (${failureMode ?? "no reason given"})`}`,
    fenced(response ?? "(no answer)", ANSWER_LIMIT),
  ];
  return [
    `### \`${before.item.replaceAll(/[`\s]/g, " ")}\``,
    fenced(before.task, TASK_LIMIT),
    ...answer(reference, before),
    ...answer(treatment, after),
  ];
}

function origin(plan: Plan, decision: Decision): string {
  return [
    `- Comparison \`${plan.comparisonHash}\`, planned ${plan.plannedAt}, decided ${decision.decidedAt} by the gate \`${decision.gate}\`.`,
    `- Skill ${plan.skill.id} ${plan.skill.version}, ${plan.split} split, one attempt an item at temperature ${plan.sampling.temperature}, seed ${plan.seed}.`,
    ...decision.arms.map(({ arm, run, head }) => `- Arm ${arm}: run \`${run}\`, head \`${head}\`.`),
  ].join("\n");
}
