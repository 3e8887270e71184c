/**
 * `tracemill run --agent CMD`: the user's own agent at a skill's items, with every call of it recorded and the skill's verdict.
 */
import { z } from "zod";
import { type AgentRunResult, runAgent } from "../capture/index.ts";
import { counted } from "../foundation/counted.ts";
import { Failure, Refusal } from "../foundation/errors.ts";
import { duration, type Progress, startProgress } from "../foundation/progress.ts";
import { CODE_VERSION } from "../foundation/version.ts";
import { readRunStart } from "../harness/index.ts";
import type { RunStarted } from "../records/events.ts";
import type { AttemptId, RunId } from "../records/ids.ts";
import type { Item, Split } from "../records/item.ts";
import { loadSkill, skillHash } from "../skills/load.ts";
import { scanItems } from "../skills/scan.ts";
import type { Home } from "../store/home.ts";
import { readRunLog } from "../store/runs.ts";
import type { Context } from "./command.ts";
import { withModels } from "./model-servers.ts";
import { passedText } from "./passed-text.ts";
import { readDuration } from "./read-duration.ts";
import type { RunOptions } from "./run-input.ts";
import { DEFAULT_TARGET, serverInput, serverInputOf, startingOf } from "./target-input.ts";

export interface AgentRunSummary {
  run: RunId;
  skill: string;
  split: Split;
  agent: string;
  model: string;
  items: number;
  attempts: number;
  /** Those that got a verdict. */
  judged: number;
  passed: number;
  solved: number;
  /** Recorded failures: of model calls, of the agent's start, of the skill. */
  failures: number;
  log: string;
  durationMs: number;
}

const configSchema = z.object({
  agent: z.string(),
  agentTimeoutMs: z.number(),
  attempts: z.int().min(1),
  enough: z.int().nullable(),
  concurrency: z.int().min(1),
  model: z.string(),
  endpoint: z.string().nullable(),
  target: z.string().default(DEFAULT_TARGET),
  ...serverInput,
});

interface AgentTask extends z.infer<typeof configSchema> {
  skill: string;
  items: Item[];
  split: Split;
  resume?: RunId;
}

/** Whether a run is one of an agent of the user's own, by its log. Throws: `UNKNOWN_RUN`. */
export async function isAgentRun(home: Home, run: string): Promise<boolean> {
  for await (const event of readRunLog(home, run as RunId)) {
    return event.type === "run_started" && event.data.config.command === "agent";
  }
  return false;
}

/**
 * Runs the agent to the end of its items, starting a server where no endpoint is given.
 * Throws: a Failure `STOPPED_EARLY` that names the command to go on with; unknown names; what the skill refuses.
 */
export async function runOwnAgent(options: RunOptions, context: Context): Promise<AgentRunSummary> {
  const { home, clock, signal, stderr } = context;
  const startMs = clock().getTime();
  const task = options.resume === undefined ? await newAgentTask(options) : await resumedAgentTask(options, home);
  const { skill: id, items, split, resume, agent, agentTimeoutMs, enough, model, endpoint, target, ...manner } = task;
  const { canary } = options;
  const skill = await loadSkill(id);
  const progress = attemptsShown(`run ${id} ${split}`, items.length, context);
  const { attempts, concurrency } = manner;
  const config = {
    agent,
    agentTimeoutMs,
    attempts,
    enough,
    concurrency,
    model,
    endpoint,
    target,
    ...serverInputOf(task),
  };
  const player = { model, ...(endpoint !== null && { url: endpoint }) };
  try {
    const result = await withModels(
      [player],
      { context, target, canary, starting: startingOf(task) },
      (endpointOf, proofs) => {
        const { url, model: served, name, baseHash, adapterHash } = endpointOf(player);
        return skillHash(id).then((hash) =>
          runAgent({
            ...{ home, clock, signal, skill, skillHash: hash, items, split, codeVersion: CODE_VERSION },
            config: { ...config, canary: proofs },
            ...{ attempts, concurrency, agent: { command: agent, timeoutMs: agentTimeoutMs } },
            ...(enough !== null && { enough }),
            ...(resume !== undefined && { resume }),
            model: { name, endpoint: url, model: served, baseHash, adapterHash },
            ...{ durability: "kernel", timeoutMs: agentTimeoutMs, onProgress: progress.update },
            onBug: (error) => stderr.write(`${error instanceof Error ? error.stack : error}\n`),
          }),
        );
      },
    );
    progress.finish();
    if (result.sealed === null) throw stoppedEarly(result);
    const { attempts: made, passed } = result.sealed;
    const figures = await figuresOf(home, result.run);
    const durationMs = clock().getTime() - startMs;
    const log = home.runLog(result.run);
    return {
      ...{ run: result.run, skill: id, split, agent, model, items: items.length },
      ...{ attempts: made, passed, ...figures, failures: result.failures, log, durationMs },
    };
  } finally {
    await skill.close();
  }
}

async function newAgentTask(options: RunOptions): Promise<AgentTask> {
  const { skill, split, itemSeed, limit, items: itemsFile, model, endpoint, enough, agent = "" } = options;
  if (skill === undefined) throw missing("--skill", "the name of a skill");
  if (model === undefined) throw missing("--model", "a base, an adapter, or with --endpoint a model's name there");
  const items = await scanItems(await loadSkill(skill), {
    ...{ seed: itemSeed, split },
    ...(itemsFile !== undefined && { itemsFile }),
    ...(limit !== undefined && { limit }),
  });
  return {
    ...{ skill, split, items, agent, model, endpoint: endpoint ?? null, enough: enough ?? null },
    ...{ attempts: options.attempts, concurrency: options.concurrency, target: options.target },
    ...serverInputOf(options),
    agentTimeoutMs: readDuration("agent-timeout", options.agentTimeout),
  };
}

async function resumedAgentTask({ resume, endpoint }: RunOptions, home: Home): Promise<AgentTask> {
  const run = resume as RunId;
  const { start, items } = await readRunStart(home, run);
  const config = configSchema.parse(start.config);
  const split = start.split as NonNullable<RunStarted["split"]>;
  return { ...config, endpoint: endpoint ?? config.endpoint, skill: start.skill.id, items, split, resume: run };
}

function attemptsShown(title: string, total: number, { clock, stderr: stream, isJson, signal }: Context) {
  let progress: Progress | null = null;
  return {
    update({ attempts, passed, finishedItems }: { attempts: number; passed: number; finishedItems: number }) {
      progress ??= startProgress({ title, total, doneBefore: 0, clock, stream, isJson, signal });
      progress.update(finishedItems, `${counted(attempts, "attempt")}, ${passed} passed`, {
        figures: { attempts, passed },
      });
    },
    finish: () => progress?.finish(),
  };
}

async function figuresOf(home: Home, run: RunId): Promise<Pick<AgentRunSummary, "judged" | "solved">> {
  const judged = new Set<AttemptId>();
  let solved = 0;
  for await (const { type, data } of readRunLog(home, run)) {
    if (type === "verdict") judged.add(data.attempt);
    else if (type === "item_finished" && data.state === "solved") solved++;
  }
  return { judged: judged.size, solved };
}

/** Writes the summary of a run of the user's own agent. */
export function agentRunText(result: AgentRunSummary): string {
  const { run, agent, items, skill, split, durationMs, attempts, solved, failures, log } = result;
  return [
    `Run ${run}: ${agent} at ${counted(items, `${skill} item`)} of the ${split} split, ${duration(durationMs)}`,
    `  attempts  ${attempts}, ${passedText(result)}`,
    `  solved    ${solved} of ${counted(items, "item")}`,
    ...(failures > 0 ? [`  failures  ${failures} recorded`] : []),
    `  log       ${log}`,
  ].join("\n");
}

/** A run goes on with the command that it began with. */
const BROKEN_AGENT =
  "The agent runs in a folder of its own, so its files need whole paths; with another command begin another run.";

function stoppedEarly({ run, stoppedBy, lastFailure }: AgentRunResult): Failure {
  const reasons = {
    interruption: "it was stopped",
    outage: "the model's server answers nothing",
    agent: lastFailure,
  };
  const reason = reasons[stoppedBy ?? "interruption"];
  const way = stoppedBy === "agent" ? `${BROKEN_AGENT} Once it works as it is, go on with` : "Go on with";
  const message = `Run ${run} is not finished (${reason}). ${way}: tracemill run --resume ${run}`;
  return new Failure({ boundary: "run", code: "STOPPED_EARLY", message });
}

function missing(option: string, expected: string): Refusal {
  const fix = 'tracemill run --skill sql --model smollm2 --agent "python $PWD/my_agent.py"';
  return new Refusal({ code: "BAD_ARGUMENT", message: `${option} is missing.`, expected, fix });
}
