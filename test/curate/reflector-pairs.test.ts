import { expect, it } from "vitest";
import { type ReflectorPairSettings, reflectorPairs } from "../../src/curate/reflector-pairs.ts";
import { systemClock } from "../../src/foundation/clock.ts";
import type { RunId, TipId } from "../../src/records/ids.ts";
import type { Home } from "../../src/store/home.ts";
import { openLake } from "../../src/store/lake.ts";
import { appendLedger } from "../../src/store/ledger.ts";
import { openTexts } from "../../src/store/recorded-texts.ts";
import { withHome } from "../store/sample-run.ts";
import { lessons, writeDrawnRun } from "./role-run.ts";
import { type Taught, writeTaughtRun } from "./taught-run.ts";

async function pairsOf(home: Home, runs: RunId[], settings: Partial<ReflectorPairSettings> = {}) {
  const { pairs, refusals } = await chosenOf(home, runs, settings);
  return { pairs, refusals: Object.fromEntries(refusals.counts().map(({ reason, count }) => [reason, count])) };
}

async function chosenOf(home: Home, runs: RunId[], settings: Partial<ReflectorPairSettings> = {}) {
  const lake = await openLake(home);
  const texts = openTexts(home);
  try {
    return await reflectorPairs({ lake, texts }, { skills: ["sql"], runs, seed: 1, ...settings });
  } finally {
    texts.close();
    lake.close();
  }
}

/** Tips with their effects, taught in one run and drawn in another. */
async function drawn(
  home: Home,
  tips: readonly (Taught & { effect: number })[],
  { items = 500, dropProbability = 0.5, seed = 1 } = {},
) {
  const taught = await writeTaughtRun(home, tips);
  const effects = taught.tips.map((tip, i) => ({ tip, effect: tips[i]?.effect ?? 0 }));
  const run = await writeDrawnRun(home, effects, { number: 2, items, dropProbability, seed });
  return { ...taught, runs: [taught.run, run] };
}

const FIVE = [
  { item: "joins/a", text: "It helps.", effect: 0.25 },
  { item: "joins/b", text: "It harms.", effect: -0.25 },
  { item: "joins/c", text: "It does nothing.", effect: 0, failureMode: "syntax" },
  { item: "joins/b", text: "It does nothing else.", effect: 0, failureMode: "timeout" },
  { item: "dates/a", text: "Another family's.", effect: 0 },
];

it("a pair is two answers to comparable failures of a family, the one credibly worth more, each with where it came from", () =>
  withHome(async (home) => {
    const { runs, turns } = await drawn(home, FIVE);
    const { pairs, refusals } = await pairsOf(home, runs);
    const named = pairs.map(({ chosenFrom, rejectedFrom }) => [chosenFrom.turn, rejectedFrom.turn]);
    // Of the family's six pairs two fail alike: at the same item, or in the same way.
    expect(named.toSorted()).toEqual(
      [
        [turns[0], turns[1]],
        [turns[3], turns[1]],
      ].toSorted(),
    );
    expect(refusals).toEqual({});
    const pair = pairs.find(({ chosenFrom }) => chosenFrom.turn === turns[0]);
    expect(pair).toMatchObject({
      ...{
        kind: "reflector-pair",
        part: "train",
        skill: "sql",
        role: "reflector",
        family: "joins",
        item: "sql:joins/a",
      },
      prompt: [{ role: "user", content: "reflector of /sql:joins/a/1" }],
      chosen: { role: "assistant", content: lessons("It helps.") },
      rejected: { role: "assistant", content: lessons("It harms.") },
      chosenFrom: { run: runs[0], label: true, verifierId: "tip-credit", verifierVersion: "1" },
      rejectedFrom: { run: runs[0], label: false, rule: "tip-effect", model: "smollm2" },
    });
    expect(pair?.chosenFrom.tips).toHaveLength(1);
    expect(pair?.chosenFrom.confidence).toBeGreaterThan(0.95);
    expect(pair?.chosenFrom.reward).toBeGreaterThan(0.55);
    expect(pair?.rejectedFrom.reward).toBeLessThan(0.45);
    expect(await pairsOf(home, runs)).toEqual({ pairs, refusals });
  }));

it("a difference that is not credible makes no pair, and effects that are only observed none at all", async () => {
  await withHome(async (home) => {
    const { runs } = await drawn(
      home,
      FIVE.map((tip) => ({ ...tip, effect: 0 })),
    );
    expect(await pairsOf(home, runs)).toEqual({ pairs: [], refusals: { "not-credible": 2 } });
  });
  await withHome(async (home) => {
    const { runs } = await drawn(home, FIVE, { dropProbability: 0 });
    expect(await pairsOf(home, runs)).toEqual({ pairs: [], refusals: { observational: 5 } });
  });
});

it("an answer that cannot stand for its tip is refused with the reason, and never rewritten", () =>
  withHome(async (home) => {
    const same = { item: "joins/a", effect: 0 };
    const { runs } = await drawn(
      home,
      [
        { ...same, text: "It helps.", effect: 0.3 },
        { ...same, text: "It harms.", effect: -0.3 },
        { ...same, text: "One of two.", answer: lessons("One of two.", "Two of two.") },
        { ...same, text: "Cut.", finishReason: "length" },
        { ...same, text: "Not what was saved.", answer: lessons("Something else.") },
        { ...same, text: "A rule's.", isRuled: true },
        { ...same, text: "After a pass.", failureMode: null },
      ],
      { items: 400 },
    );
    const { pairs, refusals } = await pairsOf(home, runs);
    expect(pairs).toHaveLength(1);
    expect(refusals).toEqual({
      "several-tips-in-one-answer": 1,
      truncated: 1,
      incomplete: 1,
      "no-answer": 1,
      "not-a-failure": 1,
    });
  }));

it("a retired tip is never the better one, a tip is in so many pairs at most, and the same words make no pair", () =>
  withHome(async (home) => {
    const item = "joins/a";
    const { runs, tips, turns } = await drawn(home, [
      { item, text: "It helps.", effect: 0.3 },
      { item, text: "It helps, too, but is wrong.", effect: 0.3 },
      { item, text: "It harms.", effect: -0.3 },
      { item: "joins/b", text: "It  harms.", effect: -0.3 },
      { item: "joins/b", text: "It harms as well.", effect: -0.3 },
    ]);
    const retired = { tip: tips[1] as TipId, skill: "sql", run: runs[0] as RunId, reason: "it is wrong" };
    appendLedger(
      home,
      { type: "tip_retired", data: { ...retired, rule: "hand", mergedInto: null, evidence: null } },
      systemClock,
    );
    const all = await pairsOf(home, runs);
    expect(all.pairs.map(({ chosenFrom }) => chosenFrom.turn)).toEqual([turns[0], turns[0]]);
    expect(all.refusals).toEqual({ "retired-tip": 3, "not-credible": 3, "same-answer": 1, "exact-duplicate": 1 });
    const one = await pairsOf(home, runs, { perTip: 1 });
    expect(one.pairs).toHaveLength(1);
    expect(one.refusals).toEqual({ ...all.refusals, "over-tip-cap": 1 });
  }));

it("two runs that ask and answer alike give one row, whatever their tips are called", () =>
  withHome(async (home) => {
    const both = [
      { item: "joins/a", text: "It helps.", effect: 0.3 },
      { item: "joins/b", text: "It harms.", effect: -0.3 },
    ];
    const taught = [await writeTaughtRun(home, both), await writeTaughtRun(home, both, { number: 3 })];
    const effects = taught.flatMap(({ tips }) => tips.map((tip, i) => ({ tip, effect: both[i]?.effect ?? 0 })));
    const drawing = await writeDrawnRun(home, effects, { number: 2, items: 300 });
    const runs = [...taught.map(({ run }) => run), drawing];
    const { pairs, refusals } = await pairsOf(home, runs);
    expect(pairs).toHaveLength(1);
    expect(refusals).toEqual({ "same-answer": 2, "exact-duplicate": 3 });
    const kept = pairs[0]?.chosenFrom.turn;
    const { duplicates } = await chosenOf(home, runs);
    expect(duplicates).toHaveLength(3);
    for (const copy of duplicates) expect(copy).toMatchObject({ kept, reason: "exact-duplicate" });
  }));

it("an item has so many rows at most, the surest first", () =>
  withHome(async (home) => {
    const harm = { effect: -0.3, item: "joins/b" };
    const { runs } = await drawn(home, [
      { item: "joins/a", text: "It helps.", effect: 0.3 },
      { ...harm, text: "It harms." },
      { ...harm, text: "It harms, too." },
      { ...harm, text: "It harms as well." },
    ]);
    const { pairs, refusals } = await pairsOf(home, runs, { perTip: 9 });
    expect(pairs.map(({ item }) => item)).toEqual(["sql:joins/a", "sql:joins/a"]);
    expect(refusals["over-item-cap"]).toBe(1);
    const more = await pairsOf(home, runs, { perTip: 9, maxPerItem: 3 });
    expect(more.pairs).toHaveLength(3);
    const one = await pairsOf(home, runs, { perTip: 9, maxPerItem: 1 });
    const surest = Math.max(...more.pairs.map(({ chosenFrom }) => chosenFrom.confidence));
    expect(one.pairs.map(({ chosenFrom }) => chosenFrom.confidence)).toEqual([surest]);
  }));

it("held-out families make no pair, and a run that is not given neither", () =>
  withHome(async (home) => {
    const taught = await writeTaughtRun(home, FIVE, { split: "validation" });
    const effects = taught.tips.map((tip, i) => ({ tip, effect: FIVE[i]?.effect ?? 0 }));
    const run = await writeDrawnRun(home, effects, { number: 2, items: 300 });
    expect(await pairsOf(home, [taught.run, run])).toEqual({ pairs: [], refusals: { "not-train": 5 } });
    expect(await pairsOf(home, [run])).toEqual({ pairs: [], refusals: {} });
    expect(await pairsOf(home, [])).toEqual({ pairs: [], refusals: {} });
  }));
