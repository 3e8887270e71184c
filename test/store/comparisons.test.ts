import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { systemClock as clock } from "../../src/foundation/clock.ts";
import { writeJsonAtomic } from "../../src/foundation/files.ts";
import { type Hash, hashText } from "../../src/foundation/hashing.ts";
import { type Decision, decisionSchema } from "../../src/records/comparison.ts";
import {
  listDecisions,
  listHeldParts,
  listMadeDecisions,
  readMadeDecision,
  refusedBeforehand,
  writeDecision,
} from "../../src/store/comparisons.ts";
import type { Home } from "../../src/store/home.ts";
import { appendLedger } from "../../src/store/ledger.ts";
import { withHome } from "./sample-run.ts";

const adapterHash = hashText("adapter");

function sampleDecision(number: number, hasPassed = true): Decision {
  return decisionSchema.parse({
    ...{ comparisonHash: hashText(`comparison ${number}`), adapterHash, alpha: 0.05, verdict: "better", hasPassed },
    ...{ axes: [], reasons: [], arms: [], pairs: [], dropped: [], sides: [] },
    decidedAt: `2026-11-02T12:00:0${number}.000Z`,
  });
}

const pathOf = (home: Home, comparisonHash: Hash) => join(home.comparisonFolder(comparisonHash), "decision.json");

test("a decision that is written is read again, and listed in the order of the ledger", () =>
  withHome(async (home) => {
    const [later, earlier] = [sampleDecision(2), sampleDecision(1)];
    await writeDecision(home, later, clock);
    await writeDecision(home, earlier, clock);
    expect(await readMadeDecision(home, later.comparisonHash)).toEqual(later);
    expect(await listMadeDecisions(home, adapterHash)).toEqual([later, earlier]);
  }));

test("a file that the ledger does not name is no decision", () =>
  withHome(async (home) => {
    const decision = sampleDecision(1);
    await writeJsonAtomic(pathOf(home, decision.comparisonHash), decision);
    expect(await readMadeDecision(home, decision.comparisonHash)).toBeNull();
    expect(await listMadeDecisions(home, adapterHash)).toEqual([]);
  }));

test("a decision that was edited or taken away is refused", () =>
  withHome(async (home) => {
    const decision = sampleDecision(1);
    const path = pathOf(home, decision.comparisonHash);
    await writeDecision(home, decision, clock);
    await writeFile(path, (await readFile(path, "utf8")).replace("0.05", "0.06"));
    const refusal = { code: "DECISION_CHANGED", details: { where: path } };
    await expect(readMadeDecision(home, decision.comparisonHash)).rejects.toMatchObject(refusal);
    await rm(path);
    await expect(listMadeDecisions(home, adapterHash)).rejects.toMatchObject(refusal);
  }));

test("of all decisions those that were changed or taken away are listed apart, and files that were laid there not at all", () =>
  withHome(async (home) => {
    const [kept, edited, gone, laid] = [3, 1, 2, 4].map((number) => sampleDecision(number)) as [
      Decision,
      Decision,
      Decision,
      Decision,
    ];
    for (const decision of [kept, edited, gone]) await writeDecision(home, decision, clock);
    await writeJsonAtomic(pathOf(home, edited.comparisonHash), { ...edited, hasPassed: false });
    await rm(pathOf(home, gone.comparisonHash));
    await writeJsonAtomic(pathOf(home, laid.comparisonHash), laid);
    const changed = [edited, gone].map(({ comparisonHash }) => ({ comparisonHash, adapterHash }));
    expect(await listDecisions(home)).toEqual({ decisions: [kept], changed });
  }));

test("an entry from before there was a hash holds its decision to adapter, verdict and outcome", () =>
  withHome(async (home) => {
    const decision = sampleDecision(1, false);
    const { comparisonHash, verdict } = decision;
    const data = { comparisonHash, adapterHash, verdict, hasPassed: false };
    await writeJsonAtomic(pathOf(home, comparisonHash), decision);
    appendLedger(home, { type: "decision_made", data }, clock);
    expect(await readMadeDecision(home, comparisonHash)).toEqual(decision);
    await writeJsonAtomic(pathOf(home, comparisonHash), { ...decision, hasPassed: true });
    await expect(readMadeDecision(home, comparisonHash)).rejects.toMatchObject({
      code: "DECISION_CHANGED",
      details: { expected: "hasPassed false", got: "hasPassed true" },
    });
  }));

test("only a decision that still is what was said proves that a comparison was refused before any arm was run", () =>
  withHome(async (home) => {
    const [one, other] = [sampleDecision(1, false), sampleDecision(2, false)];
    await writeDecision(home, one, clock);
    await writeDecision(home, other, clock);
    await writeJsonAtomic(pathOf(home, other.comparisonHash), { ...other, reasons: ["edited"] });
    expect(await refusedBeforehand(home)).toEqual(new Set([one.comparisonHash]));
  }));

test("what a comparison holds out is known from the ledger where its folder is gone, and nothing of training items is", () =>
  withHome(async (home) => {
    const comparisonHash = hashText("gone");
    const judged = (["train", "test"] as const).map((split) => ({ skill: "sql", split, families: [`of ${split}`] }));
    appendLedger(home, { type: "comparison_planned", data: { comparisonHash, judged } }, clock);
    const held = { comparisonHash, skill: "sql", split: "test", families: ["of test"], items: [] };
    expect(await listHeldParts(home)).toEqual([held]);
    await writeDecision(home, { ...sampleDecision(1, false), comparisonHash }, clock);
    expect(await listHeldParts(home)).toEqual([]); // refused before any arm was run
  }));
