/** What an audit finds in a run in which everything that it asks for went wrong once. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { foreignStart } from "../../src/capture/foreign-item.ts";
import { auditLabels, type LabelAudit } from "../../src/capture/label-audit.ts";
import { systemClock } from "../../src/foundation/clock.ts";
import { attemptId, itemId, newRunId, type TipId, turnId } from "../../src/records/ids.ts";
import type { Verdict } from "../../src/records/verdict.ts";
import type { Home } from "../../src/store/home.ts";
import { openLake } from "../../src/store/lake.ts";
import { createRunLog } from "../../src/store/run-log.ts";
import { sealRun } from "../../src/store/runs.ts";
import { temporaryHome } from "../harness/setting.ts";

interface Tried {
  flags?: Verdict["flags"];
  before?: Verdict["before"];
  confidence?: number;
  passed?: boolean;
  isJudged?: boolean;
  signalType?: Verdict["signalType"];
  /** What the auditor thinks of it. */
  audited?: boolean;
  parseFlags?: string[];
  missing?: ("prompt" | "answer")[];
  answer?: string;
  action?: string;
  call?: string;
  tip?: { tip: string; isRendered: boolean };
}

const run = newRunId(systemClock);
let home: Home;
let remove: () => void;
let audit: LabelAudit;

const SUSPECT: Tried = { passed: false, flags: ["environment-suspect"] };

/** Attempts 1, 2, ... of one item, in their order. */
const TRIES: Tried[] = [
  { flags: ["noop-pass"] },
  { flags: ["conflict"] },
  { action: "same" },
  { action: "same", passed: false },
  SUSPECT,
  SUSPECT,
  { passed: false },
  SUSPECT,
  { passed: false, flags: ["evaluator-gap"] },
  { flags: ["dirty-exit"] },
  { passed: false, parseFlags: ["clipped"], missing: ["prompt", "answer"] },
  { passed: false, missing: ["prompt"] },
  { isJudged: false },
  { passed: false, confidence: 0.5 },
  { audited: false },
  { signalType: "behavioral" },
  { passed: false, audited: true },
  { passed: false, tip: { tip: "tip-0000000000000001", isRendered: false } },
  { passed: false, tip: { tip: "tip-0000000000000002", isRendered: true } },
];

beforeAll(async () => {
  ({ home, remove } = temporaryHome());
  const log = createRunLog(home, { run, clock: systemClock });
  log.append({ type: "run_started", data: foreignStart({ run, skill: "mine", codeVersion: "t", config: {} }) });
  const item = itemId("mine", "a");
  const scanned = { item, family: "a", split: "train" as const, kind: null, task: "t", detail: {} };
  log.append({ type: "items_scanned", data: { items: [scanned] } });
  for (const [i, tried] of TRIES.entries()) write(log, attemptId(run, item, i + 1), tried);
  log.append({ type: "run_finished", data: { items: 1, attempts: TRIES.length, passed: 0, failures: 0 } });
  log.close();
  await sealRun(home, run, systemClock);
  const lake = await openLake(home);
  audit = await auditLabels(lake, run);
  lake.close();
}, 60_000);

afterAll(() => remove());

function write(log: ReturnType<typeof createRunLog>, attempt: ReturnType<typeof attemptId>, tried: Tried): void {
  const {
    flags = [],
    before = null,
    confidence = 1,
    passed = true,
    isJudged = true,
    audited,
    signalType = "binary",
  } = tried;
  const { parseFlags = [], missing = [], action, tip, answer = "done", call: name = "say" } = tried;
  const turn = turnId(attempt, 1);
  const retrieval = { rank: 1, score: 1, dropProbability: 0, isDropped: false };
  log.append({
    type: "turn",
    data: {
      ...{ turn, attempt, role: "worker", phase: "act", tools: null, parseFlags, tipSpans: [], latencyMs: 1 },
      messages: [log.message({ role: "user", content: "do" })],
      response: log.message({ role: "assistant", content: answer }),
      ...{ finishReason: "stop", usage: null, request: {}, modelAnswered: null, baseHash: null, adapterHash: null },
      retrievals: tip === undefined ? [] : [{ ...retrieval, ...tip, tip: tip.tip as TipId }],
      ...(missing.length > 0 && { missing }),
    },
  });
  if (action !== undefined) {
    const call = { name, arguments: { text: action } };
    log.append({ type: "action", data: { attempt, turn, call, exitCode: 0, stdout: "", stderr: "", durationMs: 1 } });
  }
  const verdict = (given: Partial<Verdict>): Verdict => ({
    ...{ value: passed ? 1 : 0, confidence, passed, failureMode: passed ? null : "failed", signalType },
    ...{ verifier: { id: "v", version: "1" }, before, evidence: null, flags, ...given },
  });
  if (isJudged) log.append({ type: "verdict", data: { attempt, verdict: verdict({}) } });
  if (audited !== undefined) {
    const opinion = verdict({
      value: Number(audited),
      passed: audited,
      signalType: "judgment",
      failureMode: "doubted",
    });
    log.append({ type: "verdict", data: { attempt, verdict: opinion } });
  }
}

const at = (n: number) => `${run}/mine:a/${n}`;

describe("an audit", () => {
  it("counts as judged what a verdict holds of: not where nobody said one, or two contradict each other", () => {
    expect([audit.attempts, audit.judged]).toEqual([TRIES.length, TRIES.length - 2]);
  });

  it.each([
    ["passes that were there before the action", 1, [at(1)], "noop-pass"],
    ["verdicts that contradict each other", 1, [at(2)], "conflict"],
    ["the same action or answer at the same item, once passed and once not", 1, ["mine:a"], "--filter"],
    ["attempts at the same item of which some passed and some did not", 1, ["mine:a"], "no doubt by itself"],
    ["the environment was not sound", 3, [at(5), at(6), at(8)], "environment-suspect"],
    [
      "stretches of attempts in a row in such an environment",
      2,
      [`${at(5)} to ${at(6)}, 2 attempts`, at(8)],
      "environment-suspect",
    ],
    ["the verifier cannot tell what it says", 1, [at(9)], "confidence>=0.99"],
    ["the action ended with an error and passed", 1, [at(10)], '--filter "not flag(dirty-exit)"'],
    ["a text was cut where it was recorded", 1, [`${at(11)}#1`], "incomplete"],
    ["a part of a turn was never recorded", 1, [`${at(12)}#1`], "incomplete"],
    ["nobody judged the attempt", 1, [at(13)], "no-verdict"],
    ["an opinion decides, or a verifier that is not sure", 2, [at(14), at(16)], "not-deterministic"],
    [
      "an opinion, of the auditor, a model or a person, contradicts the check",
      2,
      [at(15), at(17)],
      "audit_passed=true",
    ],
    ["a tip was retrieved and never shown", 1, ["tip-0000000000000001"], "no label rests on it"],
  ])("finds that %s, with its example and what leaves it out", (what, count, examples, leftOutBy) => {
    const found = audit.findings.find((finding) => finding.what === what);
    expect(found).toMatchObject({ count, leftOutBy: expect.stringContaining(leftOutBy) });
    expect(found?.examples).toEqual(examples);
  });

  it("has no other findings, and counts of how many", () => {
    expect(audit.findings).toHaveLength(14);
    expect(audit.findings.map(({ of }) => of).toSorted((a, b) => a - b)).toEqual([
      ...[1, 1, 2],
      ...Array(11).fill(TRIES.length),
    ]);
  });
});

it.each([
  ["the same answer twice is the same thing", ["yes", "yes"], null, [1, 1]],
  ["other answers are not the same thing", ["yes", "no"], null, [0, 1]],
  ["an agent's work in its folder is not told by its call", ["yes", "yes"], "agent", [0, 1]],
])("of repeats that were judged differently, %s", async (_, answers, call, counts) => {
  const place = temporaryHome();
  const repeated = newRunId(systemClock);
  const log = createRunLog(place.home, { run: repeated, clock: systemClock });
  const start = foreignStart({ run: repeated, skill: "mine", codeVersion: "t", config: {} });
  log.append({ type: "run_started", data: start });
  const item = itemId("mine", "a");
  const scanned = { item, family: "a", split: "train" as const, kind: null, task: "t", detail: {} };
  log.append({ type: "items_scanned", data: { items: [scanned] } });
  for (const [i, answer] of answers.entries()) {
    write(log, attemptId(repeated, item, i + 1), {
      ...{ passed: i === 0, answer },
      ...(call !== null && { action: "npm test", call }),
    });
  }
  log.append({ type: "run_finished", data: { items: 1, attempts: 2, passed: 1, failures: 0 } });
  log.close();
  await sealRun(place.home, repeated, systemClock);
  const lake = await openLake(place.home);
  const { findings } = await auditLabels(lake, repeated);
  lake.close();
  place.remove();
  expect(findings.filter(({ of, what }) => of === 1 && what.includes("the same")).map(({ count }) => count)).toEqual(
    counts,
  );
});
