/**
 * `report.md` of a comparison: the decision for people, with what lies beneath it - kinds, families, single items.
 * Every figure of its first part is in decision.json; the breakdowns are counts of the same outcomes.
 */
import { counted } from "../foundation/counted.ts";
import { groupBy } from "../foundation/group-by.ts";
import { fenced, markdownTable } from "../foundation/markdown.ts";
import { type Decision, decidingPair, type PairResult, type Plan } from "../records/comparison.ts";
import { levelOf, percent, percentInterval, points, pointsInterval, pValue, ratio } from "../statistics/figures.ts";
import { armFigures } from "./arm-figures.ts";
import type { Outcome } from "./arm-outcomes.ts";
import { AXIS_HEADER, axisRow } from "./axis-table.ts";
import { EFFORT_HEADER, effortRow, SOUNDNESS_HEADER, soundnessRow } from "./effort.ts";
import type { JudgedPart, WholeArm } from "./judged-part.ts";
import { outlook } from "./outlook.ts";
import { outcomesOf } from "./pair-figures.ts";
import { gateSentence, verdictSentence } from "./verdict-sentence.ts";

const GAINED_SHOWN = 5;
const LOST_SHOWN = 3;
const TASK_LIMIT = 600;
const ANSWER_LIMIT = 600;

/** Renders a decision and the outcomes that it was made from as Markdown; no parts where nothing was run. */
export function renderReport(plan: Plan, decision: Decision, parts: readonly JudgedPart[]): string {
  const { axes, reasons, pairs, sides, shown } = decision;
  const [primary, ...others] = parts;
  return `${[
    `# ${headingOf(plan, decision)}`,
    verdictSentence(decision),
    ...(plan.purpose === "candidate" ? [gateSentence(decision)] : []),
    ...(reasons.length > 0 ? [reasons.map((reason) => `- ${reason}`).join("\n")] : []),
    ...(axes.length > 0 ? ["## The gate", markdownTable(AXIS_HEADER, axes.map(axisRow))] : []),
    ...(primary === undefined ? [] : ["## Arms", ...armTables(plan, decision, decision)]),
    ...pairs.flatMap((pair) => pairSection(pair, decision)),
    ...sides.flatMap((side) => [
      ...[`## ${side.skill}`, ...armTables(plan, decision, side)],
      ...side.pairs.flatMap((pair) => pairSection(pair, decision, `${side.skill}: `)),
    ]),
    ...(others.length > 0 ? ["## All skills together", overallTable(parts, decision)] : []),
    ...(shown.length > 0 ? ["## General ability", shownTable(shown)] : []),
    ...(primary === undefined ? [] : breakdowns(plan, decision, primary)),
    ...others.flatMap((part) => [`## ${part.part.skill.id} by family`, ...familyTables(part, decision)]),
    "## How this was made",
    origin(plan, decision),
  ].join("\n\n")}\n`;
}

function headingOf(plan: Plan, { verdict, hasPassed }: Decision): string {
  if (plan.purpose === "aa") return `Noise of serving: ${plan.skill.id}, ${plan.split} split`;
  return `${verdict}${hasPassed ? ", gate passed" : ""}: ${plan.skill.id}, ${plan.split} split`;
}

/** What each arm solved, and what that took. */
function armTables(plan: Plan, { alpha }: Decision, { arms }: { arms: Decision["arms"] }): string[] {
  const header = ["arm", "model", "tips", "solved", "rate", `${levelOf(alpha)} interval (Wilson)`];
  const rows = arms.map(({ arm, passed, n, rate, interval }) => {
    const planned = plan.arms.find((other) => other.arm === arm);
    const tips = planned?.memory === "frozen" ? "yes" : "no";
    return [arm, planned?.model ?? "", tips, `${passed} of ${n}`, percent(rate), percentInterval(interval)];
  });
  const took = arms.map(({ arm, metrics }) => [arm, ...effortRow(metrics), ...soundnessRow(metrics)]);
  return [markdownTable(header, rows), markdownTable(["arm", ...EFFORT_HEADER, ...SOUNDNESS_HEADER], took)];
}

/** The arms that attempted every skill, over all items. */
function overallTable(parts: readonly JudgedPart[], { alpha }: Decision): string {
  const [first, ...others] = parts.map(({ arms }) => arms);
  const rows = (first ?? []).flatMap((arm) => {
    const same = others.map((arms) => arms.find((other) => other.arm.arm === arm.arm.arm)?.outcomes);
    const outcomes = [arm.outcomes, ...same].flatMap((found) => found ?? []);
    if (same.includes(undefined)) return [];
    const { passed, n, rate, metrics } = armFigures({ ...arm, outcomes }, alpha);
    return [[arm.arm.arm, `${passed} of ${n}`, percent(rate), ...effortRow(metrics)]];
  });
  return markdownTable(["arm", "solved", "rate", ...EFFORT_HEADER], rows);
}

function pairSection(pair: PairResult, decision: Decision, of = ""): string[] {
  const level = levelOf(decision.alpha);
  const { treatment, reference, oneTry, variance, alpha = decision.alpha } = pair;
  const isDeciding = pair === decision.pairs[0];
  const counts = oneTry === null ? [] : countRows(pair, oneTry);
  const tests = oneTry === null ? [] : testRows(oneTry, level);
  return [
    `## ${of}${treatment} against ${reference}${isDeciding ? " (decides)" : ""}`,
    markdownTable(
      ["figure", "value"],
      [
        ["items", `${pair.n} of ${counted(pair.families, "family", "families")}`],
        ...counts,
        ["difference in first-try success", `${points(pair.difference)} points`],
        [`${levelOf(alpha)} interval, t over families`, pointsInterval(pair.clusterInterval)],
        [`${level} interval, bootstrap of families`, pointsInterval(pair.bootstrapInterval)],
        ...tests,
        ...(variance === null ? [] : [["variance between items, within", varianceText(variance)]]),
        ["completion tokens of an attempt, ratio", ratio(pair.tokenRatio)],
        ["completion tokens a solved item, ratio (bootstrap)", ratio(pair.costRatio)],
        ...pair.secondary.map((one) => [one.metric, secondaryText(one)]),
        ["verdict", pair.verdict],
      ],
    ),
    outlook(pair, alpha).join(" "),
  ];
}

function countRows({ treatment, reference }: PairResult, oneTry: NonNullable<PairResult["oneTry"]>): string[][] {
  return [
    ["solved by both", `${oneTry.both}`],
    [`solved only by ${treatment}`, `${oneTry.onlyTreatment}`],
    [`solved only by ${reference}`, `${oneTry.onlyReference}`],
    ["solved by neither", `${oneTry.neither}`],
  ];
}

function testRows(
  { newcombeInterval, midP, exactP, holmP }: NonNullable<PairResult["oneTry"]>,
  level: string,
): string[][] {
  return [
    [`${level} interval, Newcombe paired (method 10)`, pointsInterval(newcombeInterval)],
    ["McNemar, mid-p", pValue(midP)],
    ["McNemar, exact", pValue(exactP)],
    ["McNemar, mid-p after Holm over all pairs", pValue(holmP)],
  ];
}

function varianceText({ between, within }: { between: number; within: number }): string {
  return `${between.toFixed(4)}, ${within.toFixed(4)}`;
}

function secondaryText({ difference, interval, holmP }: PairResult["secondary"][number]): string {
  const shown = (value: number) => `${value > 0 ? "+" : ""}${Number(value.toPrecision(3))}`;
  const between = interval === null ? "" : ` (${shown(interval.low)} to ${shown(interval.high)})`;
  return `${shown(difference)}${between}${holmP === null ? "" : `, p after Holm ${pValue(holmP)}`}`;
}

function shownTable(shown: Decision["shown"]): string {
  return markdownTable(
    ["texts", "arm", "figure", "value"],
    shown.map(({ set, arm, figure, value }) => [set, arm, figure, value.toFixed(3)]),
  );
}

function breakdowns(plan: Plan, decision: Decision, part: JudgedPart): string[] {
  const { arms } = part;
  return [
    "## By kind",
    breakdown("kind", arms, (outcome) => outcome.kind ?? "(none)"),
    "## By family",
    ...familyTables(part, decision),
    ...itemSections(plan, arms),
  ];
}

/** What each arm solved of a family, and what its attempts there took. */
function familyTables({ arms }: JudgedPart, { alpha }: Decision): string[] {
  const families = [...new Set(arms.flatMap(({ outcomes }) => outcomes.map(({ family }) => family)))].sort();
  const took = families.flatMap((family) =>
    arms.map((arm) => {
      const outcomes = arm.outcomes.filter((outcome) => outcome.family === family);
      return [family, arm.arm.arm, ...effortRow(armFigures({ ...arm, outcomes }, alpha).metrics)];
    }),
  );
  return [
    breakdown("family", arms, (outcome) => outcome.family),
    markdownTable(["family", "arm", ...EFFORT_HEADER], took),
  ];
}

function breakdown(name: string, arms: readonly WholeArm[], keyOf: (outcome: Outcome) => string): string {
  const keys = [...new Set(arms.flatMap(({ outcomes }) => outcomes.map(keyOf)))].sort();
  const rows = keys.map((key) => {
    const groups = arms.map(({ outcomes }) => outcomes.filter((outcome) => keyOf(outcome) === key));
    const solved = groups.map(
      (group) => `${group.flatMap(({ samples }) => samples).filter(({ passed }) => passed).length}`,
    );
    return [key, `${groups[0]?.length ?? 0}`, ...solved];
  });
  return markdownTable([name, "items", ...arms.map(({ arm }) => `solved by ${arm.arm}`)], rows);
}

function itemSections(plan: Plan, arms: readonly WholeArm[]): string[] {
  const [reference, treatment] = decidingPair(plan);
  const pairs = outcomesOf(arms, reference).map((before, index) => {
    return { before, after: outcomesOf(arms, treatment)[index] as Outcome };
  });
  const isFirst = ({ samples }: Outcome) => samples[0]?.passed === true;
  const gained = spread(pairs.filter(({ before, after }) => !isFirst(before) && isFirst(after))).slice(0, GAINED_SHOWN);
  const lost = spread(pairs.filter(({ before, after }) => isFirst(before) && !isFirst(after))).slice(0, LOST_SHOWN);
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
  const answer = (name: string, { samples: [first] }: Outcome) => [
    `${name}: ${first?.passed === true ? "solved" : `not solved (${first?.failureMode ?? "no reason given"})`}`,
    fenced(first?.response ?? "(no answer)", ANSWER_LIMIT),
  ];
  return [
    `### \`${before.item.replaceAll(/[`\s]/g, " ")}\``,
    fenced(before.task, TASK_LIMIT),
    ...answer(reference, before),
    ...answer(treatment, after),
  ];
}

function origin(plan: Plan, decision: Decision): string {
  const { skill, split, sampling, seed, samples, attempts, use, alpha, agent } = plan;
  const tries = `${counted(attempts, "attempt")} an item`;
  const manner = `${tries}, ${samples === 1 ? "one run" : `${samples} runs`} an arm at temperature ${sampling.temperature}, seed ${seed}`;
  const parts = [{ ...decision, skill: skill.id }, ...decision.sides];
  return [
    `- Comparison \`${plan.comparisonHash}\`, planned ${plan.plannedAt}, decided ${decision.decidedAt}; use ${use} of these items, so alpha is ${Number(alpha.toPrecision(3))}.`,
    `- Skill ${skill.id} ${skill.version}, ${split} split, ${manner}.`,
    ...(agent === null ? [] : [`- Each attempt was made by ${fencedInline(agent)}.`]),
    ...parts.flatMap(({ skill: of, arms }) =>
      arms.flatMap(({ arm, runs }) =>
        runs.map(({ run, head }) => `- ${of}, arm ${arm}: run \`${run}\`, head \`${head}\`.`),
      ),
    ),
  ].join("\n");
}

function fencedInline(text: string): string {
  return `\`${text.replaceAll(/[`\s]+/g, " ")}\``;
}
