/** Tips with known effects, end to end: taught, drawn by the real harness, read back from the lake and credited. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { type RunResult, runHarness } from "../../src/harness/index.ts";
import type { RunId, TipId } from "../../src/records/ids.ts";
import { CREDIT_RULE, creditTips } from "../../src/statistics/tip-credit.ts";
import type { Home } from "../../src/store/home.ts";
import { openLake } from "../../src/store/lake.ts";
import { readTipDraws, type TipHistory } from "../../src/store/tip-draws.ts";
import { type ScriptedModel, startScriptedModel } from "../fixtures/scripted-model.ts";
import { itemsOf, runOptions, temporaryHome } from "../harness/setting.ts";
import { swayedBy, taughtTip, teach } from "../harness/taught-memory.ts";

const EFFECTS = new Map([
  ["harms", -0.4],
  ["helps", 0.4],
  ["idle-red", 0],
  ["idle-green", 0],
  ["idle-blue", 0],
]);
const tips = [...EFFECTS.keys()].map((name) => taughtTip(name));
const idOf = (name: string) => taughtTip(name).tip;

let home: Home;
let remove: () => void;
let model: ScriptedModel;

beforeEach(async () => {
  ({ home, remove } = temporaryHome());
  model = await startScriptedModel({
    replies: swayedBy(new Map(tips.map(({ text }, i) => [text, [...EFFECTS.values()][i] as number]))),
  });
});

afterEach(async () => {
  await model.close();
  remove();
});

async function drawn(changes: Parameters<typeof runOptions>[1] = {}, contextTokens = 8192): Promise<RunResult> {
  const taught = await teach(home, tips);
  return runHarness(
    await runOptions(
      { home, url: model.url, contextTokens },
      {
        items: await itemsOf("train", 52),
        memory: "frozen",
        tipRuns: [taught],
        tipsPerPrompt: tips.length,
        tipDropout: 0.4,
        attempts: 4,
        concurrency: 1,
        ...changes,
      },
    ),
  );
}

async function histories(runs: RunId[]): Promise<Map<TipId, TipHistory>> {
  const lake = await openLake(home);
  try {
    return await readTipDraws(lake, { runs });
  } finally {
    lake.close();
  }
}

it("the draws of a run give each tip's known effect back within a 99 % interval, and retire only the harmful one", async () => {
  const { run } = await drawn();
  const read = await histories([run]);
  const credits = creditTips(
    tips.map(({ tip, family }) => ({ tip, family, draws: read.get(tip)?.draws ?? [] })),
    { ...CREDIT_RULE, alpha: 0.01 },
  );
  for (const [name, effect] of EFFECTS) {
    const credit = credits.get(idOf(name));
    expect(credit?.effect).toMatchObject({ kind: "randomised", items: 52 });
    expect((credit?.effect.shown ?? 0) + (credit?.effect.dropped ?? 0)).toBe(52 * 4);
    expect(credit?.effect.interval?.low).toBeLessThan(effect);
    expect(credit?.effect.interval?.high).toBeGreaterThan(effect);
    expect(credit?.shrunken).toMatchObject({ among: 5, group: "skill" });
  }
  expect([...EFFECTS.keys()].map((name) => credits.get(idOf(name))?.verdict.call)).toEqual([
    "retired",
    "helpful",
    "undecided",
    "undecided",
    "undecided",
  ]);
});

it("draws come in the order in which they were drawn, an attempt each, with the item and attempt that they are of", async () => {
  const { run } = await drawn({ items: await itemsOf("train", 3), attempts: 2 });
  const draws = (await histories([run])).get(idOf("helps"))?.draws ?? [];
  expect(draws.map(({ item, attemptNumber }) => `${item} ${attemptNumber}`).toSorted()).toEqual(
    ["a", "b", "c"].flatMap((letter) => [1, 2].map((n) => `letters:${letter}-0 ${n}`)),
  );
  expect(draws.every(({ attempt, dropProbability }) => attempt.startsWith(run) && dropProbability === 0.4)).toBe(true);
});

it("what happened at held-out items is no observation", async () => {
  const { run } = await drawn({ split: "validation", items: await itemsOf("validation", 4), attempts: 1 });
  const history = (await histories([run])).get(idOf("helps"));
  expect(history?.draws).toEqual([]);
  const { shown = 0, dropped = 0 } = history?.uncounted["held-out"] ?? {};
  expect(shown + dropped).toBe(4);
});

it("a tip without room is no observation, whatever a draw would have said", async () => {
  const { run } = await drawn({ items: await itemsOf("train", 10), attempts: 1 }, 45);
  const read = [...(await histories([run])).values()];
  expect(read.some(({ uncounted }) => uncounted["no-room"] !== undefined)).toBe(true);
  expect(read.every(({ uncounted }) => (uncounted["no-room"]?.dropped ?? 0) === 0)).toBe(true);
  expect(read.every(({ draws, uncounted }) => draws.length + (uncounted["no-room"]?.shown ?? 0) === 10)).toBe(true);
});

it("an attempt that its endpoint gave no answer to is counted apart", async () => {
  await model.close();
  model = await startScriptedModel({
    replies: (request) =>
      request.messages.at(-1)?.content.includes("letter b") ? { status: 400, body: "no" } : { content: "abc" },
  });
  const { run } = await drawn({ items: await itemsOf("train", 3), attempts: 1 });
  const history = (await histories([run])).get(idOf("helps"));
  expect(history?.draws).toHaveLength(2);
  const { shown = 0, dropped = 0 } = history?.uncounted["failed-call"] ?? {};
  expect(shown + dropped).toBe(1);
});
