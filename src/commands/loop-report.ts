/**
 * What a loop says at its end: a short text on the screen, and `report.md` in the home folder with the stages and their
 * times, the lift with its interval, five items before and after, and where everything lies.
 * The five items are drawn by the comparison's seed, not chosen.
 */
import { join, relative } from "node:path";
import { counted } from "../foundation/counted.ts";
import { writeFileAtomic } from "../foundation/files.ts";
import { shortHash } from "../foundation/hashing.ts";
import { fenced } from "../foundation/markdown.ts";
import { duration } from "../foundation/progress.ts";
import { random } from "../foundation/random.ts";
import { shellWord } from "../foundation/shell-word.ts";
import { sumOf } from "../foundation/sums.ts";
import type { LoopResult } from "../loop.ts";
import { BASE_ARM, type Decision } from "../records/comparison.ts";
import { loadSkill } from "../skills/load.ts";
import { levelOf, percent, points, pointsInterval } from "../statistics/figures.ts";
import type { Home } from "../store/home.ts";
import { withLake } from "../store/lake.ts";
import { readDatasetManifest } from "../store/manifests.ts";
import { type BeforeAfter, readBeforeAfter, readThirds, type Third } from "../store/run-figures.ts";
import { renderDecision } from "../validate/index.ts";
import { takesFreeQuestions } from "./ask.ts";
import { stageMeaning, startersText } from "./loop-stages.ts";

const SHOWN_ITEMS = 5;

/** Returns the report as Markdown. */
export async function loopReport(result: LoopResult, home: Home): Promise<string> {
  const { settings, decision, stages } = result;
  const { round } = settings;
  const [before] = judgedArms(decision);
  const items = await beforeAfter(decision, home, settings.seed);
  const growths = await Promise.all(
    result.runs.train.map(async (run, i) => {
      const skill = settings.learns.length === 1 ? "" : ` at ${settings.learns[i]}`;
      const thirds = await withLake(home, (lake) => readThirds(lake, run));
      return `Collecting${skill}, as the memory grew: ${growthLine(thirds)}.`;
    }),
  );
  return [
    `# Loop: skill \`${settings.skill}\`, base \`${settings.base}\`${round.number === 1 ? "" : `, round ${round.number}`}`,
    "",
    `**${verdictLine(decision)}**`,
    "",
    ...(settings.learns.includes(settings.skill) ? [] : [await transferLine(result, home), ""]),
    ...(settings.collect.starters ? [startersText(settings), ""] : []),
    "## What was done",
    "",
    "| stage | what | time |",
    "|---|---|---|",
    ...Object.entries(stages).map(
      ([name, { durationMs }]) => `| ${name} | ${stageMeaning(name, result)} | ${duration(durationMs)} |`,
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
    `## ${counted(items.length, "item")} before and after`,
    "",
    "Drawn at random from the test families; both answers are first tries without tips.",
    "",
    ...items.flatMap((item) => itemSection(item, before)),
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

/** Returns the text for the screen: the verdict, times, places and the next commands. */
export async function loopSummary(result: LoopResult, home: Home): Promise<string> {
  const { decision, settings, stages } = result;
  const adapter = shortHash(result.adapterHash);
  const inHome = relative(process.cwd(), home.path) === ".tracemill" ? "" : ` --home ${home.path}`;
  const question = await questionToAsk(result, home);
  const models = `--models ${settings.base},${adapter}`;
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
    question === null ? "Look around:" : "Look around, and try it yourself:",
    `  npx tracemill status${inHome}`,
    ...(question === null ? [] : [`  npx tracemill ask ${question} --skill ${settings.skill} ${models}${inHome}`]),
  ].join("\n");
}

/** The task of an item that was judged, as a word for a shell; null where the skill takes no free questions or nothing was judged. */
async function questionToAsk({ settings, decision }: LoopResult, home: Home): Promise<string | null> {
  if (!takesFreeQuestions(await loadSkill(settings.skill))) return null;
  const [item] = await beforeAfter(decision, home, settings.seed);
  return item === undefined ? null : shellWord(item.task);
}

/** By the rows, as a skill of which the base solves nothing gives none. */
async function transferLine({ settings: { skill, learns }, datasetHash }: LoopResult, home: Home): Promise<string> {
  const { bySkill } = await readDatasetManifest(home, datasetHash);
  const rows = learns.map(
    (one) => `${counted(bySkill.find((of) => of.skill === one)?.trainRows ?? 0, "row")} of ${one}`,
  );
  return `Transfer: trained on ${rows.join(", ")}, and judged at ${skill}, of which it has seen nothing.`;
}

/** The pair that decided; that of a single loop where nothing was judged. */
function judgedArms({ pairs: [pair] }: Decision): [before: string, after: string] {
  return pair === undefined ? [BASE_ARM, "candidate"] : [pair.reference, pair.treatment];
}

function verdictLine({ verdict, hasPassed, arms, pairs, alpha }: Decision): string {
  const gate = `the gate ${hasPassed ? "passed" : "did not pass"}`;
  const [pair] = pairs;
  if (pair === undefined) return `${verdict}: nothing was compared; ${gate}`;
  const rate = (name: string) => `${name} ${percent(arms.find(({ arm }) => arm === name)?.rate ?? Number.NaN)}`;
  const { reference, treatment, difference, clusterInterval: interval, n } = pair;
  return (
    `${verdict}: first-try success on held-out families, ${rate(reference)} -> ${rate(treatment)} ` +
    `(${points(difference)} points${interval ? `, ${levelOf(alpha)} interval ${pointsInterval(interval)}` : ""}; n = ${n}); ${gate}`
  );
}

async function beforeAfter(decision: Decision, home: Home, seed: number): Promise<BeforeAfter[]> {
  const [before, after] = judgedArms(decision);
  const runOf = (name: string) => decision.arms.find(({ arm }) => arm === name)?.runs[0]?.run ?? "";
  const items = await withLake(home, (lake) => {
    return readBeforeAfter(lake, { before: runOf(before), after: runOf(after) });
  });
  return random(seed, "before-after").sample(items, SHOWN_ITEMS);
}

/** How the pass rate grew while the memory did: `first third 5 of 90 passed (5.6 %), second ...`. */
function growthLine(thirds: readonly Third[]): string {
  const names = ["first third", "second", "last"];
  return thirds
    .map(({ attempts, passed }, i) => `${names[i]} ${passed} of ${attempts} passed (${percent(passed / attempts)})`)
    .join(", ");
}

function itemSection({ task, before, beforePassed, after, afterPassed }: BeforeAfter, arm: string): string[] {
  const verdict = (passed: boolean | null) => (passed ? "passes" : "fails");
  return [
    `**${task.trim()}**`,
    "",
    `${arm === BASE_ARM ? "Base" : "Champion"} (${verdict(beforePassed)}):`,
    "",
    fenced((before ?? "").trim()),
    "",
    `Candidate (${verdict(afterPassed)}):`,
    "",
    fenced((after ?? "").trim()),
    "",
  ];
}

function places(result: LoopResult, home: Home): [string, string][] {
  const { settings, runs, datasetHash, adapterHash, decision } = result;
  const { champion } = settings.round;
  return [
    ...runs.train.map((run): [string, string] => ["run", home.runLog(run)]),
    ["dataset", home.datasetFolder(datasetHash)],
    ["adapter", home.adapterFolder(adapterHash)],
    ...(champion === null ? [] : [["champion", home.adapterFolder(champion)] as [string, string]]),
    ["comparison", home.comparisonFolder(decision.comparisonHash)],
    ["report", join(home.path, "report.md")],
  ];
}
