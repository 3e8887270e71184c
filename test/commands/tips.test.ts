/**
 * `tracemill tips` as a user types it, over runs of the real harness with tips of known effects.
 */
import { cpSync } from "node:fs";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { EffectReport, TipLine } from "../../src/commands/tip-pages.ts";
import type { RetirementReport } from "../../src/commands/tip-retirement.ts";
import { runHarness } from "../../src/harness/index.ts";
import type { RunId } from "../../src/records/ids.ts";
import type { Home } from "../../src/store/home.ts";
import { readLedger } from "../../src/store/ledger.ts";
import { listRuns } from "../../src/store/runs.ts";
import { type ScriptedModel, startScriptedModel } from "../fixtures/scripted-model.ts";
import { tracemill as program } from "../fixtures/tracemill.ts";
import { eventsOf, itemsOf, only, runOptions, temporaryHome } from "../harness/setting.ts";
import { swayedBy, taughtTip, teach } from "../harness/taught-memory.ts";

const EFFECTS: [string, number][] = [
  ["harms", -0.4],
  ["helps", 0.4],
  ["idle-red", 0],
  ["idle-green", 0],
];
const tips = EFFECTS.map(([name]) => taughtTip(name));
const [harmful, helpful, idle] = tips.map(({ tip }) => tip);

let model: ScriptedModel;
let made: { home: Home; remove(): void };
let taught: Awaited<ReturnType<typeof teach>>;
let home: Home;
let remove: () => void;

beforeAll(async () => {
  made = temporaryHome();
  model = await startScriptedModel({
    replies: swayedBy(new Map(EFFECTS.map(([name, effect]) => [taughtTip(name).text, effect]))),
  });
  taught = await teach(made.home, tips);
  await runHarness(await options(made.home, { items: await itemsOf("train", 52), attempts: 4 }));
});

afterAll(async () => {
  await model.close();
  made.remove();
});

beforeEach(() => {
  ({ home, remove } = temporaryHome());
  cpSync(made.home.path, home.path, { recursive: true });
});

afterEach(() => remove());

async function options(at: Home, changes: Parameters<typeof runOptions>[1]) {
  const reading = { memory: "frozen" as const, tipRuns: [taught], tipsPerPrompt: 4, tipDropout: 0.4, concurrency: 1 };
  return runOptions({ home: at, url: model.url }, { ...reading, attempts: 1, ...changes });
}

const tracemill = (...words: string[]) => program(home, "tips", ...words);

async function asked<T>(...words: string[]): Promise<T> {
  return JSON.parse((await tracemill(...words, "--json")).stdout) as T;
}

describe("tips list", () => {
  it("has a line a tip with what its draws say", async () => {
    const { tips: lines } = await asked<{ tips: TipLine[] }>("list", "--skill", "letters");
    expect(lines.map(({ tip }) => tip)).toEqual(tips.map(({ tip }) => tip));
    expect(lines.map(({ state }) => state).slice(0, 2)).toEqual(["harmful", "helpful"]);
    expect(lines.slice(2).map(({ state }) => state)).not.toContain("harmful");
    expect(lines.every(({ shown, dropped }) => shown + dropped === 52 * 4)).toBe(true);
    const { stdout } = await tracemill("list");
    expect(stdout).toMatch(
      new RegExp(`${harmful} +strategy +taught-harms +Tip harms\\. +\\d+ +\\d+ +-\\d+\\.\\d +-.* to -.* +harmful`),
    );
  });

  it("names the runs that it did not look at, and counts the draws of named runs alone", async () => {
    const stopped = new AbortController();
    const cut = { signal: stopped.signal, onOpen: async () => stopped.abort() };
    const { run } = await runHarness(await options(home, cut));
    expect((await tracemill("list")).stdout).toContain(`not looked at, as not sealed: ${run}`);
    const { tips: lines } = await asked<{ tips: TipLine[] }>("list", "--runs", taught.run);
    expect(lines.map(({ shown, state }) => [shown, state])).toEqual(tips.map(() => [0, "unread"]));
    expect(await tracemill("list", "--runs", run)).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("RUN_NOT_SEALED"),
    });
  });
});

describe("tips effect", () => {
  it("gives a known effect back, with intervals for one look and for every look", async () => {
    const { report } = await asked<{ report: EffectReport }>("effect", String(harmful), "--alpha", "0.01");
    const { effect, verdict, shrunken, furtherDraws } = report;
    expect(effect).toMatchObject({ kind: "randomised", items: 52 });
    expect(effect.interval?.low).toBeLessThan(-0.4);
    expect(effect.interval?.high).toBeGreaterThan(-0.4);
    expect(verdict.interval.low).toBeLessThan(effect.interval?.low ?? 0);
    expect(shrunken?.among).toBe(4);
    expect(furtherDraws).toBe(0);
  });

  it("of a tip that nothing was drawn of is observational, against attempts at the same items without it", async () => {
    const other = temporaryHome();
    taught = await teach(other.home, tips);
    await runHarness(await options(other.home, { tipDropout: 0, tipsPerPrompt: 2 }));
    remove();
    ({ home, remove } = other);
    const { report } = await asked<{ report: EffectReport }>("effect", String(harmful));
    expect(report.effect).toMatchObject({ kind: "observational", shown: 6, dropped: 0, interval: null });
    expect((await tracemill("effect", String(harmful))).stdout).toContain("nothing protects this from confounding");
  });

  it("refuses a tip that is not there, with the nearest ids", async () => {
    const wrong = `${String(harmful).slice(0, -1)}z`;
    const { exitCode, stderr } = await tracemill("effect", wrong);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("UNKNOWN_TIP");
    expect(stderr).toContain(`did you mean "${harmful}"`);
  });
});

it("tips show has the text, its source, where it was rendered and its effect", async () => {
  const { stdout } = await tracemill("show", String(harmful).slice(0, 10));
  for (const part of ["Tip harms.", String(taught.run), "rendered", "more draws", "draws left it out"])
    expect(stdout).toContain(part);
});

describe("a run that drew tips", () => {
  const reading = () => ["--skill", "letters", "--model", "scripted", "--tips-from", taught.run, "--limit", "2"];

  it("retires at its end those that all draws show to be harmful, and says so", async () => {
    const words = [...reading(), "--endpoint", model.url, "--tip-dropout", "0.4", "--attempts", "1"];
    const { stdout, exitCode } = await program(home, "run", ...words);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(new RegExp(`${harmful} is retired: its effect is below 0\\.0 points`));
    expect(await retirements()).toMatchObject([{ tip: harmful, rule: "effect", evidence: { runs: 3 } }]);
  });

  it.each([
    ["where that is not wanted", ["--tip-dropout", "0.4", "--retire-tips", "none"]],
    ["where nothing was drawn", []],
    ["over held-out items", ["--tip-dropout", "0.4", "--split", "validation"]],
  ])("retires nothing %s", async (_, words) => {
    const { stdout } = await program(home, "run", ...reading(), "--endpoint", model.url, "--json", ...words);
    expect(JSON.parse(stdout)).toMatchObject({ retired: [], isComplete: true });
    expect(await retirements()).toEqual([]);
  });
});

describe("tips retire", () => {
  it("by effect retires the harmful tip alone, in the ledger, and new runs read it no more", async () => {
    const sealed = JSON.stringify(await eventsOf(home, taught.run));
    const dry = await asked<RetirementReport>("retire", "--rule", "effect", "--dry-run");
    expect(dry.retired.map(({ tip }) => tip)).toEqual([harmful]);
    expect(await retirements()).toEqual([]);
    await tracemill("retire", "--rule", "effect");
    expect(await retirements()).toEqual([
      expect.objectContaining({
        tip: harmful,
        skill: "letters",
        run: taught.run,
        rule: "effect",
        mergedInto: null,
        evidence: expect.objectContaining({ alpha: 0.05, threshold: 0, atLeast: 10, runs: 2 }),
      }),
    ]);
    expect(JSON.stringify(await eventsOf(home, taught.run))).toBe(sealed);
    const { run } = await runHarness(await options(home, {}));
    const events = await eventsOf(home, run);
    const read = only(events, "turn").flatMap(({ retrievals }) => retrievals.map(({ tip }) => tip));
    expect([...new Set(read)].sort()).toEqual(
      tips
        .slice(1)
        .map(({ tip }) => tip)
        .sort(),
    );
    expect(only(events, "run_started")[0]?.config.retiredTips).toEqual([harmful]);
    const { tips: lines } = await asked<{ tips: TipLine[] }>("list");
    expect(lines[0]?.state).toBe("retired");
    expect((await asked<RetirementReport>("retire", "--rule", "effect")).retired).toEqual([]);
  });

  it("by hand takes a reason, once", async () => {
    const byHand = ["retire", String(idle), "--reason", "names a table that is gone"];
    expect((await tracemill("retire", String(idle))).stderr).toContain("The reason is missing");
    expect((await tracemill(...byHand)).exitCode).toBe(0);
    expect(await retirements()).toEqual([
      expect.objectContaining({ tip: idle, rule: "hand", reason: "names a table that is gone", evidence: null }),
    ]);
    expect((await tracemill(...byHand)).stderr).toContain("TIP_RETIRED");
  });

  it("by the classic rule asks for the least mean outcome, and retires what lies below it", async () => {
    expect((await tracemill("retire", "--rule", "classic")).stderr).toContain("--threshold FRACTION");
    const { retired } = await asked<RetirementReport>("retire", "--rule", "classic", "--threshold", "0.45");
    expect(retired.map(({ tip }) => tip)).toEqual([harmful]);
  });

  it("is refused where it is not said what", async () => {
    expect((await tracemill("retire")).stderr).toContain("What is to be retired is not clear");
    expect((await tracemill("retire", String(idle), "--rule", "effect")).stderr).toContain("is not clear");
  });
});

describe("revoking", () => {
  it("a tip takes it out of the memory of new runs, and lists it as retired for that", async () => {
    await program(home, "revoke", String(helpful), "--reason", "learnt of a broken verifier");
    const { run } = await runHarness(await options(home, {}));
    const events = await eventsOf(home, run);
    const read = only(events, "turn").flatMap(({ retrievals }) => retrievals.map(({ tip }) => tip));
    expect(read.length).toBeGreaterThan(0);
    expect(read).not.toContain(helpful);
    expect(only(events, "run_started")[0]?.config.retiredTips).toEqual([helpful]);
    expect((await tracemill("show", String(helpful))).stdout).toContain("revoked: learnt of a broken verifier");
  });

  it("a run leaves its draws out of every tip's effect", async () => {
    const { report: before } = await asked<{ report: EffectReport }>("effect", String(harmful));
    const { effect } = before;
    const drawn = (await listRuns(home)).find(({ run }) => run !== taught.run)?.run ?? "";
    await program(home, "revoke", drawn, "--reason", "the endpoint answered for another model");
    const { report } = await asked<{ report: EffectReport }>("effect", String(harmful));
    expect(report.uncounted.revoked).toEqual({ shown: effect.shown, dropped: effect.dropped });
    expect(report.effect).toMatchObject({ shown: 0, dropped: 0 });
  });
});

it("tips consolidate merges what says the same into the older tip, keeps where it came from, and reports contradictions", async () => {
  const advice = "Write every letter of the alphabet, twice where there is room.";
  const same = [
    taughtTip("first", { text: advice }),
    taughtTip("second", { text: advice.replace("twice", "twice,") }),
    taughtTip("against", { text: advice.replace("Write", "Never write"), type: "warning" }),
  ];
  const [first, second, against] = same.map(({ tip }) => tip);
  await teach(home, same, "20260102-000000-abcd" as RunId);
  const { stdout } = await tracemill("consolidate", "--skill", "letters");
  expect(stdout).toContain(`${second}: merged into ${first}`);
  expect(stdout).toContain(`may contradict: ${against} advises against what ${first} advises`);
  expect(await retirements()).toEqual([
    expect.objectContaining({ tip: second, rule: "merged", mergedInto: first, reason: `merged into ${first}` }),
  ]);
  expect((await tracemill("show", String(first))).stdout).toContain(
    `${second} said the same, from ${taughtTip("second").source.attempt}`,
  );
  expect((await asked<RetirementReport>("consolidate")).retired).toEqual([]);
});

it("a new run ranks tips by what their draws said, and records that", async () => {
  const { run } = await runHarness(await options(home, {}));
  const events = await eventsOf(home, run);
  const effects = only(events, "run_started")[0]?.config.tipEffects as Record<string, number>;
  expect(effects[String(helpful)]).toBeGreaterThan(0.2);
  expect(effects[String(harmful)]).toBeLessThan(-0.2);
  const [ranks = []] = only(events, "turn").map(({ retrievals }) => retrievals.map(({ tip }) => tip));
  expect([ranks[0], ranks.at(-1)]).toEqual([helpful, harmful]);
});

it("a resumed run reads the tips that it began with, whatever was retired since", async () => {
  const stopped = new AbortController();
  const cut = { signal: stopped.signal, onProgress: () => stopped.abort() };
  const { run } = await runHarness(await options(home, cut));
  await tracemill("retire", String(helpful), "--reason", "a second thought");
  await runHarness(await options(home, { resume: run }));
  const turns = only(await eventsOf(home, run), "turn");
  expect(turns.length).toBeGreaterThan(4);
  expect(turns.every(({ retrievals }) => retrievals.some(({ tip }) => tip === helpful))).toBe(true);
});

async function retirements(): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const entry of readLedger(home)) if (entry.type === "tip_retired") found.push(entry.data);
  return found;
}
