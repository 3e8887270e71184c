/**
 * `tracemill tips`: what was learnt, what each tip is worth, and which ones are to be read no more. Only reads the logs;
 * what is said of a tip after its run was sealed goes into the ledger.
 */
import { z } from "zod";
import { Refusal } from "../foundation/errors.ts";
import { type Consolidation, consolidate, mergedReason, uselessTips } from "../harness/index.ts";
import { drawsUntilTold } from "../statistics/draws-until.ts";
import { hajekContrast } from "../statistics/hajek-contrast.ts";
import { CREDIT_RULE, type CreditRule } from "../statistics/tip-credit.ts";
import { isRandomised } from "../statistics/tip-draw.ts";
import { withLake } from "../store/lake.ts";
import { readAttemptsWithout } from "../store/tip-draws.ts";
import { type Context, defineCommand } from "./command.ts";
import { findTip, readTipBooks, type TipBook, type TipEntry } from "./tip-book.ts";
import {
  type ConsolidationReport,
  consolidationPage,
  type EffectReport,
  effectPage,
  firstWords,
  listPage,
  retirementPage,
  showPage,
  stateOf,
  type TipLine,
} from "./tip-pages.ts";
import { type Chosen, type RetirementReport, retireByRule, retireHarmful, retireTips } from "./tip-retirement.ts";

const ACTIONS = ["list", "show", "effect", "retire", "consolidate"] as const;

const input = z.object({
  action: z
    .enum(ACTIONS)
    .describe("list the tips, show one, estimate one's effect, retire some, or merge those that say the same"),
  tip: z.string().optional().describe("a tip's id, or its beginning"),
  skill: z.string().optional().describe("the skill whose tips are meant (default: every skill with a run)"),
  runs: z
    .string()
    .optional()
    .describe("count the draws of these runs only, separated by commas (default: all sealed ones)"),
  reason: z.string().optional().describe("retire: why this tip is not to be read any more"),
  rule: z
    .enum(["effect", "classic"])
    .optional()
    .describe("retire: tips whose effect is shown to be harmful, or whose attempts ended badly on average"),
  alpha: z
    .number()
    .gt(0)
    .lt(1)
    .default(CREDIT_RULE.alpha)
    .describe("one minus the confidence of intervals; rate of false calls"),
  threshold: z
    .number()
    .min(-1)
    .max(1)
    .optional()
    .describe(
      "effect: a fraction that a harmful tip's effect lies below (default: 0); classic: the least mean outcome",
    ),
  atLeast: z
    .int()
    .min(1)
    .default(CREDIT_RULE.atLeast)
    .describe("effect: fewest draws that showed a tip, and that left it out; classic: fewest attempts that read it"),
  dryRun: z.boolean().default(false).describe("retire, consolidate: print what would be retired and write nothing"),
});

type TipsInput = z.infer<typeof input>;

type Unread = Pick<TipBook, "unsealedRuns" | "missingRuns">;
type Result =
  | (Unread & { tips: TipLine[]; alpha: number })
  | { entry: Omit<TipEntry, "credit">; report: EffectReport }
  | { report: EffectReport }
  | RetirementReport
  | ConsolidationReport;

async function run(options: TipsInput, context: Context): Promise<Result> {
  const { action, tip, skill } = options;
  const rule = {
    alpha: options.alpha,
    atLeast: options.atLeast,
    threshold: options.threshold ?? CREDIT_RULE.threshold,
  };
  const runs = options.runs?.split(",").map((id) => id.trim());
  const books = await readTipBooks(context.home, { skill, runs, rule });
  if (action === "list") {
    const tips = books.flatMap(({ tips: own }) => own.map(lineOf));
    const unsealedRuns = books.flatMap((book) => book.unsealedRuns);
    return { tips, alpha: rule.alpha, unsealedRuns, missingRuns: books.flatMap((book) => book.missingRuns) };
  }
  if (action === "retire") return retire(books, options, { credit: rule, context });
  if (action === "consolidate") return consolidateBooks(books, options, context);
  if (tip === undefined) throw missing("Which tip is meant is missing.", `an id behind \`tips ${action}\``);
  const { book, entry } = findTip(books, tip);
  const report = await effectOf(book, entry, { rule, context });
  const { credit: _, ...said } = entry;
  return action === "show" ? { entry: said, report } : { report };
}

/** A worked example is told apart by its answer: all of them begin with tasks that look alike. */
function lineOf(entry: TipEntry): TipLine {
  const { tip, skill, type, family, text, example } = entry;
  const begins = firstWords(example?.at(-1)?.content ?? text);
  const { shown, dropped, kind, estimate, interval } = entry.credit.effect;
  return { tip, skill, type, family, begins, state: stateOf(entry), shown, dropped, kind, estimate, interval };
}

/** An effect without draws is compared with attempts at the same items that did not read the tip. */
async function effectOf(
  book: TipBook,
  entry: TipEntry,
  { rule, context }: { rule: CreditRule; context: Context },
): Promise<EffectReport> {
  const { tip, draws, uncounted, credit } = entry;
  const base = { tip, runs: book.runs.length, rule, uncounted, state: stateOf(entry), ...credit };
  if (draws.some(isRandomised)) return { ...base, furtherDraws: drawsUntilTold(draws, rule) };
  return withLake(context.home, async (lake) => {
    const without = await readAttemptsWithout(lake, { runs: book.runs, tip });
    return { ...base, effect: hajekContrast([...without, ...draws], rule.alpha), furtherDraws: null };
  });
}

async function retire(
  books: readonly TipBook[],
  options: TipsInput,
  { credit, context }: { credit: CreditRule; context: Context },
): Promise<RetirementReport> {
  const { tip, rule, reason, threshold, atLeast, dryRun } = options;
  if ((tip === undefined) === (rule === undefined))
    throw missing("What is to be retired is not clear.", "either a tip and --reason, or --rule effect or classic");
  if (tip !== undefined) {
    if (reason === undefined) throw missing("The reason is missing.", "--reason TEXT beside the tip");
    const { entry } = findTip(books, tip);
    if (entry.retired !== null) throw alreadyRetired(entry, entry.retired.reason);
    return retireTips([{ entry, reason, evidence: null }], { rule: "hand", judged: 1, dryRun }, context);
  }
  if (rule === "effect") return retireHarmful(books, { credit, dryRun }, context);
  if (threshold === undefined)
    throw missing("The least mean outcome is missing.", "--threshold FRACTION beside --rule classic");
  return retireByRule(
    books,
    { rule: "classic", dryRun, propose: (tips) => uselessTips(tips, { threshold, atLeast }) },
    context,
  );
}

/** A tip that is shown to help stays before one that is not; else the older one stays. */
function consolidateBooks(books: readonly TipBook[], { dryRun }: TipsInput, context: Context): ConsolidationReport {
  const contradictions: Consolidation["contradictions"] = [];
  const chosen: Chosen[] = [];
  for (const { tips } of books) {
    const live = tips.filter(({ retired }) => retired === null);
    const rankOf = ({ credit }: TipEntry) => ["helpful", "undecided", "retired"].indexOf(credit.verdict.call);
    const found = consolidate(live.toSorted((x, y) => rankOf(x) - rankOf(y)));
    contradictions.push(...found.contradictions);
    for (const { tip, into } of found.merges) {
      const entry = live.find((other) => other.tip === tip);
      if (entry !== undefined) chosen.push({ entry, reason: mergedReason(into), evidence: null, into });
    }
  }
  const judged = books.flatMap(({ tips }) => tips.filter(({ retired }) => retired === null)).length;
  return { ...retireTips(chosen, { rule: "merged", judged, dryRun }, context), contradictions };
}

function alreadyRetired({ tip }: TipEntry, reason: string): Refusal {
  return new Refusal({
    code: "TIP_RETIRED",
    message: `The tip ${tip} is retired already.`,
    expected: "a tip that may still be read",
    got: reason,
  });
}

function missing(message: string, expected: string): Refusal {
  return new Refusal({ code: "BAD_ARGUMENT", message, expected, fix: "tracemill tips --help" });
}

export default defineCommand<TipsInput, Result>({
  summary: "List what was learnt, estimate what a tip is worth, retire or merge tips.",
  details: `Examples:
  tracemill tips list --skill sql
  tracemill tips show tip-3fa10c5be2d49a71
  tracemill tips effect tip-3fa10c5be2d49a71
  tracemill tips retire tip-3fa10c5be2d49a71 --reason "names a table that is gone"
  tracemill tips retire --rule effect --dry-run
  tracemill tips consolidate --skill sql --dry-run

Effects need draws: runs made with --tip-dropout. docs/memory.md says how they are estimated.`,
  positional: ["action", "tip"],
  input: input as z.ZodType<TipsInput>,
  run,
  print(result) {
    if ("tips" in result) return listPage(result);
    if ("contradictions" in result) return consolidationPage(result);
    if ("retired" in result) return retirementPage(result);
    return "entry" in result ? showPage(result.entry, result.report) : effectPage(result.report);
  },
});
