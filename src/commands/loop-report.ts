/**
 * What a loop says at its end: a short text on the screen, and `report.md` in the home folder with the stages and their
 * times, the lift with its interval, five items before and after, and where everything lies.
 * The five items are drawn by the comparison's seed, not chosen.
 */
import { join, relative } from "node:path";
import { writeFileAtomic } from "../foundation/files.ts";
import { shortHash } from "../foundation/hashing.ts";
import { fenced } from "../foundation/markdown.ts";
import { duration } from "../foundation/progress.ts";
import { random } from "../foundation/random.ts";
import { sumOf } from "../foundation/sums.ts";
import type { LoopResult } from "../loop.ts";
import type { Decision } from "../records/comparison.ts";
import { levelOf, percent, points, pointsInterval } from "../statistics/figures.ts";
import type { Home } from "../store/home.ts";
import { openLake } from "../store/lake.ts";
import { readDatasetManifest } from "../store/manifests.ts";
import { renderDecision } from "../validate/index.ts";
import { collectGrowth, growthLine } from "./collect-growth.ts";

const SHOWN_ITEMS = 5;

const STAGE_MEANING: Record<string, string> = {
  base: "prepare the base model",
  collect: "let the base work on the train families, tips growing",
  watch: "let it work on the validation families, to watch the training",
  export: "select verified answers and render them",
  train: "train a LoRA on them",
  validate: "canary, then base, base with tips and candidate on the test families",
};

const STARTERS =
  "The memory of the collecting run began with solved items that the skill brings along, one of each kind, all of train " +
  "families. They stood in prompts as worked examples; every training row is an answer of the base itself that the " +
  "verifier passed, with the examples taken out of its prompt.";

interface BeforeAfter {
  task: string;
  before: string | null;
  beforePassed: boolean;
  after: string | null;
  afterPassed: boolean;
}

/** Returns the report as Markdown. */
export async function loopReport(result: LoopResult, home: Home): Promise<string> {
  const { settings, decision, stages } = result;
  const items = await beforeAfter(decision, home, settings.seed);
  const growths = await Promise.all(
    result.runs.train.map(async (run, i) => {
      const skill = settings.learns.length === 1 ? "" : ` at ${settings.learns[i]}`;
      return `Collecting${skill}, as the memory grew: ${growthLine(await collectGrowth(home, run))}.`;
    }),
  );
  return [
    `# Loop: skill \`${settings.skill}\`, base \`${settings.base}\``,
    "",
    `**${verdictLine(decision)}**`,
    "",
    ...(settings.learns.includes(settings.skill) ? [] : [await transferLine(result, home), ""]),
    ...(settings.collect.starters ? [STARTERS, ""] : []),
    "## What was done",
    "",
    "| stage | what | time |",
    "|---|---|---|",
    ...Object.entries(stages).map(
      ([name, { durationMs }]) =>
        `| ${name} | ${STAGE_MEANING[name.split(" ", 1)[0] ?? ""] ?? ""} | ${duration(durationMs)} |`,
    ),
    `| all | | ${duration(sumOf(Object.values(stages), ({ durationMs }) => durationMs))} |`,
    "",
    ...growths.flatMap((growth) => [growth, ""]),
    "## The decision",
    "",
    "```",
    renderDecision(decision).trim(),
    "```",
    "",
    `## ${items.length} items before and after`,
    "",
    "Drawn at random from the test families; both answers are first tries without tips.",
    "",
    ...items.flatMap(itemSection),
    "## Where everything lies",
    "",
    ...places(result, home).map(([what, path]) => `- ${what}: \`${path}\``),
    "",
  ].join("\n");
}

/** Writes `report.md` and returns its path. */
export async function writeLoopReport(text: string, home: Home): Promise<string> {
  const path = join(home.path, "report.md");
  await writeFileAtomic(path, text);
  return path;
}

/** Returns the text for the screen: the verdict, times, places and the next two commands. */
export function loopSummary(result: LoopResult, home: Home): string {
  const { decision, settings, stages } = result;
  const adapter = shortHash(result.adapterHash);
  const inHome = relative(process.cwd(), home.path) === ".tracemill" ? "" : ` --home ${home.path}`;
  return [
    renderDecision(decision).trim(),
    "",
    Object.entries(stages)
      .map(([name, { durationMs }]) => `${name} ${duration(durationMs)}`)
      .join(", "),
    "",
    verdictLine(decision),
    "",
    ...places(result, home).map(([what, path]) => `${what.padEnd(12)} ${path}`),
    "",
    "Look around, and try it yourself:",
    `  npx tracemill status${inHome}`,
    `  npx tracemill ask "How many albums are there?" --skill ${settings.skill} --models ${settings.base},${adapter}${inHome}`,
  ].join("\n");
}

/** By the rows, as a skill of which the base solves nothing gives none. */
async function transferLine({ settings: { skill, learns }, datasetHash }: LoopResult, home: Home): Promise<string> {
  const { bySkill } = await readDatasetManifest(home, datasetHash);
  const rows = learns.map((one) => `${bySkill.find((of) => of.skill === one)?.trainRows ?? 0} rows of ${one}`);
  return `Transfer: trained on ${rows.join(", ")}, and judged at ${skill}, of which it has seen nothing.`;
}

function verdictLine({ verdict, hasPassed, arms, pairs, alpha }: Decision): string {
  const [pair] = pairs;
  const rate = (name: string) => percent(arms.find(({ arm }) => arm === name)?.rate ?? Number.NaN);
  const interval = pair?.clusterInterval;
  return (
    `${verdict}: first-try success on held-out families ${rate("base")} -> ${rate("candidate")} ` +
    `(${points(pair?.difference ?? Number.NaN)} points` +
    `${interval ? `, ${levelOf(alpha)} interval ${pointsInterval(interval)}` : ""}; n = ${pair?.n}); the gate ${hasPassed ? "passed" : "did not pass"}`
  );
}

async function beforeAfter(decision: Decision, home: Home, seed: number): Promise<BeforeAfter[]> {
  const runOf = (name: string) => decision.arms.find(({ arm }) => arm === name)?.runs[0]?.run ?? "";
  const lake = await openLake(home);
  try {
    const rows = await lake.query(
      `SELECT i.task AS task, b.response AS before, b.eval_passed AS "beforePassed", c.response AS after, c.eval_passed AS "afterPassed"
       FROM attempts b JOIN attempts c USING (item) JOIN items i ON i.item = b.item AND i.run = b.run
       WHERE b.run = $base AND c.run = $candidate AND b.attempt_number = 1 AND c.attempt_number = 1 ORDER BY b.item`,
      { base: runOf("base"), candidate: runOf("candidate") },
    );
    return random(seed, "before-after").sample(rows, SHOWN_ITEMS) as unknown as BeforeAfter[];
  } finally {
    lake.close();
  }
}

function itemSection({ task, before, beforePassed, after, afterPassed }: BeforeAfter): string[] {
  const verdict = (passed: boolean) => (passed ? "passes" : "fails");
  return [
    `**${task.trim()}**`,
    "",
    `Base (${verdict(beforePassed)}):`,
    "",
    fenced((before ?? "").trim()),
    "",
    `Candidate (${verdict(afterPassed)}):`,
    "",
    fenced((after ?? "").trim()),
    "",
  ];
}

function places({ runs, datasetHash, adapterHash, decision }: LoopResult, home: Home): [string, string][] {
  return [
    ...runs.train.map((run): [string, string] => ["run", home.runLog(run)]),
    ["dataset", home.datasetFolder(datasetHash)],
    ["adapter", home.adapterFolder(adapterHash)],
    ["comparison", home.comparisonFolder(decision.comparisonHash)],
    ["report", join(home.path, "report.md")],
  ];
}
