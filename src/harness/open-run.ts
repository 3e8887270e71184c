/**
 * Opens a run's log: a new one with its first events, or that of an unfinished run with what it says is done.
 */
import { canonicalJson } from "../foundation/canonical-json.ts";
import { Refusal } from "../foundation/errors.ts";
import { LINE_LIMIT_BYTES } from "../foundation/jsonl.ts";
import type { Role, RunEvent, RunStarted } from "../records/events.ts";
import { type AttemptId, newRunId, type RunId } from "../records/ids.ts";
import type { Item } from "../records/item.ts";
import type { Home } from "../store/home.ts";
import { createRunLog, type RunLog, reopenRunLog } from "../store/run-log.ts";
import { readRunLog } from "../store/runs.ts";
import { checkServed, endpointKey, type Served } from "./endpoint-watch.ts";
import type { HarnessOptions } from "./harness-options.ts";
import { NO_STANDING } from "./memory.ts";
import { type AttemptStart, attemptStarts, emptyState, foldEvent, type RunState } from "./run-state.ts";
import { starterTips } from "./tips.ts";

/** All of a line but what stands around the items. */
const ITEMS_LIMIT_BYTES = LINE_LIMIT_BYTES - 1024;

export interface OpenRun {
  run: RunId;
  /** Null where the run had finished already. */
  log: RunLog | null;
  state: RunState;
  /** How far the attempts without a verdict had come. */
  starts: Map<AttemptId, AttemptStart>;
}

/** `served` is what the endpoints say of their models: recorded of a new run, held against the record of a resumed one. */
export async function openRun(options: HarnessOptions, served: Served): Promise<OpenRun> {
  const { resume } = options;
  const opened = resume === undefined ? startRun(options, served) : await resumeRun(options, resume, served);
  saveStarters(options, opened);
  return opened;
}

/** Also on resuming: the process may have ended among them. */
function saveStarters({ starters, memory, skill, items }: HarnessOptions, { run, log, state }: OpenRun): void {
  if (!starters || memory !== "grow" || log === null) return;
  const known = new Set(state.tips.map(({ tip }) => tip));
  for (const tip of starterTips(run, skill, items)) {
    if (known.has(tip.tip)) continue;
    log.append({ type: "tip_saved", data: tip });
    state.tips.push(tip);
  }
}

function startRun(options: HarnessOptions, served: Served): OpenRun {
  refuseTooManyItems(options.items);
  const run = newRunId(options.clock);
  const log = createRunLog(options.home, { run, clock: options.clock });
  const state = emptyState();
  const first: RunEvent[] = [
    { type: "run_started", data: runStarted(options, run, served) },
    { type: "items_scanned", data: { items: options.items } },
  ];
  for (const event of first) {
    log.append(event);
    foldEvent(state, event);
  }
  return { run, log, state, starts: new Map() };
}

/** Before there is a log: a run that cannot name its items would be left as one that never began. */
function refuseTooManyItems(items: readonly Item[]): void {
  const sizeBytes = Buffer.byteLength(canonicalJson(items));
  if (sizeBytes <= ITEMS_LIMIT_BYTES) return;
  throw new Refusal({
    code: "TOO_MANY_ITEMS",
    message: "The items are more than one line of a log may hold.",
    expected: `at most ${ITEMS_LIMIT_BYTES} bytes of items in one run`,
    got: `${items.length} items with ${sizeBytes} bytes`,
    fix: "take fewer of them: --limit N",
  });
}

async function resumeRun(options: HarnessOptions, run: RunId, served: Served): Promise<OpenRun> {
  const { home, clock } = options;
  const state = emptyState();
  let log: RunLog;
  try {
    log = reopenRunLog(home, { run, clock, onEvent: (event) => foldEvent(state, event) }).log;
  } catch (error) {
    const isOver = error instanceof Refusal && ["RUN_FINISHED", "RUN_SEALED"].includes(error.code);
    if (!isOver) throw error;
    return { run, log: null, state: await readState(home, run), starts: new Map() };
  }
  try {
    checkSame(options, run, state);
    checkSameModels(options, { run, state, served });
    return { run, log, state, starts: await attemptStarts(home, run, state) };
  } catch (error) {
    log.close();
    throw error;
  }
}

async function readState(home: Home, run: RunId): Promise<RunState> {
  const state = emptyState();
  for await (const event of readRunLog(home, run)) foldEvent(state, event);
  return state;
}

function runStarted(options: HarnessOptions, run: RunId, served: Served = new Map()): RunStarted {
  const { skill, skillHash, sampling, seed, split, memory, tipRuns, codeVersion, comparison } = options;
  const { attempts, enough = null, concurrency, tipsPerPrompt = null, tipDropout = 0, config } = options;
  const { mode = "isolated", showsAttempts = false, hasNativeTools = false, replanAfter = null, itemBudget } = options;
  const { mostAttempts = null } = options;
  const manner = { attempts, enough, tipsPerPrompt, tipDropout, mode, showsAttempts, hasNativeTools, replanAfter };
  const { standing = NO_STANDING, retrieval = null } = options;
  const budget = { mostAttempts, itemTimeMs: itemBudget?.timeMs ?? null, itemTokens: itemBudget?.tokens ?? null };
  return {
    run,
    skill: { id: skill.manifest.id, version: skill.manifest.version, hash: skillHash },
    models: modelsOf(options.roles, served),
    sampling,
    seed,
    split,
    memory,
    tipRuns,
    codeVersion,
    config: { ...config, ...manner, ...budget, retrieval, concurrency, ...standing },
    comparison,
  };
}

function modelsOf(roles: HarnessOptions["roles"], served: Served): RunStarted["models"] {
  const players = Object.entries(roles) as [Role, NonNullable<HarnessOptions["roles"][Role]>][];
  return Object.fromEntries(
    players.map(([role, player]) => {
      if ("rule" in player) return [role, player];
      const { name, url, baseHash, adapterHash } = player;
      const told = served.get(endpointKey(player));
      return [role, { name, endpoint: url, baseHash, adapterHash, ...(told !== undefined && { served: told }) }];
    }),
  );
}

/** Holds a resumed run to its own start: attempts made in two ways would not be samples of one thing. */
function checkSame(options: HarnessOptions, run: RunId, { start, items }: RunState): void {
  if (start === null || items === null) throw emptyRun(options.home, run);
  const before = identityOf(start, items);
  const now = identityOf(runStarted(options, run), options.items);
  const differing = Object.keys(now).filter((key) => canonicalJson(before[key]) !== canonicalJson(now[key]));
  if (differing.length === 0) return;
  const shown = (side: Record<string, unknown>) =>
    differing.map((key) => `${key} ${key === "items" ? "of its start" : canonicalJson(side[key])}`).join("; ");
  throw new Refusal({
    code: "RESUME_DIFFERS",
    message: `Run ${run} was started in another way: ${differing.join(", ")}.`,
    expected: shown(before),
    got: differing.map((key) => `${key} ${key === "items" ? "that differ" : canonicalJson(now[key])}`).join("; "),
    where: options.home.runLog(run),
    fix: "start a new run for the new settings",
  });
}

/** What is behind a name may have changed while the run lay still. A run that recorded nothing of it is held to nothing. */
function checkSameModels(
  { roles }: HarnessOptions,
  { run, state, served }: { run: RunId; state: RunState; served: Served },
): void {
  for (const [role, player] of Object.entries(roles)) {
    const recorded = state.start?.models[role as Role];
    if ("rule" in player || recorded === undefined || "rule" in recorded || recorded.served == null) continue;
    checkServed(player, { run, before: recorded.served, now: served.get(endpointKey(player)) ?? null });
  }
}

/** The keys of a configuration that say how attempts are made. */
const MANNER = [
  ...[
    "attempts",
    "enough",
    "tipsPerPrompt",
    "tipDropout",
    "retrieval",
    "mode",
    "showsAttempts",
    "hasNativeTools",
    "replanAfter",
  ],
  ...["mostAttempts", "itemTimeMs", "itemTokens"],
];

/** What must stay the same over a run. Where an endpoint listens, the code's version and the concurrency may change. */
function identityOf(start: RunStarted, items: Item[]): Record<string, unknown> {
  const { skill, models, sampling, seed, split, memory, tipRuns, comparison, config } = start;
  const manner = MANNER.map((key) => [key, config[key] ?? null]);
  const players = Object.entries(models).map(([role, player]) => [role, { ...player, endpoint: null, served: null }]);
  const named = { skill, models: Object.fromEntries(players), sampling, seed, split, memory, tipRuns, comparison };
  return { ...named, ...Object.fromEntries(manner), items };
}

/**
 * Reads how a run was started and on which items, without reading the rest of its log.
 * Throws: `RUN_EMPTY` where it ended before it had begun.
 */
export async function readRunStart(home: Home, run: RunId): Promise<{ start: RunStarted; items: Item[] }> {
  const state = emptyState();
  for await (const event of readRunLog(home, run)) {
    foldEvent(state, event);
    if (state.items !== null) break;
  }
  if (state.start === null || state.items === null) throw emptyRun(home, run);
  return { start: state.start, items: state.items };
}

function emptyRun(home: Home, run: RunId): Refusal {
  return new Refusal({
    code: "RUN_EMPTY",
    message: `Run ${run} ended before its items were scanned.`,
    expected: "a log that begins with run_started and items_scanned",
    where: home.runLog(run),
    fix: "start a new run; there is nothing to resume",
  });
}
