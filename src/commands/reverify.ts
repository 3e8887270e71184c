/** `tracemill reverify`: asks a skill's verifier once more, and says where it does not agree with itself. */
import { z } from "zod";
import { isReplayableRun, type ReverifyReport, reverify, runCalled } from "../capture/index.ts";
import { counted } from "../foundation/counted.ts";
import { Refusal } from "../foundation/errors.ts";
import { unknownName } from "../foundation/nearest.ts";
import { type Progress, startProgress } from "../foundation/progress.ts";
import { textTable } from "../foundation/text-table.ts";
import { listSkills, loadSkill } from "../skills/load.ts";
import type { Home } from "../store/home.ts";
import { coveredRuns } from "../store/ledger.ts";
import { listRuns, type RunSummary } from "../store/runs.ts";
import { type Context, defineCommand } from "./command.ts";

const input = z.object({
  run: z
    .string()
    .optional()
    .describe("the run: its id, or another program's own name for it; left out with --skill, which means all its runs"),
  skill: z.string().optional().describe("all sealed runs of a skill"),
  sample: z
    .number()
    .gt(0)
    .max(1)
    .default(1)
    .describe("share of the attempts that is asked about, drawn by their names"),
  outdated: z.boolean().default(false).describe("only attempts that another version of the verifier judged"),
  dryRun: z
    .boolean()
    .default(false)
    .describe("list the attempts that would be asked about and who judged them, and ask nothing"),
});

export default defineCommand<z.infer<typeof input>, ReverifyReport[]>({
  summary: "Ask the verifier about recorded actions once more; the ledger keeps what it says now.",
  details: `Example: tracemill reverify 20261101-120000-3fa1 --sample 0.1
         tracemill reverify --skill sql --outdated --dry-run   # list what an older verifier judged
         tracemill reverify --skill sql --outdated        # label again what an older verifier judged

Each action is replayed on the state that its attempt began with. What another version of the verifier says is the attempt's label
from now on. Where the same version says something else than it did, the attempt has a conflict: no dataset takes it until it is
asked once more, or someone says its outcome (tracemill outcome). An outcome or label that someone gave stands: it is compared with
what the verifier says, and --outdated leaves it out.`,
  input,
  positional: ["run"],
  async run({ run, skill, sample, outdated, dryRun }, context) {
    const runs = await chosenRuns(context.home, { run, skill, outdated });
    const reports: ReverifyReport[] = [];
    for (const one of runs) reports.push(await askAgain(one, { sample, outdated, dryRun }, context));
    return reports;
  },
  print: (reports) => reports.map(printed).join("\n\n"),
  exitCode: (reports) => (reports.some(({ conflicts, left }) => conflicts.length + left.length > 0) ? 3 : 0),
});

async function askAgain(
  { run, skill: id }: RunSummary,
  { sample, outdated, dryRun }: { sample: number; outdated: boolean; dryRun: boolean },
  { home, clock, signal, stderr, isJson }: Context,
): Promise<ReverifyReport> {
  const skill = await loadSkill(id);
  const shown: Progress[] = [];
  try {
    const report = await reverify({
      ...{ home, clock, run, skill, signal, sampleFraction: sample, isOutdatedOnly: outdated, isDryRun: dryRun },
      onProgress(done, total) {
        if (shown.length === 0)
          shown.push(startProgress({ title: `reverify ${run}`, total, clock, stream: stderr, isJson }));
        shown[0]?.update(done);
      },
    });
    shown[0]?.finish();
    return report;
  } finally {
    await skill.close();
  }
}

/** Of a skill's runs those that cannot be replayed too, where what is outdated is to be listed. */
async function chosenRuns(
  home: Home,
  { run, skill, outdated }: { run?: string | undefined; skill?: string | undefined; outdated: boolean },
): Promise<RunSummary[]> {
  if ((run === undefined) === (skill === undefined)) {
    throw new Refusal({
      code: "BAD_ARGUMENT",
      message: "Name a run, or --skill.",
      expected: "one of both",
      fix: "tracemill runs",
    });
  }
  const runs = await listRuns(home);
  const known = await listSkills();
  const sealed = runs.filter(({ isSealed, skill: of }) => isSealed && known.includes(of));
  const replayable = sealed.filter(({ command }) => isReplayableRun(command));
  if (skill !== undefined) {
    if (!known.includes(skill)) throw unknownName("skill", skill, known);
    const covered = coveredRuns(home);
    return (outdated ? sealed : replayable).filter((one) => one.skill === skill && !covered.has(one.run));
  }
  const named = await runCalled(home, run ?? "");
  const found = replayable.find((one) => one.run === named.run);
  if (found !== undefined) return [found];
  throw new Refusal({
    code: "NOT_REPLAYABLE",
    message: `Run ${named.run} cannot be replayed.`,
    expected:
      "a sealed run of `tracemill run` over a skill that is here: what was recorded or imported has no action of a skill's to replay",
    fix: `tracemill label ${named.run} --from FILE, or tracemill outcome ${named.run} says what came of it`,
  });
}

function printed(report: ReverifyReport): string {
  const { run, verifier, recordedBy, agreement, chosen, conflicts, contradicted, left, notReplayable } = report;
  const { bothPassed, bothFailed, passedThen, passedNow } = agreement;
  const by = recordedBy.map((one) => `${one.verifier.id}@${one.verifier.version}: ${one.attempts}`).join(", ");
  if (verifier === null) {
    return [
      `Run ${run}: judged by ${by || "nobody"}; nothing was asked, of ${counted(chosen.length, "attempt")} to ask about`,
      ...(left.length === 0 ? chosen.map(judgedText) : leftTexts(left)),
      ...notReplayableTexts(run, notReplayable),
    ].join("\n");
  }
  const asked = bothPassed + bothFailed + passedThen + passedNow;
  return [
    `Run ${run}: ${counted(asked, "attempt")} asked about, ${conflicts.length} in conflict; judged by ${by}, now by ${verifier.id}@${verifier.version}`,
    textTable(
      ["", "passed now", "failed now"],
      [
        ["passed then", String(bothPassed), String(passedThen)],
        ["failed then", String(passedNow), String(bothFailed)],
      ],
    ),
    ...conflicts.slice(0, 10).map((attempt) => `conflict: ${attempt}`),
    ...contradictedTexts(contradicted),
    ...leftTexts(left),
    ...notReplayableTexts(run, notReplayable).slice(0, 1), // --dry-run lists them
  ].join("\n");
}

function contradictedTexts(contradicted: ReverifyReport["contradicted"]): string[] {
  if (contradicted.length === 0) return [];
  return [
    `${contradicted.length} attempts have an outcome or label that the verifier contradicts; it stands:`,
    ...contradicted.slice(0, 10).map(judgedText),
  ];
}

function leftTexts(left: ReverifyReport["left"]): string[] {
  return [
    ...left.slice(0, 10).map(({ attempt, reason }) => `not asked: ${attempt}: ${reason}`),
    ...(left.length > 10 ? [`and ${left.length - 10} more that could not be asked about`] : []),
  ];
}

function notReplayableTexts(run: string, attempts: ReverifyReport["notReplayable"]): string[] {
  if (attempts.length === 0) return [];
  return [
    `${counted(attempts.length, "attempt has", "attempts have")} no action to replay; say what came of ${attempts.length === 1 ? "it" : "them"}: tracemill label ${run} --from FILE`,
    ...attempts.map(judgedText),
  ];
}

function judgedText({ attempt, verifier }: ReverifyReport["chosen"][number]): string {
  return `${attempt}: ${verifier.id}@${verifier.version}`;
}
