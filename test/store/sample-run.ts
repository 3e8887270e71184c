/**
 * Writes a realistic, finished and sealed run through the run log, for tests: the same options give the same bytes.
 * Every item gets a worker turn, an action and a verdict an attempt; from the second item on a tip is retrieved.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { steppingClock } from "../../src/foundation/clock.ts";
import { type Hash, hashText } from "../../src/foundation/hashing.ts";
import { type Random, random } from "../../src/foundation/random.ts";
import type { MemoryMode, RunStarted } from "../../src/records/events.ts";
import { type AttemptId, attemptId, itemId, type RunId, type TipId, turnId } from "../../src/records/ids.ts";
import type { Item, Split } from "../../src/records/item.ts";
import type { Message } from "../../src/records/message.ts";
import type { Tip, TipSpan } from "../../src/records/tip.ts";
import type { Verdict } from "../../src/records/verdict.ts";
import { type Home, homeAt } from "../../src/store/home.ts";
import { createRunLog, type RunLog } from "../../src/store/run-log.ts";
import { sealRun } from "../../src/store/runs.ts";

export interface SampleOptions {
  skill?: string;
  split?: Split;
  items?: number;
  /** How many items a line of `items_scanned` holds. */
  itemsPerEvent?: number;
  attemptsPerItem?: number;
  seed?: number;
  /** Names the run: `20261101-1200<nn>-0000` for number nn. */
  number?: number;
  families?: number;
  /** Makes every task about this long. */
  taskBytes?: number;
  /** Share of the attempts that pass. */
  passFraction?: number;
  memory?: MemoryMode;
  comparison?: RunStarted["comparison"];
  adapterHash?: Hash | null;
  /** The worker's model; its base hash is the hash of `base:<model>`. */
  model?: string;
  /** Leaves the run open: no `run_finished`, not sealed. */
  isUnfinished?: boolean;
  /** Makes the log; `createBufferedLog` is for long ones. */
  createLog?: typeof createRunLog;
}

const BEFORE = { value: 0, passed: false };

/** Runs `use` with a home in a new temporary folder, and removes it. */
export async function withHome<T>(use: (home: Home) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "tracemill-"));
  try {
    return await use(homeAt(folder));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export function sampleRunId(number: number): RunId {
  return `20261101-12${String(number).padStart(4, "0")}-0000` as RunId;
}

export async function writeSampleRun(home: Home, options: SampleOptions = {}): Promise<{ run: RunId; head: Hash }> {
  const { skill = "sql", items = 4, attemptsPerItem = 2, seed = 1, number = 1, families = 3 } = options;
  const {
    taskBytes = 0,
    itemsPerEvent = 500,
    split = "train",
    passFraction = 0.5,
    isUnfinished = false,
    createLog = createRunLog,
  } = options;
  const run = sampleRunId(number);
  const clock = steppingClock(new Date("2026-11-01T12:00:00.000Z"), 7);
  const log = createLog(home, { run, clock });
  const draw = random(seed, "sample-run", skill, number);
  log.append({ type: "run_started", data: startOf(run, { ...options, skill, split, seed }) });
  const scanned = Array.from({ length: items }, (_, i) => sampleItem(skill, split, { n: i, families, taskBytes }));
  for (let i = 0; i < items; i += itemsPerEvent) {
    log.append({ type: "items_scanned", data: { items: scanned.slice(i, i + itemsPerEvent) } });
  }

  const counts = { items, attempts: 0, passed: 0, failures: 0 };
  let tip: Tip | null = null;
  for (const item of scanned) {
    let passed = 0;
    for (let n = 1; n <= attemptsPerItem; n++) {
      const attempt = attemptId(run, item.item, n);
      const isPassed = draw.next() < passFraction;
      writeAttempt(log, { attempt, item, tip, isPassed, draw, options });
      if (isPassed) passed += 1;
    }
    if (passed > 0 && (options.memory ?? "grow") === "grow") {
      tip = sampleTip(run, item, attemptId(run, item.item, 1));
      log.append({ type: "tip_saved", data: tip });
    }
    const state = passed > 0 ? "solved" : "unsolved";
    log.append({ type: "item_finished", data: { item: item.item, state, attempts: attemptsPerItem, passed } });
    counts.attempts += attemptsPerItem;
    counts.passed += passed;
  }
  if (!isUnfinished) log.append({ type: "run_finished", data: counts });
  const { head } = log;
  log.close();
  return { run, head: isUnfinished ? head : await sealRun(home, run, clock) };
}

function startOf(run: RunId, o: SampleOptions & { skill: string; split: Split; seed: number }): RunStarted {
  const model = o.model ?? "smollm2";
  const baseHash = hashText(`base:${model}`);
  const adapterHash = o.adapterHash ?? null;
  return {
    run,
    skill: { id: o.skill, version: "1", hash: hashText(`skill:${o.skill}`) },
    models: {
      worker: { name: model, endpoint: "http://127.0.0.1:1/v1", baseHash, adapterHash },
      architect: { rule: "scan-order" },
    },
    sampling: { temperature: 0.7, topP: 0.95, maxTokens: 128 },
    seed: o.seed,
    split: o.split,
    memory: o.memory ?? "grow",
    tipRuns: [],
    codeVersion: "0.1.0",
    config: { attempts: o.attemptsPerItem ?? 2 },
    comparison: o.comparison ?? null,
  };
}

export function sampleItem(
  skill: string,
  split: Split,
  { n, families, taskBytes = 0 }: { n: number; families: number; taskBytes?: number },
): Item {
  const words = random(n, "task");
  const schema = Array.from({ length: taskBytes / 12 }, () => `c${words.integer(0, 99_999)} INTEGER`).join(", ");
  const family = `family-${n % families}`;
  return {
    item: itemId(skill, `${family}/${String(n).padStart(5, "0")}`),
    family,
    split,
    kind: n % 2 === 0 ? "filter" : "count",
    task: `Count the rows of table t${n} where x > ${n}, "quoted" and with ünïcode ☃.${schema && `\n${schema}`}`,
    detail: { schema: `CREATE TABLE t${n} (x INTEGER)`, reference: `SELECT count(*) FROM t${n} WHERE x > ${n}` },
  };
}

interface AttemptDraft {
  attempt: AttemptId;
  item: Item;
  tip: Tip | null;
  isPassed: boolean;
  draw: Random;
  options: SampleOptions;
}

function writeAttempt(log: RunLog, { attempt, item, tip, isPassed, draw, options }: AttemptDraft): void {
  const answer = `SELECT count(*) FROM t WHERE x > ${draw.integer(0, 1_000_000)}`;
  const { messages, tipSpans } = promptOf(item, tip);
  const response: Message = { role: "assistant", content: `\`\`\`sql\n${answer}\n\`\`\`` };
  const turn = turnId(attempt, 1);
  const model = options.model ?? "smollm2";
  const hashes = messages.map((message) => log.message(message));
  log.append({
    type: "turn",
    data: {
      turn,
      attempt,
      role: "worker",
      phase: "act",
      messages: hashes,
      tools: null,
      response: log.message(response),
      finishReason: "stop",
      usage: { promptTokens: 80 + draw.integer(0, 9), completionTokens: 10 + draw.integer(0, 20) },
      latencyMs: 120.5,
      request: { model, temperature: 0.7, seed: draw.integer(0, 1000) },
      modelAnswered: model,
      baseHash: hashText(`base:${model}`),
      adapterHash: options.adapterHash ?? null,
      parseFlags: [],
      retrievals: tip === null ? [] : [retrievalOf(tip.tip)],
      tipSpans,
    },
  });
  const call = { name: "run_sql", arguments: { query: answer } };
  const stdout = isPassed ? "42\n" : "";
  log.append({
    type: "action",
    data: { attempt, turn, call, exitCode: isPassed ? 0 : 1, stdout, stderr: "", durationMs: 3 },
  });
  log.append({ type: "verdict", data: { attempt, verdict: sampleVerdict(isPassed) } });
}

function promptOf(item: Item, tip: Tip | null): { messages: Message[]; tipSpans: TipSpan[] } {
  const system = "You write one SQL query.";
  const lesson = tip === null ? "" : `\n\nA lesson: ${tip.text}`;
  const messages: Message[] = [
    { role: "system", content: system + lesson },
    { role: "user", content: item.task },
  ];
  const span = { messageIndex: 0, start: system.length, end: system.length + lesson.length };
  return { messages, tipSpans: tip === null ? [] : [{ tip: tip.tip, ...span }] };
}

function retrievalOf(tip: TipId) {
  return { tip, rank: 1, score: 0.75, dropProbability: 0, isDropped: false, isRendered: true };
}

function sampleTip(run: RunId, item: Item, attempt: AttemptId): Tip {
  return {
    tip: `tip-${hashText(attempt).slice(0, 16)}` as TipId,
    skill: item.item.slice(0, item.item.indexOf(":")),
    family: item.family,
    type: "strategy",
    text: `Filter before you count (seen on ${item.item}).`,
    example: null,
    mechanism: null,
    conditions: null,
    about: item.task,
    source: { run, item: item.item, attempt },
  };
}

export function sampleVerdict(isPassed: boolean): Verdict {
  return {
    value: isPassed ? 1 : 0,
    confidence: 1,
    passed: isPassed,
    failureMode: isPassed ? null : "wrong-rows",
    signalType: "binary",
    verifier: { id: "sql-result-set", version: "1" },
    before: BEFORE,
    evidence: { contents: 3, rows: isPassed ? [42] : [] },
    flags: [],
  };
}
