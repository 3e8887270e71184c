import { expect, it } from "vitest";
import { selectRerankerPairs } from "../../src/curate/index.ts";
import { type RerankerPairSettings, rerankerPairs } from "../../src/curate/reranker-pairs.ts";
import { systemClock } from "../../src/foundation/clock.ts";
import { hashText } from "../../src/foundation/hashing.ts";
import { sumOf } from "../../src/foundation/sums.ts";
import { attemptId, itemId, type RunId, type TipId } from "../../src/records/ids.ts";
import type { RefusalTally } from "../../src/records/refusal-tally.ts";
import type { SelectedRow } from "../../src/records/selection.ts";
import type { Home } from "../../src/store/home.ts";
import { openLake } from "../../src/store/lake.ts";
import { appendLedger } from "../../src/store/ledger.ts";
import { withHome } from "../store/sample-run.ts";
import { MISSED, writeDrawnRun, writeRoleRun } from "./role-run.ts";
import { settingsOf } from "./selection-settings.ts";
import { type Taught, writeTaughtRun } from "./taught-run.ts";

type Effective = Taught & { effect: number };

async function pairsOf(...asked: Parameters<typeof chosenOf>) {
  const { pairs, refusals } = await chosenOf(...asked);
  return { pairs, refusals: countsOf(refusals) };
}

async function chosenOf(
  home: Home,
  runs: RunId[],
  { queriesPerPair, ...settings }: Partial<RerankerPairSettings> & { queriesPerPair?: number } = {},
) {
  const lake = await openLake(home);
  try {
    return await rerankerPairs(lake, { skills: ["sql"], runs, seed: 1, ...settings }, queriesPerPair);
  } finally {
    lake.close();
  }
}

const countsOf = (refusals: RefusalTally) =>
  Object.fromEntries(refusals.counts().map(({ reason, count }) => [reason, count]));

/** Tips with their effects, taught in one run, and all retrieved for every item of another. */
async function drawn(
  home: Home,
  tips: readonly Effective[],
  draft: { items?: number; dropProbability?: number; dropTogether?: boolean } = {},
) {
  const taught = await writeTaughtRun(home, tips);
  const effects = taught.tips.map((tip, i) => ({ tip, effect: tips[i]?.effect ?? 0 }));
  const run = await writeDrawnRun(home, effects, { number: 2, items: 400, ...draft });
  return { ...taught, runs: [taught.run, run] };
}

/** Of as many families as a prompt has places: two of one family are never retrieved together. */
const FOUR: Effective[] = [
  { item: "joins/a", text: "It helps.", effect: 0.3 },
  { item: "dates/a", text: "It harms.", effect: -0.3 },
  { item: "sums/a", text: "It does nothing.", effect: 0, isRuled: true },
  { item: "views/a", text: "It does nothing else.", effect: 0 },
];

it("a row is a task, the better and the worse of two tips that were retrieved for it, and where each came from", () =>
  withHome(async (home) => {
    const { runs, tips } = await drawn(home, FOUR);
    const { pairs, refusals } = await pairsOf(home, runs);
    expect(new Set(pairs.map(({ positive, negative }) => `${positive} ${negative}`))).toEqual(
      new Set(["It helps. It harms.", "It helps. It does nothing.", "It helps. It does nothing else."]),
    );
    expect(pairs).toHaveLength(3 * 8); // eight tasks a pair
    expect(refusals).toEqual({ "not-credible": 3, "over-pair-cap": 3 * (400 - 8) });
    for (const { query, item, family } of pairs)
      expect([query, family]).toEqual([`Task ${item.slice(4)}`, item.slice(4, -2)]);
    const pair = pairs.find(({ positive, negative }) => positive === "It helps." && negative === "It does nothing.");
    const attempt = attemptId(runs[1] as RunId, pair?.item ?? itemId("sql", ""), 1);
    expect(pair).toMatchObject({ kind: "reranker-pair", part: "train", skill: "sql", role: "reflector" });
    const shared = { run: runs[1], attempt, turn: `${attempt}#1`, rule: "tip-effect", verifierId: "tip-credit" };
    expect(pair?.chosenFrom).toMatchObject({ ...shared, label: true, tips: [tips[0]], model: "smollm2" });
    expect(pair?.rejectedFrom).toMatchObject({ ...shared, label: false, tips: [tips[2]], model: null }); // a rule's
    expect(pair?.chosenFrom.baseHash).toBe(hashText("smollm2"));
    expect(pair?.chosenFrom.confidence).toBeGreaterThan(0.95);
    expect(pair?.chosenFrom.reward).toBeGreaterThan(pair?.rejectedFrom.reward ?? 1);
    expect(await pairsOf(home, runs)).toEqual({ pairs, refusals });
    expect((await pairsOf(home, runs, { seed: 2 })).pairs).not.toEqual(pairs);
  }));

it("a pair of tips has so many tasks at most, and a task so many pairs, the surest first", () =>
  withHome(async (home) => {
    const { runs } = await drawn(home, FOUR);
    const few = await pairsOf(home, runs, { queriesPerPair: 2 });
    expect([few.pairs.length, few.refusals["over-pair-cap"]]).toEqual([6, 3 * 398]);
    const { pairs, refusals } = await pairsOf(home, runs, { queriesPerPair: 400, maxPerItem: 1 });
    expect(new Set(pairs.map(({ positive, negative }) => positive + negative))).toEqual(
      new Set(["It helps.It harms."]),
    );
    expect([pairs.length, refusals["over-item-cap"]]).toEqual([400, 2 * 400]);
    expect(new Set(pairs.map(({ item }) => item)).size).toBe(400);
  }));

it("tips whose difference is not credible, is only observed or cannot be told apart make no row", async () => {
  await withHome(async (home) => {
    const { runs } = await drawn(
      home,
      FOUR.map((tip) => ({ ...tip, effect: 0 })),
    );
    expect(await pairsOf(home, runs)).toEqual({ pairs: [], refusals: { "not-credible": 6 } });
  });
  await withHome(async (home) => {
    const { runs } = await drawn(home, FOUR, { dropProbability: 0 });
    expect(await pairsOf(home, runs)).toEqual({ pairs: [], refusals: { observational: 4 } });
  });
  await withHome(async (home) => {
    const { runs } = await drawn(home, FOUR, { dropTogether: true });
    expect(await pairsOf(home, runs)).toEqual({ pairs: [], refusals: { "drawn-alike": 4 } });
  });
});

it.each([
  [0.5, false],
  [0.1, false],
  [0.09, true],
])("tips that another run dropped with %s instead of 0.5 make no row: %s", (dropProbability, isRefused) =>
  withHome(async (home) => {
    const { runs, tips } = await drawn(home, FOUR);
    const effects = tips.map((tip, i) => ({ tip, effect: FOUR[i]?.effect ?? 0 }));
    const again = await writeDrawnRun(home, effects, { number: 3, items: 200, dropProbability });
    const { pairs, refusals } = await pairsOf(home, [...runs, again]);
    expect([pairs.length > 0, refusals["drawn-unlike"] ?? 0]).toEqual(isRefused ? [false, 4] : [true, 0]);
  }),
);

it("only tasks for which both were retrieved and drawn count, whether or not they were shown", () =>
  withHome(async (home) => {
    const taught = await writeTaughtRun(home, FOUR);
    const effects = taught.tips.map((tip, i) => ({ tip, effect: FOUR[i]?.effect ?? 0 }));
    const apart = [];
    for (const [i, one] of effects.entries())
      apart.push(await writeDrawnRun(home, [one], { number: 2 + i, items: 300 }));
    expect(await pairsOf(home, [taught.run, ...apart])).toEqual({ pairs: [], refusals: {} });
    const [helps, harms] = taught.tips as [TipId, TipId];
    const retrieved = (tip: TipId, rank: number, isDropped: boolean, hasRoom = true) => ({
      ...{ tip, rank, score: 1, dropProbability: hasRoom ? 0.5 : 0 },
      ...{ isDropped, isRendered: hasRoom && !isDropped },
    });
    const late = await writeRoleRun(home, { number: 9, items: ["both/a", "both/b", "room/a", "apart/a"] }, (writer) => {
      const asked: [string, ReturnType<typeof retrieved>[]][] = [
        ["both/a", [retrieved(helps, 1, false), retrieved(harms, 2, true)]],
        ["both/b", [retrieved(helps, 1, true), retrieved(harms, 2, true)]],
        ["room/a", [retrieved(helps, 1, false), retrieved(harms, 2, false, false)]],
        ["apart/a", [retrieved(helps, 1, false)]],
      ];
      for (const [item, retrievals] of asked) {
        writer.turn("worker", item, 1, { retrievals });
        writer.verdict(item, 1, MISSED);
      }
    });
    const { pairs } = await pairsOf(home, [taught.run, ...apart, late]);
    expect(pairs.map(({ query, positive, negative }) => [query, positive, negative]).sort()).toEqual([
      ["Task both/a", "It helps.", "It harms."],
      ["Task both/b", "It helps.", "It harms."],
    ]);
  }));

it("a retired tip is never the better one, the same words make no pair, and the same row is there once", () =>
  withHome(async (home) => {
    const { runs, tips } = await drawn(home, [
      { item: "joins/a", text: "It helps.", effect: 0.2 },
      { item: "dates/a", text: "It helps, too, but is wrong.", effect: 0.2 },
      { item: "sums/a", text: "It harms.", effect: -0.3 },
      { item: "views/a", text: "It  harms.", effect: -0.3 },
    ]);
    const retired = { tip: tips[1] as TipId, skill: "sql", run: runs[0] as RunId, reason: "it is wrong" };
    appendLedger(
      home,
      { type: "tip_retired", data: { ...retired, rule: "hand", mergedInto: null, evidence: null } },
      systemClock,
    );
    const { pairs, duplicates, refusals } = await chosenOf(home, runs, { queriesPerPair: 400 });
    expect(new Set(pairs.map(({ positive }) => positive))).toEqual(new Set(["It helps."]));
    expect(pairs).toHaveLength(400);
    const counts = { "same-answer": 1, "not-credible": 1, "retired-tip": 2, "exact-duplicate": 400 };
    expect(countsOf(refusals)).toEqual(counts);
    const turns = new Set<string>(pairs.map(({ chosenFrom }) => chosenFrom.turn));
    expect([duplicates.length, duplicates.every(({ kept }) => turns.has(kept))]).toEqual([400, true]);
  }));

it("what was learnt on held-out items or in a run that is not given makes no row", () =>
  withHome(async (home) => {
    const taught = await writeTaughtRun(home, FOUR, { split: "validation" });
    const effects = taught.tips.map((tip, i) => ({ tip, effect: FOUR[i]?.effect ?? 0 }));
    const run = await writeDrawnRun(home, effects, { number: 2, items: 200 });
    expect(await pairsOf(home, [taught.run, run])).toEqual({ pairs: [], refusals: { "not-train": 4 } });
    expect(await pairsOf(home, [run])).toEqual({ pairs: [], refusals: {} });
    expect(await pairsOf(home, [])).toEqual({ pairs: [], refusals: {} });
  }));

it("a selection leaves out what was revoked and what a comparison judges by, and holds nothing but pairs of tips", () =>
  withHome(async (home) => {
    const { runs, tips } = await drawn(home, FOUR, { items: 300 });
    const at = attemptId(runs[1] as RunId, itemId("sql", "drawn-0/a"), 1);
    for (const [kind, target] of [
      ["tip", tips[1]],
      ["attempt", at],
    ] as const)
      appendLedger(home, { type: "revoked", data: { kind, target: target as string, reason: "wrong" } }, systemClock);
    const item = itemId("sql", "drawn-1/a");
    const part = { comparisonHash: hashText("plan"), skill: "sql", split: "test" as const };
    const lake = await openLake(home);
    try {
      const settings = settingsOf(runs, { heldOut: [{ ...part, families: ["drawn-1"], items: [item] }] });
      const selection = await selectRerankerPairs(lake, settings);
      const rows: SelectedRow[] = [];
      for await (const row of selection.rows()) rows.push(row);
      expect(selection.chosen).toEqual({ train: rows.length, validation: 0 });
      expect(new Set(rows.map(({ kind }) => kind))).toEqual(new Set(["reranker-pair"]));
      expect(rows.flatMap((row) => (row.kind === "reranker-pair" ? [row.positive, row.negative] : []))).not.toContain(
        "It harms.",
      );
      expect(rows.map((row) => row.item)).not.toContain(itemId("sql", "drawn-0/a"));
      expect(rows.map((row) => row.item)).not.toContain(item);
      const { refusals } = selection;
      const counted = Object.fromEntries(refusals.counts().map(({ reason, count }) => [reason, count]));
      expect(counted.revoked).toBeGreaterThan(0);
      expect(selection.examples).toBe(rows.length + sumOf(Object.values(counted)));
    } finally {
      lake.close();
    }
  }));

it("a selection has no tip of a hosted model, unless the model is allowed", () =>
  withHome(async (home) => {
    const harmful = { ...(FOUR[1] as Effective), hostedModel: "claude-opus-4-1" };
    const { runs } = await drawn(home, FOUR.with(1, harmful));
    const lake = await openLake(home);
    try {
      const { chosen, refusals } = await selectRerankerPairs(lake, settingsOf(runs));
      const allowed = await selectRerankerPairs(lake, settingsOf(runs, { allowTeachers: ["claude-opus-4-1"] }));
      const refused = refusals.counts().find(({ reason }) => reason === "hosted-model")?.count ?? 0;
      expect(refused).toBeGreaterThan(0);
      expect(allowed.chosen.train).toBe(chosen.train + refused);
    } finally {
      lake.close();
    }
  }));

it("a selection has what is retired or revoked where the gate is off, and names no gate that there is not", () =>
  withHome(async (home) => {
    const { runs, tips } = await drawn(home, FOUR, { items: 200 });
    const [helps, harms] = tips as [TipId, TipId];
    const retired = { tip: helps, skill: "sql", run: runs[0] as RunId, reason: "it is wrong" };
    appendLedger(
      home,
      { type: "tip_retired", data: { ...retired, rule: "hand", mergedInto: null, evidence: null } },
      systemClock,
    );
    appendLedger(home, { type: "revoked", data: { kind: "tip", target: harms, reason: "it is bad" } }, systemClock);
    const lake = await openLake(home);
    try {
      const reasonsOf = async (...gatesOff: string[]) =>
        (await selectRerankerPairs(lake, settingsOf(runs, { gatesOff }))).refusals.counts().map(({ reason }) => reason);
      expect(await reasonsOf()).toContain("retired-tip");
      const included = await reasonsOf("retired-tip");
      expect(included).not.toContain("retired-tip");
      expect(included).toContain("revoked");
      expect(await reasonsOf("retired-tip", "revoked")).not.toContain("revoked");
      await expect(reasonsOf("hosted-modell")).rejects.toMatchObject({ code: "UNKNOWN_GATE" });
      await expect(reasonsOf("not-train")).rejects.toMatchObject({ code: "GATE_IS_FIXED" });
    } finally {
      lake.close();
    }
  }));
