/**
 * How `tracemill tips` writes for people: a table, one tip in full, its effect in words, and what was retired.
 */
import { counted } from "../foundation/counted.ts";
import { textTable } from "../foundation/text-table.ts";
import type { Consolidation } from "../harness/index.ts";
import type { TipId } from "../records/ids.ts";
import { levelOf, percent, points, pointsInterval } from "../statistics/figures.ts";
import type { CreditRule, TipCredit } from "../statistics/tip-credit.ts";
import type { TipHistory } from "../store/tip-draws.ts";
import type { TipEntry } from "./tip-book.ts";
import type { RetirementReport } from "./tip-retirement.ts";

const SHOWN_WORDS = 6;

export interface EffectReport extends TipCredit {
  tip: TipId;
  /** Whose draws were counted. */
  runs: number;
  rule: CreditRule;
  state: string;
  uncounted: TipHistory["uncounted"];
  /** Draws like those so far until the effect is told from the threshold; null where it would not be. */
  furtherDraws: number | null;
}

export interface TipLine {
  tip: TipId;
  skill: string;
  type: string;
  family: string;
  /** First words of what it says, or of its worked answer. */
  begins: string;
  state: string;
  shown: number;
  dropped: number;
  kind: "randomised" | "observational";
  estimate: number | null;
  interval: { low: number; high: number } | null;
}

export interface ConsolidationReport extends RetirementReport {
  contradictions: Consolidation["contradictions"];
}

/** What may be said of a tip in one word; the calls keep the rate of false ones over all tips. */
export function stateOf({ retired, credit, draws }: Pick<TipEntry, "retired" | "credit" | "draws">): string {
  if (retired !== null) return "retired";
  if (draws.length === 0) return "unread";
  if (credit.effect.kind === "observational") return "observational";
  return credit.verdict.call === "retired" ? "harmful" : credit.verdict.call;
}

/** One line a tip. */
export function listPage({
  tips,
  alpha,
  unsealedRuns,
  missingRuns,
}: {
  tips: readonly TipLine[];
  alpha: number;
  unsealedRuns: readonly string[];
  missingRuns: readonly string[];
}): string {
  const left = [
    ...(unsealedRuns.length > 0 ? [`not looked at, as not sealed: ${unsealedRuns.join(", ")}`] : []),
    ...(missingRuns.length > 0 ? [`not looked at, as the log is gone: ${missingRuns.join(", ")}`] : []),
  ];
  if (tips.length === 0) return ["No tip yet: a train run with --memory grow learns some.", ...left].join("\n");
  const rows = tips.map(({ tip, type, family, begins, shown, dropped, estimate, interval, state }) => [
    ...[tip, type, family, begins, String(shown), String(dropped)],
    ...[estimate === null ? "" : points(estimate), interval === null ? "" : pointsInterval(interval), state],
  ]);
  const header = ["tip", "type", "family", "begins", "shown", "dropped", "points", levelOf(alpha), "state"];
  return [textTable(header, rows, 44), counted(tips.length, "tip"), ...left].join("\n");
}

/** Returns the first words of a text, to know it by. */
export function firstWords(text: string): string {
  const words = text.trim().split(/\s+/);
  return words.slice(0, SHOWN_WORDS).join(" ") + (words.length > SHOWN_WORDS ? " ..." : "");
}

/** All that is known of one tip. */
export function showPage(entry: Omit<TipEntry, "credit">, report: EffectReport): string {
  const { tip, type, family, skill, run, source, retired, merged, draws } = entry;
  const items = [...new Set(draws.filter(({ isShown }) => isShown).map(({ item }) => item))];
  return [
    `Tip ${tip}: ${type}, ${skill}, family ${family}`,
    field("learnt", `run ${run}, item ${source.item}, ${source.attempt ?? "which the skill brought along"}`),
    ...(retired === null ? [] : [field("retired", retired.reason)]),
    ...merged.map(({ tip: other, attempt }) =>
      field("merged", `${other} said the same, from ${attempt ?? "the skill"}`),
    ),
    ...(entry.mechanism === null ? [] : [field("mechanism", entry.mechanism)]),
    ...(entry.conditions === null ? [] : [field("conditions", entry.conditions)]),
    field(
      "rendered",
      items.length === 0
        ? "never"
        : `in ${counted(report.effect.shown, "attempt")} at ${counted(items.length, "item")}`,
    ),
    ...items.slice(0, SHOWN_ITEMS).map((item) => field("", item)),
    ...(items.length > SHOWN_ITEMS ? [field("", `and ${items.length - SHOWN_ITEMS} more: --json has all`)] : []),
    "",
    ...(entry.example === null
      ? [indented(entry.text)]
      : entry.example.map(({ role, content }) => `  ${role}:\n${indented(content ?? "")}`)),
    "",
    effectPage(report),
  ].join("\n");
}

const SHOWN_ITEMS = 5;

/** A tip's effect, and what stands behind it. */
export function effectPage(report: EffectReport): string {
  const { tip, effect, verdict, shrunken, rule, state, runs, meanShown } = report;
  const level = levelOf(rule.alpha);
  const { kind, estimate, interval, shown, dropped, items, reason } = effect;
  const isRandomised = kind === "randomised";
  const compared = isRandomised
    ? `${counted(dropped, "draw")} left it out`
    : `${counted(dropped, "attempt")} at the same items did without`;
  return [
    `Effect of ${tip}: ${estimate === null ? "cannot be told" : `${points(estimate)} points of success`} (${kind})`,
    field(
      "attempts",
      `${counted(shown, isRandomised ? "draw" : "attempt")} showed it, ${compared}; ${counted(items, "item")}, ${counted(runs, "run")}`,
    ),
    ...(meanShown === null ? [] : [field("with it", `${percent(meanShown)} mean outcome`)]),
    field(level, interval === null ? `none: ${reason}` : `${pointsInterval(interval)}, for one look`),
    ...(isRandomised
      ? randomised(report)
      : [field("", "observational: nothing protects this from confounding; --tip-dropout draws do")]),
    ...(shrunken === null
      ? []
      : [
          field(
            "shrunken",
            `${points(shrunken.estimate)} (${pointsInterval(shrunken.interval)}) among ${counted(shrunken.among, "tip")} of the ${shrunken.group}`,
          ),
        ]),
    ...uncountedLines(report.uncounted),
    field(
      "state",
      state === "harmful"
        ? `harmful at a rate of ${verdict.retiredRate.toPrecision(2)}: tracemill tips retire --rule effect`
        : state,
    ),
  ].join("\n");
}

function randomised({ verdict, rule, furtherDraws }: EffectReport): string[] {
  const more =
    furtherDraws === 0
      ? "none: it is told already"
      : furtherDraws === null
        ? "if they go on like this the effect is never told from the threshold: too small to matter, or none"
        : `about ${furtherDraws}, if the effect is as large as it looks`;
  return [
    field("any time", `${pointsInterval(verdict.interval)}, at every look at once`),
    field("more draws", `${more} (threshold ${points(rule.threshold)} points)`),
  ];
}

function uncountedLines(uncounted: TipHistory["uncounted"]): string[] {
  const parts = Object.entries(uncounted).map(([reason, { shown, dropped }]) =>
    reason === "no-room" ? `${reason} ${shown}` : `${reason} ${shown} shown, ${dropped} dropped`,
  );
  return parts.length === 0 ? [] : [field("not counted", parts.join("; "))];
}

/** What was retired, or would be. */
export function retirementPage({ isDryRun, judged, retired }: RetirementReport): string {
  const what = retired.length === 1 ? "tip" : "tips";
  return [
    `${retired.length} of ${counted(judged, "live tip")} ${isDryRun ? "would be retired: dry run, nothing was written" : "retired"}`,
    ...retired.map(({ tip, reason }) => `  ${tip}: ${reason}`),
    ...(retired.length > 0 && !isDryRun ? [`New runs read the ${what} no more; the logs are as they were.`] : []),
  ].join("\n");
}

/** What was merged, and which pairs a person should read. */
export function consolidationPage({ contradictions, ...merges }: ConsolidationReport): string {
  return [
    retirementPage(merges),
    ...contradictions.map(
      ({ against, advised, common }) =>
        `may contradict: ${against} advises against what ${advised} advises (both: ${common.join(", ")})`,
    ),
    ...(contradictions.length > 0 ? ["Contradictions are found by words alone; nothing was done about them."] : []),
  ].join("\n");
}

function field(name: string, value: string): string {
  return `  ${name.padEnd(11)}  ${value}`;
}

function indented(text: string): string {
  return text.replaceAll(/^/gm, "    ");
}
