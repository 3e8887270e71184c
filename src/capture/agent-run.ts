/**
 * Runs an agent of the user's own at a skill's items: each attempt gets a workspace, the task, and a base URL of its own, at
 * which all that it asks is recorded; the skill then judges what it left or answered. Knows nothing of the agent.
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import pLimit from "p-limit";
import { counted } from "../foundation/counted.ts";
import { Failure } from "../foundation/errors.ts";
import type { Lane } from "../foundation/fair-turns.ts";
import type { Hash } from "../foundation/hashing.ts";
import { sumOf } from "../foundation/sums.ts";
import type { ActionCall, RunStarted } from "../records/events.ts";
import { type AttemptId, type ItemId, newRunId, type RunId, type TurnId, turnId } from "../records/ids.ts";
import type { Item, Split } from "../records/item.ts";
import type { Verdict } from "../records/verdict.ts";
import { atBoundary, skillFailure } from "../skills/at-boundary.ts";
import type { Skill, Workspace } from "../skills/contract.ts";
import { plainSplits } from "../skills/skill-splits.ts";
import { verified } from "../skills/verified.ts";
import { type AgentCommand, runAgentCommand, taskText } from "./agent-command.ts";
import type { RecordedRun, RecordingOptions, SealedRecording } from "./recorded-run.ts";
import { recordFailure } from "./recorded-turn.ts";
import { openRecorder, type Recorder } from "./recorder.ts";
import { serveRecorder } from "./serve-recorder.ts";
import type { CommandEnd } from "./user-command.ts";

export interface AgentRunOptions extends Pick<RecordingOptions, "home" | "codeVersion" | "clock" | "config"> {
  skill: Skill;
  skillHash: Hash;
  items: readonly Item[];
  split: Split;
  /** At each item. */
  attempts: number;
  /** Passes after which an item is finished; none where it is left out. */
  enough?: number;
  concurrency: number;
  /** Waits until an attempt may begin, where runs go on side by side. */
  turn?: Lane;
  /** Of which comparison it is an arm; null where it is none. */
  comparison?: RunStarted["comparison"];
  agent: AgentCommand;
  /** What answers behind the proxy. */
  model: Extract<NonNullable<RunStarted["models"]["worker"]>, { name: string }> & { model: string };
  durability: "kernel" | "fsync";
  timeoutMs: number;
  resume?: RunId;
  signal: AbortSignal;
  onOpen?(run: RunId): Promise<void>;
  /** Contract: must not throw. */
  onProgress?(progress: AgentRunProgress): void;
  onBug(error: unknown): void;
}

export interface AgentRunProgress {
  attempts: number;
  passed: number;
  finishedItems: number;
  items: number;
}

export interface AgentRunResult {
  run: RunId;
  /** What was recorded as gone wrong at a boundary. */
  failures: number;
  /** Null where the run was stopped: it can be gone on with. */
  sealed: SealedRecording | null;
  /** An outage is the model's server's; the agent stops a run where it ends again and again before it calls the model. */
  stoppedBy: "interruption" | "outage" | "agent" | null;
  /** What the last of the attempts came to that stopped the run; null where none did. */
  lastFailure: string | null;
}

/** Attempts in a row that say nothing of the model, after which its server, or the agent, is taken for broken. */
const MOST_DEAD_ATTEMPTS = 3;
/** Such attempts at one item, however often the run is gone on with, after which the item stays without a verdict: the run has an end. */
const MOST_DEAD_AT_ITEM = 2 * MOST_DEAD_ATTEMPTS;

interface Stage {
  options: AgentRunOptions;
  run: RecordedRun;
  url: string;
  stop: AbortController;
  deadInARow: number;
  /** Items whose last attempt got no answer: they are come back to. */
  lost: Set<Item>;
}

/** Makes what is left of the run and seals it. Throws: what opening the log throws. */
export async function runAgent(options: AgentRunOptions): Promise<AgentRunResult> {
  const { resume, clock, items, signal, concurrency } = options;
  const recorder = openRecorder(recordingOf(options));
  const server = await serveRecorder(recorder, {
    ...{ upstream: options.model.endpoint, host: "127.0.0.1", port: 0 },
    ...{ timeoutMs: options.timeoutMs, onBug: options.onBug },
  });
  try {
    const run = await recorder.open(resume ?? newRunId(clock));
    const missing = items.filter(({ item }) => !run.book.items.has(item));
    if (missing.length > 0) run.append({ type: "items_scanned", data: { items: missing } });
    await options.onOpen?.(run.log.run);
    const stop = new AbortController();
    const stage: Stage = { options, run, url: server.url, stop, deadInARow: 0, lost: new Set() };
    const limit = pLimit(concurrency);
    for (let left = items; left.length > 0 && !signal.aborted && !stop.signal.aborted; left = [...stage.lost]) {
      stage.lost.clear();
      await Promise.all(left.map((item) => limit(() => workOn(stage, item))));
    }
    const stopped = stopOf(signal, stop.signal);
    const sealed = stopped.stoppedBy === null ? await seal(recorder, options, run) : null;
    return { run: run.log.run, failures: run.book.failures, sealed, ...stopped };
  } finally {
    await server.close();
    await recorder.close();
  }
}

function recordingOf(options: AgentRunOptions): Parameters<typeof openRecorder>[0] {
  const { home, codeVersion, clock, skill, skillHash, split, model, config, durability, comparison = null } = options;
  const { id, version } = skill.manifest;
  const { model: _, ...worker } = model;
  return {
    ...{
      home,
      codeVersion,
      clock,
      durability,
      skill: id,
      splits: plainSplits(id),
      config: { ...config, command: "agent", label: null },
      verify: null,
    },
    start: { skill: { id, version, hash: skillHash }, split, models: { worker }, comparison },
    answeredBy: { baseHash: model.baseHash, adapterHash: model.adapterHash },
  };
}

function stopOf(signal: AbortSignal, stop: AbortSignal): Pick<AgentRunResult, "stoppedBy" | "lastFailure"> {
  if (signal.aborted) return { stoppedBy: "interruption", lastFailure: null };
  if (!stop.aborted) return { stoppedBy: null, lastFailure: null };
  const { code, message } = stop.reason as Failure;
  return { stoppedBy: code === AGENT_FAILED ? "agent" : "outage", lastFailure: message };
}

async function seal(recorder: Recorder, { home }: AgentRunOptions, run: RecordedRun): Promise<SealedRecording> {
  const sealed = await recorder.finish(run.log.run);
  await rm(home.workspaceFolder(run.log.run), { recursive: true, force: true });
  return sealed;
}

/** Makes attempts at an item until there are enough; each that was cut short or got no answer stays as it is, without a verdict. */
async function workOn(stage: Stage, item: Item): Promise<void> {
  const { options, run, stop } = stage;
  const isStopped = () => options.signal.aborted || stop.signal.aborted;
  const isDone = () => {
    const { judged, passed, unanswered } = run.book.triesAt(item.item);
    const isGivenUp = unanswered >= MOST_DEAD_AT_ITEM;
    return isGivenUp || judged >= options.attempts || passed >= (options.enough ?? Number.POSITIVE_INFINITY);
  };
  while (!isDone() && !isStopped()) {
    const attempt = run.book.nextAttempt(item.item);
    const leave = await options.turn?.();
    try {
      await makeAttempt(stage, item, attempt).finally(leave);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      recordFailure(run, attempt, error);
      if (error.code === CALLS_LOST) stage.lost.add(item);
      return; // the endpoint is silent, or the agent or the environment is broken at this item; others go on
    }
    options.onProgress?.(progressOf(options, run));
  }
}

async function makeAttempt(stage: Stage, item: Item, attempt: AttemptId): Promise<void> {
  const { options, run, url, stop } = stage;
  const { skill, home, agent, model } = options;
  const place = { folder: join(home.workspaceFolder(run.log.run), encodeURIComponent(item.item)), from: null };
  const workspace = await atBoundary("workspace", () => skill.open(item, place));
  try {
    const folder = (await atBoundary("workspace", async () => workspace.enter?.())) ?? null;
    const signal = AbortSignal.any([options.signal, stop.signal]);
    const task = taskText(await atBoundary("workspace", () => skill.prompt(item)));
    const at = { attempt, item, folder, task, url: urlOf(url, attempt, item.item) };
    const ended = await runAgentCommand(agent, { ...at, model: model.model, signal });
    if (signal.aborted) return;
    recordEnd(stage, { attempt, ended, folder });
    refuseDead(stage, attempt, ended);
    const verdict = await judge(stage, { item, attempt, workspace, ended, folder });
    run.append({ type: "verdict", data: { attempt, verdict } });
  } finally {
    await workspace.close().catch((error) => recordFailure(run, attempt, skillFailure("workspace", error)));
  }
}

interface EndedAttempt {
  attempt: AttemptId;
  ended: CommandEnd;
  folder: string | null;
}

/** What the agent did in a folder is its action. */
function recordEnd({ options: { agent }, run }: Stage, { attempt, ended, folder }: EndedAttempt): void {
  const { isTimedOut: _, ...end } = ended;
  if (folder === null) run.append({ type: "agent_ended", data: { attempt, command: agent.command, ...end } });
  else run.append({ type: "action", data: { attempt, turn: lastTurn(run, attempt), call: callOf(agent), ...end } });
}

function callOf({ command }: AgentCommand): ActionCall {
  return { name: "agent", arguments: { command } };
}

function lastTurn({ book }: RecordedRun, attempt: AttemptId): TurnId {
  return turnId(attempt, Math.max(1, book.turnsOf(attempt)));
}

/** What the agent left in its folder, or where the skill has none what it answered last. */
async function judge(
  { options: { skill, agent }, run }: Stage,
  { item, attempt, workspace, ended, folder }: EndedAttempt & { item: Item; workspace: Workspace },
): Promise<Verdict> {
  if (folder !== null) return verified(workspace, callOf(agent), { call: callOf(agent) });
  const parsed = await atBoundary("workspace", () => skill.parse({ role: "assistant", content: ended.stdout }, item));
  const call = "call" in parsed ? parsed.call : null;
  if (call !== null) {
    const result = await atBoundary("workspace", () => workspace.act(call));
    const { durationMs } = ended;
    run.append({ type: "action", data: { attempt, turn: lastTurn(run, attempt), call, ...result, durationMs } });
  }
  return verified(workspace, call, parsed);
}

/** Keeps an attempt from being judged that says nothing of the model; after some of them in a row the run is stopped. Throws: a Failure. */
function refuseDead(stage: Stage, attempt: AttemptId, ended: CommandEnd): void {
  const failure = noCallMade(stage.run, attempt, ended) ?? noCallAnswered(stage.run, attempt);
  stage.deadInARow = failure === null ? 0 : stage.deadInARow + 1;
  if (failure === null) return;
  if (stage.deadInARow >= MOST_DEAD_ATTEMPTS) stage.stop.abort(failure);
  throw failure;
}

const CALLS_LOST = "CALLS_LOST";
const AGENT_FAILED = "AGENT_FAILED";
const MOST_LAST_WORDS = 1000;

/** An agent that could not be started, or broke before it called the model. */
function noCallMade({ book }: RecordedRun, attempt: AttemptId, ended: CommandEnd): Failure | null {
  const { exitCode, isTimedOut, stdout, stderr } = ended;
  if (book.callsOf(attempt).turns > 0 || exitCode === 0 || isTimedOut) return null;
  const how = exitCode === null ? "was ended by a signal" : `ended with the exit code ${exitCode}`;
  const said = (stderr.trim() || stdout.trim()).slice(-MOST_LAST_WORDS) || "(it said nothing)";
  return new Failure({
    ...{ boundary: "agent", code: AGENT_FAILED },
    message: `the agent ${how} before it called the model: ${said}`,
  });
}

/** Its code is `CALLS_REJECTED` where the server is there and refused what was asked. */
function noCallAnswered({ book }: RecordedRun, attempt: AttemptId): Failure | null {
  const { turns, failed, rejected } = book.callsOf(attempt);
  if (turns === 0 || failed < turns) return null;
  const code = rejected === turns ? "CALLS_REJECTED" : CALLS_LOST;
  const message = `None of its ${counted(turns, "call")} got an answer, so the attempt is not judged.`;
  return new Failure({ boundary: "endpoint", code, message });
}

function progressOf({ items, attempts, enough }: AgentRunOptions, { book }: RecordedRun): AgentRunProgress {
  const tries = items.map(({ item }) => book.triesAt(item));
  const isDone = ({ judged, passed }: { judged: number; passed: number }) =>
    judged >= attempts || passed >= (enough ?? Number.POSITIVE_INFINITY);
  return {
    attempts: sumOf(tries, ({ judged }) => judged),
    passed: sumOf(tries, ({ passed }) => passed),
    finishedItems: tries.filter(isDone).length,
    items: items.length,
  };
}

function urlOf(proxy: string, attempt: AttemptId, item: ItemId): string {
  const [run = ""] = attempt.split("/", 1);
  const n = attempt.slice(attempt.lastIndexOf("/") + 1);
  return `${proxy}/r/${run}/i/${encodeURIComponent(item)}/a/${n}/v1`;
}
