/** Sealed runs whose every attempt is described by the test, written through the run log. */
import { steppingClock } from "../../src/foundation/clock.ts";
import { type Hash, hashText } from "../../src/foundation/hashing.ts";
import type { EventData, Turn } from "../../src/records/events.ts";
import { type AttemptId, attemptId, itemId, type RunId, type TurnId, turnId } from "../../src/records/ids.ts";
import type { Split } from "../../src/records/item.ts";
import type { Message } from "../../src/records/message.ts";
import type { TipSpan } from "../../src/records/tip.ts";
import type { Verdict } from "../../src/records/verdict.ts";
import type { Home } from "../../src/store/home.ts";
import { createRunLog, type RunLog } from "../../src/store/run-log.ts";
import { sealRun } from "../../src/store/runs.ts";
import { sampleRunId, sampleVerdict } from "../store/sample-run.ts";

/** An answer before the last one of its attempt, and what came back. */
export interface StepDraft extends Pick<AttemptDraft, "finishReason" | "parseFlags" | "missing"> {
  answer: string;
  printed: string;
  /** How its command exited; left out: it ran none. */
  exitCode?: number | null;
}

export interface AttemptDraft {
  /** Native id of the item; its family is the part before the slash. */
  item: string;
  /** The query that is run; null where the answer led to no action. */
  query?: string | null;
  /** How the query exited; left out: 0. */
  exitCode?: number;
  /** Left out: the query. */
  answer?: string;
  finishReason?: string;
  /** How many tool calls the answer makes. */
  calls?: number;
  /** Further keys of the answer's message. */
  beside?: Record<string, unknown>;
  parseFlags?: string[];
  model?: string | null;
  baseHash?: Hash | null;
  /** The adapter that answered; left out: none. */
  adapterHash?: Hash;
  role?: Turn["role"];
  /** Left out: the part of the item's name before the slash. */
  family?: string;
  /** The item's task in words. */
  task?: string;
  /** Left out: 50. */
  promptTokens?: number;
  /** Left out: 10; null where nobody counted. */
  completionTokens?: number | null;
  /** Put before the user's message as a tip. */
  tip?: string;
  /** Tip spans as they are, for prompts that do not fit them. */
  tipSpans?: TipSpan[];
  /** What each verdict has that a pass has not; none at all for an empty list. */
  verdicts?: Partial<Verdict>[];
  /** Leaves a message of the prompt out of the log. */
  isPromptLost?: boolean;
  /** What the attempt's worker did before its answer; each step's prompt holds those before it. */
  steps?: StepDraft[];
  /** The API that a proxy recorded it over; left out: no proxy did. */
  api?: NonNullable<Turn["wire"]>["api"];
  /** What the source of an imported turn did not hold. */
  missing?: NonNullable<Turn["missing"]>;
}

export interface RunDraft {
  number?: number;
  skill?: string;
  split?: Split;
  isUnfinished?: boolean;
  /** Another agent's, of which no skill is known. */
  isForeign?: boolean;
  /** Another agent's, run at the skill's items. */
  isOfAgent?: boolean;
  /** Of another agent's run that the proxy recorded: the server behind it. Left out: the run was imported. */
  upstream?: string;
  /** Of an imported run that was joined with a recorded one: the number of that. */
  joined?: number;
  /** The family that `TIP` was learnt in, where this run saves it. */
  savesTip?: string;
  attempts: AttemptDraft[];
}

export const TIP = "tip-0123456789abcdef" as TipSpan["tip"];
const SYSTEM: Message = { role: "system", content: "You write one SQL query." };

export function taskOf(item: string): string {
  return `How many rows does ${item} have?`;
}

/** The prompt of an item without tips. */
export function plainPrompt(item: string): Message[] {
  return [SYSTEM, { role: "user", content: taskOf(item) }];
}

/** Writes a run of these attempts, in order, and seals it. Returns the ids of its turns in the same order. */
export async function writeRun(home: Home, draft: RunDraft): Promise<{ run: RunId; turns: string[] }> {
  const { number = 1, skill = "sql", split = "train", isForeign = false, attempts } = draft;
  const run = sampleRunId(number);
  const clock = steppingClock(new Date("2026-11-01T12:00:00.000Z"), 7);
  const log = createRunLog(home, { run, clock });
  const start = startOf(run, skill, split);
  const { upstream, joined } = draft;
  const facts = joined === undefined ? null : { recorded: sampleRunId(joined) };
  const source = { format: "openai-chat", hash: hashText(run), nativeId: "rows.jsonl", facts };
  const imported = { command: "import", ...(facts !== null && { source }) };
  const config = upstream === undefined ? imported : { command: "record", upstream };
  const foreign = { skill: { id: skill, version: null, hash: null }, models: {}, config };
  const own = draft.isOfAgent === true ? { config: { command: "agent" } } : {};
  log.append({ type: "run_started", data: { ...start, ...(isForeign ? foreign : own) } });
  const items = [...new Set(attempts.map(({ item }) => item))];
  const scanned = items.map((item) => ({
    item: itemId(skill, item),
    family: attempts.find((attempt) => attempt.item === item)?.family ?? (item.split("/", 1)[0] as string),
    split,
    kind: "count",
    task: attempts.find((attempt) => attempt.item === item)?.task ?? taskOf(item),
    detail: {},
  }));
  log.append({ type: "items_scanned", data: { items: scanned } });
  if (draft.savesTip !== undefined) log.append({ type: "tip_saved", data: savedTip(run, skill, draft.savesTip) });
  const tried = new Map<string, number>();
  const turns = attempts.flatMap((attempt) => {
    const n = (tried.get(attempt.item) ?? 0) + 1;
    tried.set(attempt.item, n);
    const id = attemptId(run, itemId(skill, attempt.item), n);
    const { query = "SELECT count(*) FROM t", exitCode = 0 } = attempt;
    const written = writeTurns(log, id, attempt);
    const turn = written.at(-1) as TurnId;
    if (query !== null) {
      const call = { name: "run_sql", arguments: { query } };
      const result = { exitCode, stdout: "1\n", stderr: "", durationMs: 1 };
      log.append({ type: "action", data: { attempt: id, turn, call, ...result } });
    }
    for (const verdict of attempt.verdicts ?? [{}]) {
      log.append({ type: "verdict", data: { attempt: id, verdict: { ...sampleVerdict(true), ...verdict } } });
    }
    return written;
  });
  const counts = { items: items.length, attempts: attempts.length, passed: attempts.length, failures: 0 };
  if (draft.isUnfinished !== true) log.append({ type: "run_finished", data: counts });
  log.close();
  if (draft.isUnfinished !== true) await sealRun(home, run, clock);
  return { run, turns };
}

/** Writes the steps of an attempt and then its answer, each with all that was said before. */
function writeTurns(log: RunLog, attempt: AttemptId, draft: AttemptDraft): TurnId[] {
  const { messages, tipSpans } = promptOf(draft);
  const said = [...messages];
  return [...(draft.steps ?? []), draft].map((step, i) => {
    const turn = turnId(attempt, i + 1);
    const { query = "SELECT count(*) FROM t", promptTokens = 50, completionTokens = 10 } = draft;
    const call = { type: "function" as const, function: { name: "run_sql", arguments: { query: "SELECT 1" } } };
    const response: Message = {
      role: "assistant",
      content: step.answer ?? query ?? "I do not know.",
      ...(draft.calls !== undefined && { tool_calls: Array(draft.calls).fill(call) }),
      ...draft.beside,
    };
    const lost = draft.isPromptLost === true ? [hashText("a message that is nowhere")] : [];
    log.append({
      type: "turn",
      data: {
        turn,
        attempt,
        role: draft.role ?? "worker",
        phase: "act",
        messages: [...said.map((message) => log.message(message)), ...lost],
        tools: null,
        response: log.message(response),
        finishReason: step.finishReason ?? "stop",
        usage: completionTokens === null ? null : { promptTokens, completionTokens },
        latencyMs: 1,
        request: {},
        modelAnswered: draft.model === undefined ? "smollm2" : draft.model,
        baseHash: draft.baseHash === undefined ? hashText("base") : draft.baseHash,
        adapterHash: draft.adapterHash ?? null,
        parseFlags: step.parseFlags ?? [],
        retrievals: [],
        tipSpans,
        ...(step.missing !== undefined && { missing: step.missing }),
        ...(draft.api !== undefined && { wire: { api: draft.api, status: 200, response: { id: "c" } } }),
      },
    });
    if ("printed" in step && step.exitCode !== undefined) {
      const { answer: command, printed: stdout, exitCode } = step;
      const ran = { call: { name: "run", arguments: { command } }, exitCode, stdout, stderr: "", durationMs: 1 };
      log.append({ type: "action", data: { attempt, turn, ...ran } });
    }
    said.push(response, { role: "user", content: "printed" in step ? step.printed : "Go on." });
    return turn;
  });
}

function promptOf({ item, tip, tipSpans }: AttemptDraft): { messages: Message[]; tipSpans: TipSpan[] } {
  if (tip === undefined) return { messages: plainPrompt(item), tipSpans: tipSpans ?? [] };
  const messages: Message[] = [SYSTEM, { role: "user", content: `${tip}${taskOf(item)}` }];
  return { messages, tipSpans: tipSpans ?? [{ tip: TIP, messageIndex: 1, start: 0, end: tip.length }] };
}

function savedTip(run: RunId, skill: string, family: string): EventData<"tip_saved"> {
  const said = { text: "A lesson.", example: null, mechanism: null, conditions: null, about: "" };
  const source = { run, item: itemId(skill, `${family}/learnt`), attempt: null };
  return { tip: TIP, skill, family, type: "strategy", ...said, source };
}

function startOf(run: RunId, skill: string, split: Split): EventData<"run_started"> {
  return {
    run,
    skill: { id: skill, version: "1", hash: hashText(skill) },
    models: { worker: { name: "smollm2", endpoint: "", baseHash: hashText("base"), adapterHash: null } },
    sampling: { temperature: 0.8, topP: 1, maxTokens: 128 },
    seed: 1,
    split,
    memory: "grow",
    tipRuns: [],
    codeVersion: "0.1.0",
    config: {},
    comparison: null,
  };
}
