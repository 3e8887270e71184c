import { expect, it } from "vitest";
import { type CreditedTip, drawnAlike, ownEffect, readCredits } from "../../src/curate/credit.ts";
import type { RunId, TipId } from "../../src/records/ids.ts";
import type { Home } from "../../src/store/home.ts";
import { openLake } from "../../src/store/lake.ts";
import type { RecordedDraw } from "../../src/store/tip-draws.ts";
import { withHome } from "../store/sample-run.ts";
import { type DrawnRunDraft, lessons, MISSED, writeDrawnRun, writeRoleRun } from "./role-run.ts";
import { writeTaughtRun } from "./taught-run.ts";

async function credits(home: Home, runs: RunId[]): Promise<Map<TipId, CreditedTip>> {
  const lake = await openLake(home);
  try {
    return new Map((await readCredits(lake, { skills: ["sql"], runs })).map((tip) => [tip.tip, tip]));
  } finally {
    lake.close();
  }
}

/** Two tips in every prompt, of which only the first does anything. */
async function together(home: Home, draft: Partial<DrawnRunDraft>) {
  const { run, tips } = await writeTaughtRun(home, [
    { item: "joins/a", text: "It helps." },
    { item: "joins/b", text: "It does nothing." },
  ]);
  const [helps, idle] = tips as [TipId, TipId];
  const effects = [
    { tip: helps, effect: 0.4 },
    { tip: idle, effect: 0 },
  ];
  const drawn = await writeDrawnRun(home, effects, { number: 2, items: 200, ...draft });
  const read = await credits(home, [run, drawn]);
  return [read.get(helps) as CreditedTip, read.get(idle) as CreditedTip] as const;
}

it("of two tips that are in every prompt together only the one is credited whose draw changes the outcome", () =>
  withHome(async (home) => {
    const [helps, idle] = await together(home, {});
    // Their outcomes are the same ones: shared out, both would look like tips that help.
    expect(Math.abs((helps.credit.meanShown ?? 0) - (idle.credit.meanShown ?? 1))).toBeLessThan(0.3);
    expect(idle.credit.meanShown).toBeGreaterThan(0.6);
    expect(ownEffect(helps)?.interval.low).toBeGreaterThan(0.2);
    expect(ownEffect(idle)?.interval.low).toBeLessThan(0);
    expect(ownEffect(idle)?.interval.high).toBeGreaterThan(0);
  }));

it("of two tips that are always shown neither has an effect, however their attempts ended", () =>
  withHome(async (home) => {
    const both = await together(home, { dropProbability: 0 });
    expect(both.map(({ credit }) => credit.effect.kind)).toEqual(["observational", "observational"]);
    expect(both.map(ownEffect)).toEqual([null, null]);
  }));

it("of two tips that one coin shows or drops neither has an effect of its own, though each has a contrast", () =>
  withHome(async (home) => {
    const [helps, idle] = await together(home, { dropTogether: true });
    expect(idle.credit.effect.interval?.low).toBeGreaterThan(0.2);
    expect([helps, idle].map(ownEffect)).toEqual([null, null]);
    expect(helps.drawnAlike).toEqual([idle.tip]);
    expect(idle.drawnAlike).toEqual([helps.tip]);
  }));

it("tips that were shown alike by chance, a few times, are not taken for one", () => {
  const draws = (shown: readonly boolean[]) =>
    shown.map(
      (isShown, i): RecordedDraw => ({
        ...{ run: "r" as RunId, attempt: `a${i}` as never, item: `i${i}`, attemptNumber: 1 },
        ...{ isShown, dropProbability: 0.5, outcome: 1 },
      }),
    );
  const coins = [true, false, true, false, true, false, true, false, true, false];
  const tips = (own: readonly boolean[], other: readonly boolean[]) => [
    { tip: "tip-1" as TipId, draws: draws(own) },
    { tip: "tip-2" as TipId, draws: draws(other) },
  ];
  expect(drawnAlike(tips(coins, coins)).get("tip-1" as TipId)).toEqual(["tip-2"]);
  expect(drawnAlike(tips(coins.slice(1), coins.slice(1))).size).toBe(0);
  expect(drawnAlike(tips(coins, coins.with(9, true))).size).toBe(0);
  expect(
    drawnAlike(
      tips(
        coins,
        coins.map((coin) => !coin),
      ),
    ).size,
  ).toBe(0);
});

it("an effect is shrunken towards its family's, and a tip leads back to the answer that wrote it", () =>
  withHome(async (home) => {
    const taught = [..."abcd"].map((name) => ({ item: `joins/${name}`, text: `Tip ${name}.` }));
    const { run, tips, turns } = await writeTaughtRun(home, [...taught, { item: "dates/a", text: "Another." }]);
    const effects = tips.map((tip, i) => ({ tip, effect: i === 0 ? 0.3 : 0 }));
    const drawn = await writeDrawnRun(home, effects, { number: 2, items: 200 });
    const read = await credits(home, [run, drawn]);
    const [first, , , , last] = tips.map((tip) => read.get(tip));
    expect(first?.credit.shrunken).toMatchObject({ among: 4, group: "family" });
    expect(last?.credit.shrunken).toMatchObject({ among: 5, group: "skill" });
    const [own, shrunken] = [first?.credit.effect.estimate ?? 0, first?.credit.shrunken?.estimate ?? 0];
    expect(shrunken).toBeLessThan(own);
    expect(shrunken).toBeGreaterThan(0.1);
    expect(first?.source).toMatchObject({ run, turn: turns[0], failureMode: "wrong-rows", split: "train" });
  }));

it("a tip of an attempt that was made again is of the last answer before it", () =>
  withHome(async (home) => {
    const turns: string[] = [];
    const run = await writeRoleRun(home, { items: ["joins/a"] }, (writer) => {
      for (const text of ["Lost.", "Kept.", "Later."]) {
        turns.push(writer.turn("reflector", "joins/a", 1, { answer: lessons(text) }));
        if (text === "Kept.") writer.tip("joins/a", 1, text);
      }
      writer.verdict("joins/a", 1, MISSED);
    });
    expect([...(await credits(home, [run])).values()].map(({ source }) => source.turn)).toEqual([turns[1]]);
  }));
