import { appendFileSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sumOf } from "../../src/foundation/sums.ts";
import { type HarnessOptions, type RunResult, readRunStart, runHarness } from "../../src/harness/index.ts";
import type { RunId } from "../../src/records/ids.ts";
import type { Skill } from "../../src/skills/contract.ts";
import type { Home } from "../../src/store/home.ts";
import { openLake } from "../../src/store/lake.ts";
import { verifyHome } from "../../src/store/verify.ts";
import {
  type ChatRequest,
  type ScriptedAnswer,
  type ScriptedModel,
  startScriptedModel,
} from "../fixtures/scripted-model.ts";
import letters from "../fixtures/skills/letters/skill.ts";
import { killedRuns } from "./killed.ts";
import { roleOf, textOf } from "./role-models.ts";
import { coin, eventsOf, itemsOf, only, runOptions, temporaryHome } from "./setting.ts";

const KILLS = process.env.TRACEMILL_LONG ? 200 : 8;
if (KILLS < 200) console.log("skipped: 200 kills of each run take minutes (TRACEMILL_LONG=1 makes them); these are 8");
const CHILD = join(import.meta.dirname, "killed-run.ts");
const ROLES_CHILD = join(import.meta.dirname, "killed-roles-run.ts");

let home: Home;
let remove: () => void;
let model: ScriptedModel;

beforeEach(async () => {
  ({ home, remove } = temporaryHome());
  model = await startScriptedModel({ replies: (request) => ({ ...coin(request), delayMs: 2 }) });
});

afterEach(async () => {
  await model.close();
  remove();
});

/** Checks that every attempt has just one verdict and one turn, and every item one end. */
async function expectWhole(run: RunId, counts: { items: number; attempts: number }): Promise<void> {
  const events = await eventsOf(home, run);
  const verdicts = only(events, "verdict").map((v) => v.attempt);
  expect(new Set(verdicts).size).toBe(counts.attempts);
  expect(verdicts).toHaveLength(counts.attempts);
  expect(
    only(events, "turn")
      .map((t) => t.attempt)
      .sort(),
  ).toEqual([...verdicts].sort());
  expect(only(events, "item_finished")).toHaveLength(counts.items);
  expect(only(events, "run_finished")).toHaveLength(1);
  expect(await verifyHome(home)).toMatchObject({ isSound: true, hasTornTail: false });
}

describe("a run whose process is killed", () => {
  it(`loses no attempt and doubles none, killed ${KILLS} times`, { timeout: 20_000 * KILLS }, async () => {
    const asked = () => model.requests.length;
    const most = { calls: 6, ms: 6 };
    const results = await killedRuns({ home, script: CHILD, url: model.url, kills: KILLS, asked, most });
    for (const result of results) {
      expect(result).toMatchObject({ items: 12, attempts: 36, isComplete: true });
      await expectWhole(result.run, { items: 12, attempts: 36 });
    }
    const attempts = 36 * results.length;
    const passed = sumOf(results, (result) => result.passed);
    expect(await lakeCounts()).toEqual({ attempts, judged: attempts, passed, examples: attempts });
  });

  it(`keeps plans, tips and what is solved, with four roles in one workspace, killed ${KILLS} times`, {
    timeout: 20_000 * KILLS,
  }, async () => {
    await model.close();
    let calls = 0;
    model = await startScriptedModel({
      replies: (request) => {
        calls++;
        return { ...houseRoles(request), delayMs: 1 };
      },
    });
    const most = { calls: 18, ms: 6 };
    const asked = () => calls;
    const results = await killedRuns({ home, script: ROLES_CHILD, url: model.url, kills: KILLS, asked, most });
    for (const result of results) await expectWholeHouse(result);
    expect(await verifyHome(home)).toMatchObject({ isSound: true, hasTornTail: false });
  });

  async function expectWholeHouse(result: RunResult): Promise<void> {
    const events = await eventsOf(home, result.run);
    expect(result).toMatchObject({ items: 12, solved: 12, isComplete: true });
    expect(only(events, "item_finished")).toHaveLength(12);
    expect(new Set(only(events, "turn").map(({ turn }) => turn)).size).toBe(only(events, "turn").length);
    const deciding = only(events, "verdict").filter(({ verdict }) => verdict.signalType !== "judgment");
    const passes = deciding.filter(({ verdict }) => verdict.passed).map(({ attempt }) => attempt);
    expect(new Set(passes).size).toBe(12);
    // Each room was painted on top of all that were solved before it: no kept state was lost.
    const painted = new Map(
      only(events, "action").map(({ attempt, stdout }) => [attempt, Object.keys(JSON.parse(stdout))]),
    );
    const order = [...painted].filter(([attempt]) => passes.includes(attempt)).map(([, rooms]) => rooms.length);
    expect(order).toEqual(order.toSorted((x, y) => x - y));
    expect(order.at(-1)).toBe(12);
  }

  async function lakeCounts(): Promise<unknown> {
    const lake = await openLake(home);
    const [counts] = await lake.query(
      `SELECT count(*) AS attempts, count(eval_passed) AS judged, count_if(eval_passed) AS passed,
        (SELECT count(*) FROM letters.examples) AS examples FROM letters.attempts`,
    );
    lake.close();
    return counts;
  }
});

/** Answers the four roles of a house: right at the second try, with a plan, an opinion and a lesson each. */
function houseRoles(request: ChatRequest): ScriptedAnswer {
  const say = (value: unknown) => ({ content: JSON.stringify(value) });
  const text = textOf(request);
  switch (roleOf(request)) {
    case "select":
      return say({ item: /house:room-\d+/.exec(text)?.[0], plan: "paint it" });
    case "replan":
      return say({ choice: "continue" });
    case "auditor":
      return say({ rightReason: true, confidence: 0.8 });
    case "reflector":
      return say({ tips: [{ type: "strategy", text: `lesson ${text.length}` }] });
    default:
      return { content: text.includes("Attempt 1:") ? "red" : "blue" };
  }
}

describe("a run that was cut at any event", () => {
  /** The whole log of a finished run, its lines, and the options that made it. */
  async function finishedRun(): Promise<{ options: HarnessOptions; run: RunId; lines: string[] }> {
    const options = await runOptions({ home, url: model.url }, { items: await itemsOf("train", 2), concurrency: 1 });
    const { run } = await runHarness(options);
    return { options, run, lines: readFileSync(home.runLog(run), "utf8").trimEnd().split("\n") };
  }

  it("comes to the same verdicts from every cut, and asks again only what had no answer", async () => {
    const { options, run, lines } = await finishedRun();
    const whole = await verdictsOf(run);
    for (let kept = 2; kept <= lines.length; kept++) {
      writeFileSync(home.runLog(run), `${lines.slice(0, kept).join("\n")}\n`);
      writeFileSync(home.ledger, "");
      const answered = only(await eventsOf(home, run), "turn").length;
      model.requests.length = 0;
      const resumed = await runHarness({ ...options, resume: run });
      expect(resumed).toMatchObject({ attempts: 4, isComplete: true });
      expect(model.requests).toHaveLength(4 - answered);
      expect(await verdictsOf(run)).toEqual(whole);
      await expectWhole(run, { items: 2, attempts: 4 });
    }
  });

  async function verdictsOf(run: RunId): Promise<unknown[]> {
    return only(await eventsOf(home, run), "verdict");
  }

  it("goes on from a torn last line", async () => {
    const { options, run, lines } = await finishedRun();
    writeFileSync(home.runLog(run), `${lines.slice(0, 6).join("\n")}\n`);
    appendFileSync(home.runLog(run), lines[6]?.slice(0, 40) ?? "");
    writeFileSync(home.ledger, "");
    expect(await runHarness({ ...options, resume: run })).toMatchObject({ attempts: 4, isComplete: true });
    expect(only(await eventsOf(home, run), "failure")).toMatchObject([{ boundary: "log", code: "TORN_TAIL" }]);
    await expectWhole(run, { items: 2, attempts: 4 });
  });

  it("is refused where it ended before its items were scanned", async () => {
    const { options, run, lines } = await finishedRun();
    writeFileSync(home.runLog(run), `${lines[0]}\n`);
    writeFileSync(home.ledger, "");
    await expect(runHarness({ ...options, resume: run })).rejects.toMatchObject({ code: "RUN_EMPTY" });
    await expect(readRunStart(home, run)).rejects.toMatchObject({ code: "RUN_EMPTY" });
  });

  it("is refused with other settings, naming them", async () => {
    const { options, run, lines } = await finishedRun();
    truncateSync(home.runLog(run), Buffer.byteLength(`${lines.slice(0, 4).join("\n")}\n`));
    writeFileSync(home.ledger, "");
    const changes = { resume: run, seed: 2, attempts: 9, concurrency: 2, codeVersion: "newer" };
    await expect(runHarness({ ...options, ...changes })).rejects.toMatchObject({
      code: "RESUME_DIFFERS",
      details: { expected: "seed 1; attempts 2", got: "seed 2; attempts 9" },
    });
    expect(await runHarness({ ...options, resume: run })).toMatchObject({ isComplete: true });
  });

  it("gives its result again once it is sealed", async () => {
    const options = await runOptions({ home, url: model.url });
    const finished = await runHarness(options);
    expect(await runHarness({ ...options, resume: finished.run })).toEqual(finished);
  });
});

describe("a run that is interrupted", () => {
  it("begins nothing more, records no failure, and goes on where it was", async () => {
    const interruption = new AbortController();
    const options = await runOptions({ home, url: model.url }, { items: await itemsOf("train", 12) });
    const stopped = await runHarness({
      ...options,
      signal: interruption.signal,
      onProgress: ({ attempts }) => attempts >= 5 && interruption.abort(),
    });
    await sleep(30); // what was on its way when the calls were cut arrives
    const requests = model.requests.length;
    expect(stopped).toMatchObject({ isComplete: false, stoppedBy: "interruption" });
    expect(only(await eventsOf(home, stopped.run), "failure")).toEqual([]);
    await sleep(30);
    expect(model.requests).toHaveLength(requests);
    expect(await runHarness({ ...options, resume: stopped.run })).toMatchObject({ attempts: 24, isComplete: true });
    await expectWhole(stopped.run, { items: 12, attempts: 24 });
  });

  it("keeps other processes off while it lives", async () => {
    const options = await runOptions({ home, url: model.url });
    let second: Promise<unknown> | undefined;
    const waiting: Skill = {
      ...letters,
      async open(item, place) {
        await second;
        return letters.open(item, place);
      },
    };
    await runHarness({
      ...options,
      skill: waiting,
      onProgress: ({ run }) => {
        second ??= runHarness({ ...options, resume: run }).catch((error: unknown) => error);
      },
    });
    expect(await second).toMatchObject({ code: "LOCKED" });
  });
});
