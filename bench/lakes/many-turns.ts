/**
 * A lake of any number of turns, as a skill with many items would leave it after some runs: seeded, so the same size and
 * seed give the same bytes. A prompt is about 4 kB: a system message that all share and a task of its own; every second
 * attempt fails, and one task in twenty says nearly the same as the one before.
 */
import { closeSync, openSync, writeSync } from "node:fs";
import { steppingClock } from "../../src/foundation/clock.ts";
import { hashText } from "../../src/foundation/hashing.ts";
import { type Random, random } from "../../src/foundation/random.ts";
import { type AttemptId, attemptId, itemId, type RunId, turnId } from "../../src/records/ids.ts";
import type { Item } from "../../src/records/item.ts";
import type { Message } from "../../src/records/message.ts";
import type { Home } from "../../src/store/home.ts";
import { sealRun } from "../../src/store/runs.ts";
import { createBufferedLog } from "../../test/store/buffered-log.ts";
import { sampleVerdict } from "../../test/store/sample-run.ts";

export interface ManyTurns {
  turns: number;
  /** A file that the same examples are written to, one a line, for other programs. */
  examples?: string;
  seed?: number;
  skill?: string;
}

const TURNS_A_RUN = 25_000;
const ATTEMPTS_AN_ITEM = 5;
const FAMILIES = 400;
const PROMPT_CHARACTERS = 4096;
const NEAR_COPIES = 0.05;
const WORDS = 4000;

/** Writes and seals the runs, oldest first, and returns their ids. */
export async function writeManyTurns(
  home: Home,
  { turns, examples, seed = 1, skill = "forms" }: ManyTurns,
): Promise<RunId[]> {
  const file = examples === undefined ? null : openSync(examples, "wx");
  const note = (line: string) => {
    if (file !== null) writeSync(file, line);
  };
  const words = vocabulary(seed);
  const system: Message = { role: "system", content: textOf(random(seed, "system"), words, PROMPT_CHARACTERS / 4) };
  const runs: RunId[] = [];
  for (let first = 0; first < turns; first += TURNS_A_RUN) {
    const count = Math.min(TURNS_A_RUN, turns - first);
    runs.push(await writeRun(home, { number: runs.length + 1, count, seed, skill, words, system, note }));
  }
  if (file !== null) closeSync(file);
  return runs;
}

interface RunPlan {
  number: number;
  count: number;
  seed: number;
  skill: string;
  words: readonly string[];
  system: Message;
  note(line: string): void;
}

async function writeRun(home: Home, plan: RunPlan): Promise<RunId> {
  const { number, count, seed, skill, words, system, note } = plan;
  const run = `20261101-${String(120_000 + number).padStart(6, "0")}-0000` as RunId;
  const clock = steppingClock(new Date("2026-11-01T12:00:00.000Z"), 7);
  const log = createBufferedLog(home, { run, clock });
  log.append({ type: "run_started", data: startOf(run, skill, seed) });
  const draw = random(seed, "run", number);
  const items = Math.ceil(count / ATTEMPTS_AN_ITEM);
  let earlier = "";
  let passed = 0;
  for (let i = 0; i < items; i++) {
    const isCopy = i > 0 && draw.next() < NEAR_COPIES;
    const task = isCopy ? changedWord(draw, earlier, words) : textOf(draw, words, (PROMPT_CHARACTERS * 3) / 4);
    earlier = task;
    const item = itemOf({ skill, number, n: i, task });
    log.append({ type: "items_scanned", data: { items: [item] } });
    for (let n = 1; n <= ATTEMPTS_AN_ITEM && i * ATTEMPTS_AN_ITEM + n <= count; n++) {
      const attempt = attemptId(run, item.item, n);
      const isPassed = draw.next() < 0.5;
      if (isPassed) passed += 1;
      const messages: Message[] = [system, { role: "user", content: task }];
      const answer = textOf(draw, words, draw.integer(60, 400));
      writeAttempt(log, { attempt, messages, answer, isPassed });
      note(exampleLine({ item, messages, answer, isPassed }));
    }
  }
  log.append({ type: "run_finished", data: { items, attempts: count, passed, failures: 0 } });
  log.close();
  await sealRun(home, run, clock);
  return run;
}

interface AttemptPlan {
  attempt: AttemptId;
  messages: Message[];
  answer: string;
  isPassed: boolean;
}

/** What another program is given to choose by. */
function exampleLine({ item, messages, answer, isPassed }: Omit<AttemptPlan, "attempt"> & { item: Item }): string {
  const { value, confidence, signalType } = sampleVerdict(isPassed);
  const judged = { eval_passed: isPassed, value, confidence, signal_type: signalType, before_passed: false, flags: [] };
  const named = { item: item.item, family: item.family, split: item.split, model: "smollm2", finish_reason: "stop" };
  return `${JSON.stringify({ ...named, ...judged, messages, response: answer })}\n`;
}

function writeAttempt(log: ReturnType<typeof createBufferedLog>, plan: AttemptPlan): void {
  const { attempt, messages, answer, isPassed } = plan;
  const turn = turnId(attempt, 1);
  log.append({
    type: "turn",
    data: {
      turn,
      attempt,
      role: "worker",
      phase: "act",
      messages: messages.map((message) => log.message(message)),
      tools: null,
      response: log.message({ role: "assistant", content: answer }),
      finishReason: "stop",
      usage: { promptTokens: 1000, completionTokens: Math.ceil(answer.length / 4) },
      latencyMs: 5,
      request: { temperature: 0.8 },
      modelAnswered: "smollm2",
      baseHash: hashText("base"),
      adapterHash: null,
      parseFlags: [],
      retrievals: [],
      tipSpans: [],
    },
  });
  const call = { name: "answer", arguments: { text: answer } };
  log.append({
    type: "action",
    data: { attempt, turn, call, exitCode: 0, stdout: "", stderr: "", durationMs: 1 },
  });
  log.append({ type: "verdict", data: { attempt, verdict: sampleVerdict(isPassed) } });
}

function itemOf({ skill, number, n, task }: { skill: string; number: number; n: number; task: string }): Item {
  const family = `family-${n % FAMILIES}`;
  return {
    item: itemId(skill, `${family}/${number}-${n}`),
    family,
    split: n % FAMILIES < FAMILIES * 0.9 ? "train" : "validation",
    kind: "form",
    task,
    detail: {},
  };
}

function startOf(run: RunId, skill: string, seed: number) {
  return {
    run,
    skill: { id: skill, version: "1", hash: hashText(skill) },
    models: {
      worker: { name: "smollm2", endpoint: "http://127.0.0.1:1/v1", baseHash: hashText("base"), adapterHash: null },
    },
    sampling: { temperature: 0.8, topP: 1, maxTokens: 128 },
    seed,
    split: null,
    memory: "none" as const,
    tipRuns: [],
    codeVersion: "0.1.0",
    config: {},
    comparison: null,
  };
}

function vocabulary(seed: number): string[] {
  const draw = random(seed, "vocabulary");
  return Array.from({ length: WORDS }, () =>
    Array.from({ length: draw.integer(2, 9) }, () => String.fromCharCode(97 + draw.integer(0, 25))).join(""),
  );
}

function textOf(draw: Random, words: readonly string[], characters: number): string {
  const parts: string[] = [];
  for (let length = 0; length < characters; ) {
    const word = draw.pick(words);
    parts.push(word);
    length += word.length + 1;
  }
  return parts.join(" ");
}

function changedWord(draw: Random, text: string, words: readonly string[]): string {
  const parts = text.split(" ");
  parts[draw.integer(0, parts.length - 1)] = draw.pick(words);
  return parts.join(" ");
}
