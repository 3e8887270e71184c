import { expect, test } from "vitest";
import { parseFilter, type SelectionSettings, selectTipPairs } from "../../src/curate/index.ts";
import { systemClock } from "../../src/foundation/clock.ts";
import { hashText, shortHash } from "../../src/foundation/hashing.ts";
import { sumOf } from "../../src/foundation/sums.ts";
import { itemId } from "../../src/records/ids.ts";
import type { SelectedRow } from "../../src/records/selection.ts";
import type { Home } from "../../src/store/home.ts";
import { openLake } from "../../src/store/lake.ts";
import { appendLedger } from "../../src/store/ledger.ts";
import { openTexts } from "../../src/store/recorded-texts.ts";
import { withHome } from "../store/sample-run.ts";
import { writeDrawnRun } from "./role-run.ts";
import { settingsOf } from "./selection-settings.ts";
import { type Taught, writeTaughtRun } from "./taught-run.ts";

type DrawnTip = Taught & { effect: number };

const HARMFUL: DrawnTip = { item: "joins/b", text: "It harms.", effect: -0.3 };
const TIPS: DrawnTip[] = [
  { item: "joins/a", text: "It helps.", effect: 0.3 },
  HARMFUL,
  { item: "joins/c", text: "It does nothing.", effect: 0, failureMode: "syntax" },
  { item: "joins/d", text: "It does nothing else.", effect: 0, failureMode: "timeout" },
];

/** A home in which the first tip is credibly better than the second, as it was taught and drawn. */
const withTips = (use: (home: Home, written: Awaited<ReturnType<typeof writeTips>>) => Promise<void>, tips = TIPS) =>
  withHome(async (home) => use(home, await writeTips(home, tips)));

async function writeTips(home: Home, tips: readonly DrawnTip[]) {
  const taught = await writeTaughtRun(home, tips);
  const effects = taught.tips.map((tip, i) => ({ tip, effect: tips[i]?.effect ?? 0 }));
  const run = await writeDrawnRun(home, effects, { number: 2, items: 400, dropProbability: 0.5, seed: 1 });
  return { ...taught, runs: [taught.run, run] };
}

async function selected(home: Home, settings: SelectionSettings) {
  const lake = await openLake(home);
  const texts = openTexts(home);
  try {
    const selection = await selectTipPairs({ lake, texts }, settings);
    const rows: SelectedRow[] = [];
    for await (const row of selection.rows()) rows.push(row);
    return { rows, refusals: selection.refusals.counts(), examples: selection.examples, clauses: selection.clauses };
  } finally {
    texts.close();
    lake.close();
  }
}

const pairSettings = (runs: Parameters<typeof settingsOf>[0], changed: Partial<SelectionSettings> = {}) =>
  settingsOf(runs, { tier: "preference-pairs", ...changed });

test("a pair's answers pass the filter, but for what it asks of outcomes", () =>
  withTips(async (home, { runs }) => {
    const passed = pairSettings(runs, { filter: parseFilter("eval_passed=true and family=joins") });
    expect((await selected(home, passed)).rows).toHaveLength(1);
    const filter = parseFilter("family=joins and eval_passed=true and family=dates");
    const { rows, refusals, clauses } = await selected(home, pairSettings(runs, { filter }));
    expect(rows).toEqual([]);
    expect(refusals).toMatchObject([{ reason: "filter", count: TIPS.length }]);
    expect(clauses).toMatchObject([
      { clause: "family='joins'", count: 0 },
      { clause: "family='dates'", count: TIPS.length, examples: refusals[0]?.examples },
    ]);
  }));

test("a pair has no answer of a hosted model, as the worse one neither, unless it is allowed", () =>
  withTips(
    async (home, { runs, turns }) => {
      const { rows, refusals } = await selected(home, pairSettings(runs));
      expect(rows).toEqual([]);
      expect(refusals).toContainEqual({ reason: "hosted-model", count: 1, examples: [turns[1]] });
      const allowed = await selected(home, pairSettings(runs, { allowTeachers: ["claude-opus-4-1"] }));
      expect(allowed.rows).toHaveLength(1);
    },
    TIPS.with(1, { ...HARMFUL, hostedModel: "claude-opus-4-1" }),
  ));

test("a pair has no answer that wrote a revoked tip, as the worse one neither", () =>
  withTips(async (home, { runs, tips, turns }) => {
    const revoked = { kind: "tip" as const, target: tips[1] ?? "", reason: "it was copied" };
    appendLedger(home, { type: "revoked", data: revoked }, systemClock);
    const { rows, refusals } = await selected(home, pairSettings(runs));
    expect(rows).toEqual([]);
    expect(refusals.find(({ reason }) => reason === "revoked")).toMatchObject({ count: 1, examples: [turns[1]] });
  }));

test("no pair is left where what says which tip is worth more is revoked, unless that gate is off", () =>
  withTips(async (home, { runs }) => {
    const revoked = { kind: "verifier" as const, target: "tip-credit@1", reason: "its contrasts were wrong" };
    appendLedger(home, { type: "revoked", data: revoked }, systemClock);
    const { rows, refusals } = await selected(home, pairSettings(runs));
    expect(rows).toEqual([]);
    expect(refusals).toMatchObject([{ reason: "revoked", count: TIPS.length }]);
    expect((await selected(home, pairSettings(runs, { gatesOff: ["revoked"] }))).rows).toHaveLength(1);
  }));

test("a pair has no answer about a held-out item, on either side, and the comparison is named", () =>
  withTips(async (home, { runs, turns }) => {
    const comparisonHash = hashText("a comparison");
    const held = { skill: "sql", families: ["elsewhere"], items: [itemId("sql", "joins/b")] };
    const { rows, refusals } = await selected(
      home,
      pairSettings(runs, { heldOut: [{ comparisonHash, split: "test", ...held }] }),
    );
    expect(rows).toEqual([]);
    const refused = refusals.find(({ reason }) => reason === "held-out-text");
    expect(refused?.examples).toContain(`${turns[1]} (nearly sql:joins/b of comparison ${shortHash(comparisonHash)})`);
  }));

test("examples are answers that were refused, and pairs", () =>
  withTips(async (home, { runs }) => {
    const { rows, refusals, examples } = await selected(home, pairSettings(runs));
    expect(rows).toHaveLength(1);
    expect(examples).toBe(rows.length + sumOf(refusals, ({ count }) => count));
  }));
