import { afterEach, beforeEach, expect, it } from "vitest";
import { random } from "../../src/foundation/random.ts";
import { runHarness } from "../../src/harness/index.ts";
import { recall } from "../../src/harness/memory.ts";
import { tipIndex } from "../../src/harness/tip-index.ts";
import type { Home } from "../../src/store/home.ts";
import { type ScriptedModel, startScriptedModel } from "../fixtures/scripted-model.ts";
import { coin, eventsOf, itemsOf, only, runOptions, temporaryHome, tipAbout } from "./setting.ts";

let home: Home;
let remove: () => void;
let model: ScriptedModel;

beforeEach(async () => {
  ({ home, remove } = temporaryHome());
  model = await startScriptedModel({ replies: coin });
});

afterEach(async () => {
  await model.close();
  remove();
});

const ABOUT = "Write a text with the letter";
const index = tipIndex();
for (const letter of ["q", "r", "s", "t"]) index.add(tipAbout(`letters:${letter}-0`, `${ABOUT} ${letter}`));
const roomy = { tokens: 1000, count: (text: string) => text.length };

it("each tip is drawn by itself with the set probability, the same for the same seed", async () => {
  const [item] = await itemsOf("train", 1);
  if (item === undefined) throw new Error("no item");
  const draw = (seed: number) =>
    recall(index, item, { count: 3, dropProbability: 0.3, chance: (tip) => random(seed, tip), budget: roomy });
  expect(draw(1)).toEqual(draw(1));
  const draws = Array.from({ length: 1000 }, (_, seed) => draw(seed).retrievals).flat();
  const dropped = draws.filter(({ isDropped }) => isDropped).length;
  // 3000 draws: 0.3 +- 4 standard errors of 0.0084
  expect(dropped / draws.length).toBeGreaterThan(0.266);
  expect(dropped / draws.length).toBeLessThan(0.334);
  expect(draws.every(({ isDropped, isRendered }) => isDropped !== isRendered)).toBe(true);
  expect(draws.every(({ dropProbability }) => dropProbability === 0.3)).toBe(true);
});

it("nothing takes a dropped tip's place, and its room stays taken", async () => {
  const [item] = await itemsOf("train", 1);
  if (item === undefined) throw new Error("no item");
  const ranked = index.similar(item, 3).map(({ tip }) => tip);
  const first = ranked[0];
  const length = first?.text.length ?? 0;
  const forced = (dropFirst: boolean) =>
    recall(index, item, {
      count: 3,
      dropProbability: 0.5,
      chance: (tip) => ({ ...random(0), next: () => (dropFirst && tip === first?.tip ? 0 : 0.9) }),
      budget: { tokens: 2 * length, count: (text) => text.length },
    });
  expect(forced(false).tips.map(({ tip }) => tip)).toEqual(ranked.slice(0, 2).map(({ tip }) => tip));
  expect(forced(true).tips.map(({ tip }) => tip)).toEqual(ranked.slice(1, 2).map(({ tip }) => tip));
  expect(forced(true).retrievals.map(({ isDropped, isRendered }) => [isDropped, isRendered])).toEqual([
    [true, false],
    [false, true],
    [false, false],
  ]);
});

it("a run's draws are in its log, and its results do not depend on the order of the work when tips are frozen", async () => {
  const items = await itemsOf("train", 26);
  const grown = await runHarness(
    await runOptions({ home, url: model.url }, { items, memory: "grow", attempts: 1, concurrency: 1 }),
  );
  const frozen = {
    ...{ items, memory: "frozen" as const, tipDropout: 0.5, attempts: 3 },
    tipRuns: [{ run: grown.run, head: grown.head }],
  };
  const verdictsAt = async (concurrency: number) => {
    const result = await runHarness(await runOptions({ home, url: model.url }, { ...frozen, concurrency }));
    const events = await eventsOf(home, result.run);
    const without = (attempt: string) => attempt.slice(result.run.length);
    return {
      verdicts: new Map(only(events, "verdict").map(({ attempt, verdict }) => [without(attempt), verdict.passed])),
      draws: new Map(only(events, "turn").map(({ attempt, retrievals }) => [without(attempt), retrievals])),
    };
  };
  const one = await verdictsAt(1);
  const many = await verdictsAt(8);
  expect(many).toEqual(one);
  expect([...one.draws.values()].flat().some(({ isDropped }) => isDropped)).toBe(true);
});
