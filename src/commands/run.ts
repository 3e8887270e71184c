/**
 * `tracemill run`: a model attempts a skill's items, a verifier judges each attempt, and everything goes into a run log.
 */
import type { z } from "zod";
import { counted } from "../foundation/counted.ts";
import { Failure } from "../foundation/errors.ts";
import { duration } from "../foundation/progress.ts";
import { type HarnessOptions, type RunResult, runHarness } from "../harness/index.ts";
import type { Interval } from "../records/comparison.ts";
import type { Split } from "../records/item.ts";
import { levelOf, percent, percentInterval } from "../statistics/figures.ts";
import { wilsonInterval } from "../statistics/wilson.ts";
import { type Context, defineCommand } from "./command.ts";
import { type EndpointOf, withModels } from "./model-servers.ts";
import { modelsOf, type Players } from "./players.ts";
import { type AgentRunSummary, agentRunText, isAgentRun, runOwnAgent } from "./run-agent.ts";
import { runInput } from "./run-input.ts";
import { newTask, refuseOtherSettings, resumedTask } from "./run-task.ts";
import { viewRun } from "./run-view.ts";
import { type RetirementReport, retireHarmfulOf } from "./tip-retirement.ts";

const ALPHA = 0.05;

export type RunInput = z.input<typeof runInput> & {
  /** Told the run's id before its first attempt, so that a caller can resume it. */
  noteRun?: (run: string) => Promise<void>;
};

export interface RunSummary extends RunResult {
  skill: string;
  split: Split;
  model: string;
  log: string;
  durationMs: number;
  rates: { firstTry: Rate | null; solved: Rate | null };
  /** Tips of the skill that all draws so far show to be harmful: later runs read them no more. */
  retired: RetirementReport["retired"];
}

/** Units: `rate` and the 95 % interval (Wilson, of items drawn independently) as fractions. */
interface Rate {
  passed: number;
  n: number;
  rate: number;
  interval: Interval;
}

/**
 * Runs a skill to the end, starting a server where no endpoint is given, and returns what came out.
 * Throws: a Failure `STOPPED_EARLY` that names the command to go on with; the harness's refusals; unknown names.
 */
export async function runSkill({ noteRun, ...given }: RunInput, context: Context): Promise<RunSummary> {
  const { home, clock, signal } = context;
  const startMs = clock().getTime();
  const options = runInput.parse(given);
  const { resume } = options;
  const task = resume === undefined ? await newTask(options, home) : await resumedTask(resume, options, home);
  const { model, players, retireTips, target, starting, canary, ...harness } = task;
  const { id } = task.skill.manifest;
  const { end, ...view } = viewRun(`run ${id} ${task.split}`, context);
  const onOpen = async (run: string) => noteRun?.(run);
  try {
    const result = await withModels(modelsOf(players), { context, target, canary, starting }, (endpointOf, proofs) =>
      runHarness({
        ...harness,
        config: { ...harness.config, canary: proofs },
        home,
        roles: rolesOf(players, endpointOf),
        clock,
        signal,
        onOpen,
        ...view,
      }),
    );
    if (!result.isComplete) throw stoppedEarly(result);
    const isJudged = retireTips === "effect" && (task.tipDropout ?? 0) > 0 && task.split === "train";
    const retired = isJudged ? (await retireHarmfulOf(id, context)).retired : [];
    const durationMs = clock().getTime() - startMs;
    const rates = {
      firstTry: rateOf(result.firstPasses, result.firstTries),
      solved: rateOf(result.solved, result.begunItems),
    };
    return { ...result, rates, retired, skill: id, split: task.split, model, log: home.runLog(result.run), durationMs };
  } finally {
    end();
    await task.skill.close();
  }
}

function rolesOf(players: Players, endpointOf: EndpointOf): HarnessOptions["roles"] {
  const roles = Object.entries(players).map(([role, player]) => [role, "rule" in player ? player : endpointOf(player)]);
  return Object.fromEntries(roles);
}

function rateOf(passed: number, n: number): Rate | null {
  return n === 0 ? null : { passed, n, rate: passed / n, interval: wilsonInterval(passed, n, ALPHA) };
}

function rateText(rate: Rate | null): string {
  if (rate === null) return "no item was tried";
  const { passed, n, interval } = rate;
  return `${passed} of ${counted(n, "item")} (${percent(rate.rate)}, ${levelOf(ALPHA)} ${percentInterval(interval)})`;
}

function stoppedEarly({ run, stoppedBy, attempts, failures }: RunResult): Failure {
  const reasons = {
    interruption: "it was stopped",
    outage: "the endpoint went away",
    environment: "the environment could not be brought back",
    "lost-calls": `the endpoint gave no answer in ${counted(failures, "attempt")}`,
  };
  return new Failure({
    boundary: "run",
    code: "STOPPED_EARLY",
    message:
      `Run ${run} is not finished (${reasons[stoppedBy ?? "interruption"]}); its ${counted(attempts, "judged attempt is", "judged attempts are")} kept. ` +
      `Go on with: tracemill run --resume ${run}`,
  });
}

function summaryText(result: RunSummary): string {
  const { run, skill, split, model, items, attempts, passed, tips, failures, durationMs, log } = result;
  const { merged, contradictions, rates, retired } = result;
  return [
    `Run ${run}: ${model} at ${counted(items, `${skill} item`)} of the ${split} split, ${duration(durationMs)}`,
    `  attempts  ${attempts}, ${passed} passed (${percent(passed / Math.max(1, attempts))})${failures > 0 ? `, ${failures} without a verdict` : ""}`,
    `  first try ${rateText(rates.firstTry)}`,
    `  solved    ${rateText(rates.solved)}`,
    `  tips      ${tips}${merged > 0 ? `, ${merged} more merged into them` : ""}`,
    ...retired.map(({ tip, reason }) => `            ${tip} is retired: ${reason}`),
    ...contradictions.map(({ against, advised }) => `            ${against} may contradict ${advised}`),
    `  log       ${log}`,
  ].join("\n");
}

export default defineCommand({
  summary: "Let a model attempt a skill's items, and record every call and verdict.",
  details: `Example: tracemill run --skill sql --split train --model smollm2 --role worker=model --role architect=scan-order \\
    --role reflector=keep-solution --attempts 4 --concurrency 16 --seed 1

--agent "python $PWD/my_agent.py" runs your own agent instead. It finds OPENAI_BASE_URL (a base URL of this attempt alone: what it asks
there is recorded), OPENAI_API_KEY, TRACEMILL_MODEL, TRACEMILL_TASK, TRACEMILL_ITEM, TRACEMILL_ATTEMPT and, where the skill has a folder
to work in, TRACEMILL_WORKSPACE, which is its working folder too; else that is an empty one. So its files are named by whole paths. The
task is on its stdin as well. The skill judges what it leaves in that folder, or else what it prints.`,
  input: runInput as z.ZodType<z.output<typeof runInput>>,
  async run(options, context): Promise<RunSummary | AgentRunSummary> {
    refuseOtherSettings(options);
    const { agent, resume } = options;
    const isAgents = agent !== undefined || (resume !== undefined && (await isAgentRun(context.home, resume)));
    return isAgents ? runOwnAgent(options, context) : runSkill(options, context);
  },
  print: (result) => ("agent" in result ? agentRunText(result) : summaryText(result)),
  exitCode: ({ failures }) => (failures > 0 ? 3 : 0),
});
