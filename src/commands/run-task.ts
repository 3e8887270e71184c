/**
 * What a run is to do: from a command line's options, or from the log of a run that is to go on.
 */
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { Refusal } from "../foundation/errors.ts";
import { ZERO_HASH } from "../foundation/hashing.ts";
import { unknownName } from "../foundation/nearest.ts";
import { CODE_VERSION } from "../foundation/version.ts";
import { type HarnessOptions, readRunStart, type TipRun } from "../harness/index.ts";
import { SITE_MODES } from "../records/events.ts";
import type { RunId } from "../records/ids.ts";
import type { Skill } from "../skills/contract.ts";
import { loadSkill, skillFolder, skillHash } from "../skills/load.ts";
import { scanItems } from "../skills/scan.ts";
import type { Home } from "../store/home.ts";
import { listRuns } from "../store/runs.ts";
import { kebab } from "./command-line.ts";
import { findModel } from "./model-server.ts";
import { type Players, playersFrom, withEndpoint } from "./players.ts";
import { type RunOptions, runInput } from "./run-input.ts";
import { DEFAULT_TARGET, type ServerStarting, serverInput, serverInputOf, startingOf } from "./target-input.ts";

/** What a run does, without where its model is and who watches. */
export type RunTask = Omit<HarnessOptions, "home" | "roles" | "clock" | "signal"> & {
  model: string;
  players: Players;
  retireTips: "effect" | "none";
  /** What serves the models that are served here, what it is told, and whether their adapters have to prove that they are live. */
  target: string;
  starting: ServerStarting;
  canary: boolean;
};

/**
 * Reads a new run's task from its options.
 * Throws: `BAD_ARGUMENT`; unknown skills, roles and runs; what the skill refuses in the user's items.
 */
export async function newTask(options: RunOptions, home: Home): Promise<RunTask> {
  const { split, itemSeed, limit, items: itemsFile, tipsFrom, model, endpoint, enough } = options;
  if (options.skill === undefined) throw missing("--skill", "the name of a skill");
  if (model === undefined) throw missing("--model", "a base or an adapter");
  const skill = await loadSkill(options.skill);
  const memory = options.memory ?? (tipsFrom.length > 0 ? "frozen" : split === "train" ? "grow" : "none");
  const items = await scanItems(skill, {
    seed: itemSeed,
    split,
    ...(itemsFile !== undefined && { itemsFile }),
    ...(limit !== undefined && { limit }),
  });
  const players = await playersFrom(options.role, {
    model,
    reflector: memory === "grow" ? "keep-solution" : "none",
    isModel: async (name) => endpoint !== undefined || (await findModel(home, name)) !== null,
  });
  return {
    ...(await skillPart(skill)),
    items,
    split,
    model,
    players: withEndpoint(players, endpoint),
    ...{ retireTips: options.retireTips, target: options.target, canary: options.canary },
    starting: startingOf(options),
    ...manner(options),
    attempts: options.attempts,
    ...(enough !== undefined && { enough }),
    concurrency: options.concurrency,
    seed: options.seed,
    sampling: {
      temperature: options.temperature,
      topP: options.topP,
      maxTokens: options.maxTokens ?? skill.manifest.maxTokens,
    },
    memory,
    starters: options.starters,
    tipRuns: await tipRunsFrom(home, tipsFrom),
    comparison: null,
    config: {
      command: "run",
      starters: options.starters,
      endpoint: endpoint ?? null,
      target: options.target,
      ...serverInputOf(options),
      roleEndpoints: ownEndpoints(players),
      retireTips: options.retireTips,
      itemSeed,
      items: itemsFile ?? null,
      limit: limit ?? null,
    },
  };
}

/** What only the harness writes into a run's configuration. */
const harnessConfig = z.object({
  attempts: z.int().min(1),
  enough: z.int().nullable(),
  concurrency: z.int().min(1),
  tipsPerPrompt: z.int().nullable(),
  endpoint: z.string().nullish(),
  roleEndpoints: z.record(z.string(), z.string()).default({}),
  retireTips: z.enum(["effect", "none"]).default("none"),
  target: z.string().default(DEFAULT_TARGET),
  ...serverInput,
  starters: z.boolean().default(false),
  tipDropout: z.number().default(0),
  retrieval: z.string().nullish(),
  mode: z.enum(SITE_MODES).default("isolated"),
  showsAttempts: z.boolean().default(false),
  hasNativeTools: z.boolean().default(false),
  replanAfter: z.int().nullish(),
  mostAttempts: z.int().nullish(),
  itemTimeMs: z.number().nullish(),
  itemTokens: z.int().nullish(),
});

/** What of a run may be said anew when it goes on. */
const MAY_CHANGE = new Set(["endpoint", "canary"]);

/**
 * Holds a resumed run to its own settings; only where its endpoint listens may be said anew.
 * Throws: `BAD_ARGUMENT` naming the option.
 */
export function refuseOtherSettings({ resume, ...options }: RunOptions): void {
  if (resume === undefined) return;
  const usual = runInput.parse({});
  const other = Object.keys(options).find(
    (key) => !MAY_CHANGE.has(key) && !isDeepStrictEqual(options[key as never], usual[key as never]),
  );
  if (other === undefined) return;
  throw new Refusal({
    code: "BAD_ARGUMENT",
    message: `A run that is resumed keeps its own settings; --${kebab(other)} cannot be given beside --resume.`,
    expected: "--resume RUN alone, or with --endpoint",
    got: `--${kebab(other)} ${JSON.stringify(options[other as never])}`,
    fix: `tracemill run --resume ${resume}`,
  });
}

/** Takes a run up as its own log tells it; only where its endpoint listens may have changed. */
export async function resumedTask(resume: string, { endpoint, canary }: RunOptions, home: Home): Promise<RunTask> {
  const run = resume as RunId;
  const { start, items } = await readRunStart(home, run);
  const { seed, split, sampling, memory, tipRuns, comparison, models } = start;
  if (seed === null || split === null || sampling === null) throw recordedRun(run, home.runLog(run));
  const config = harnessConfig.parse(start.config);
  const players = Object.entries(models).map(([role, player]) => {
    const url = config.roleEndpoints[role];
    return [role, "rule" in player ? player : { model: player.name, ...(url !== undefined && { url }) }];
  });
  const { worker } = models;
  return {
    ...(await skillPart(await loadSkill(start.skill.id))),
    items,
    split,
    model: worker !== undefined && "name" in worker ? worker.name : "",
    players: withEndpoint(Object.fromEntries(players), endpoint ?? config.endpoint ?? undefined),
    ...{ mode: config.mode, tipDropout: config.tipDropout, retireTips: config.retireTips },
    ...{ target: config.target, starting: startingOf(config), canary },
    ...(config.retrieval != null && { retrieval: config.retrieval }),
    ...{ showsAttempts: config.showsAttempts, hasNativeTools: config.hasNativeTools },
    ...(config.mostAttempts != null && { mostAttempts: config.mostAttempts }),
    ...(config.replanAfter != null && { replanAfter: config.replanAfter }),
    itemBudget: {
      ...(config.itemTimeMs != null && { timeMs: config.itemTimeMs }),
      ...(config.itemTokens != null && { tokens: config.itemTokens }),
    },
    attempts: config.attempts,
    ...(config.enough !== null && { enough: config.enough }),
    ...(config.tipsPerPrompt !== null && { tipsPerPrompt: config.tipsPerPrompt }),
    concurrency: config.concurrency,
    starters: config.starters,
    seed,
    sampling,
    memory,
    tipRuns,
    comparison,
    resume: run,
    config: start.config,
  };
}

function ownEndpoints(players: Players): Record<string, string> {
  const own = Object.entries(players).flatMap(([role, player]) =>
    "model" in player && player.url !== undefined ? [[role, player.url]] : [],
  );
  return Object.fromEntries(own);
}

async function skillPart(skill: Skill): Promise<Pick<RunTask, "skill" | "skillHash" | "skillFolder" | "codeVersion">> {
  const { id } = skill.manifest;
  return { skill, skillHash: await skillHash(id), skillFolder: await skillFolder(id), codeVersion: CODE_VERSION };
}

/** How attempts are made, as the harness takes it. */
function manner(options: RunOptions) {
  const { mode, evidence, toolCalls, replanAfter, itemMinutes, itemTokens, tipDropout, mostAttempts } = options;
  const { retrieval } = options;
  return {
    ...(mostAttempts !== undefined && { mostAttempts }),
    ...(retrieval !== undefined && { retrieval }),
    ...{ mode, replanAfter, tipDropout, showsAttempts: evidence, hasNativeTools: toolCalls === "native" },
    itemBudget: {
      ...(itemMinutes !== undefined && { timeMs: itemMinutes * 60_000 }),
      ...(itemTokens !== undefined && { tokens: itemTokens }),
    },
  };
}

async function tipRunsFrom(home: Home, ids: readonly string[]): Promise<TipRun[]> {
  if (ids.length === 0) return [];
  const runs = await listRuns(home);
  return ids.map((id) => {
    const found = runs.find(({ run }) => run === id);
    if (found === undefined)
      throw unknownName(
        "run",
        id,
        runs.map(({ run }) => run),
      );
    return { run: found.run, head: found.head ?? ZERO_HASH };
  });
}

function missing(option: string, expected: string): Refusal {
  return new Refusal({
    code: "BAD_ARGUMENT",
    message: `${option} is missing.`,
    expected,
    where: `tracemill run ${option}`,
    fix: "tracemill run --skill sql --model smollm2, or tracemill run --resume RUN",
  });
}

function recordedRun(run: RunId, where: string): Refusal {
  return new Refusal({
    code: "RECORDED_RUN",
    message: `Run ${run} is another agent's: tracemill recorded it and cannot go on with it.`,
    expected: "a run that `tracemill run` began",
    where,
    fix: `seal it: tracemill seal ${run}`,
  });
}
