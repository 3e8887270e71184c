import { expect, it } from "vitest";
import { loadRoleRule } from "../../../src/curate/index.ts";
import { systemClock } from "../../../src/foundation/clock.ts";
import { attemptId, itemId, type RunId } from "../../../src/records/ids.ts";
import type { Verdict } from "../../../src/records/verdict.ts";
import type { Home } from "../../../src/store/home.ts";
import { openLake } from "../../../src/store/lake.ts";
import { appendLedger } from "../../../src/store/ledger.ts";
import { withHome } from "../../store/sample-run.ts";
import { labelsOf, told } from "../labels.ts";
import { MISSED, type RoleWriter, recheck, writeRoleRun } from "../role-run.ts";
import { select } from "../select-from.ts";

/** An auditor's turn and what it said, before the verdict as the harness writes them. */
function audited(writer: RoleWriter, item: string, isRight: boolean, own: Partial<Verdict> = {}): string {
  writer.turn("worker", item, 1);
  const turn = writer.turn("auditor", item, 1);
  writer.verdict(item, 1, {
    ...{ passed: isRight, value: Number(isRight), confidence: 0.8, signalType: "judgment" },
    ...{ verifier: { id: "auditor", version: "m" }, before: null, evidence: { turn, why: null }, flags: [] },
  });
  writer.verdict(item, 1, own);
  return turn;
}

const labelled = async (home: Home, cases: Record<string, Partial<Verdict>>, says: (name: string) => boolean) => {
  const turns = new Map<string, string>();
  const items = Object.keys(cases).map((name) => `${name}/a`);
  const run = await writeRoleRun(home, { items }, (writer) => {
    for (const [name, own] of Object.entries(cases)) turns.set(name, audited(writer, `${name}/a`, says(name), own));
  });
  return {
    run,
    labels: async () => {
      const labels = await labelsOf(home, "auditor", [run]);
      return Object.fromEntries([...turns].map(([name, turn]) => [name, told(labels.get(turn))]));
    },
  };
};

const at = (run: RunId, name: string) => attemptId(run, itemId("sql", `${name}/a`), 1);

it("an opinion is judged by what is known of the pass, and says little where that is the verdict alone", () =>
  withHome(async (home) => {
    const cases: Record<string, Partial<Verdict>> = {
      plain: {},
      noop: { before: { value: 1, passed: true } },
      gap: { flags: ["evaluator-gap"] },
      conflict: { flags: ["conflict"] },
      suspect: { flags: ["environment-suspect"] },
    };
    const { labels } = await labelled(home, cases, () => true);
    expect(await labels()).toEqual({
      plain: [true, "verdict-alone", 0.6],
      noop: [false, "noop-pass", 0.9],
      gap: [false, "evaluator-gap", 0.75],
      conflict: [false, "conflict", 0.6],
      suspect: undefined,
    });
  }));

it("an opinion against the verdict is good where a later check failed, and bad where it passed", () =>
  withHome(async (home) => {
    const { run, labels } = await labelled(home, { failed: {}, passed: {}, shaken: {}, believed: {} }, (name) => {
      return name === "believed";
    });
    expect((await labels()).failed).toEqual([false, "verdict-alone", 0.6]);
    recheck(home, at(run, "failed"), { ...MISSED, flags: ["conflict"] });
    recheck(home, at(run, "believed"), { ...MISSED, flags: ["conflict"] });
    recheck(home, at(run, "passed"), {});
    recheck(home, at(run, "shaken"), { ...MISSED, flags: ["environment-suspect"] });
    expect(await labels()).toEqual({
      failed: [true, "recheck-failed", 0.9],
      passed: [false, "recheck-passed", 0.9],
      shaken: undefined,
      believed: [false, "recheck-failed", 0.9],
    });
  }));

it("a pass that a later check only repeats is still a no-op where the log says so", () =>
  withHome(async (home) => {
    const { run, labels } = await labelled(home, { noop: { flags: ["noop-pass"] } }, () => false);
    recheck(home, at(run, "noop"), {});
    expect(await labels()).toEqual({ noop: [true, "noop-pass", 0.9] });
  }));

it("a wrong opinion at a gap or a conflict is a bad answer to learn from, as a right one is a good answer", () =>
  withHome(async (home) => {
    const cases: Record<string, Partial<Verdict>> = {};
    for (const flag of ["evaluator-gap", "conflict"] as const)
      for (const said of ["right", "wrong"]) cases[`${flag}-${said}`] = { flags: [flag] };
    const { run } = await labelled(home, cases, (name) => name.endsWith("wrong"));
    const lake = await openLake(home);
    const labels = await (await loadRoleRule("auditor")).labels(lake, [run]);
    lake.close();
    const { rows, refusals } = await select(home, { role: "auditor", labels, tier: "judged", withBad: true });
    expect(rows.map(({ family, label, rule }) => [family, label, rule]).sort()).toEqual([
      ["conflict-right", true, "conflict"],
      ["conflict-wrong", false, "conflict"],
      ["evaluator-gap-right", true, "evaluator-gap"],
      ["evaluator-gap-wrong", false, "evaluator-gap"],
    ]);
    expect(refusals).toEqual([]);
  }));

const FIRST = { verifier: { id: "first", version: "1" } };

function revokeFirst(home: Home): void {
  const data = { kind: "verifier" as const, target: "first@1", reason: "it was bad" };
  appendLedger(home, { type: "revoked", data }, systemClock);
}

it("a revoked verifier says nothing of the reason for a pass that a later check finds", () =>
  withHome(async (home) => {
    const cases: Record<string, Partial<Verdict>> = {
      flagged: { ...FIRST, flags: ["noop-pass", "evaluator-gap"] },
      before: { ...FIRST, before: { value: 1, passed: true } },
    };
    const { run, labels } = await labelled(home, cases, () => true);
    for (const name of Object.keys(cases)) recheck(home, at(run, name), {});
    expect((await labels()).flagged).toEqual([false, "noop-pass", 0.9]);
    revokeFirst(home);
    const passed = [true, "recheck-passed", 0.9];
    expect(await labels()).toEqual({ flagged: passed, before: passed });
  }));

it("a verdict of the log that stands in place of a revoked one is no later check", () =>
  withHome(async (home) => {
    let turn = "";
    const run = await writeRoleRun(home, { items: ["plain/a"] }, (writer) => {
      turn = audited(writer, "plain/a", true);
      writer.verdict("plain/a", 1, FIRST);
    });
    recheck(home, at(run, "plain"), FIRST);
    revokeFirst(home);
    expect(told((await labelsOf(home, "auditor", [run])).get(turn))).toEqual([true, "verdict-alone", 0.6]);
  }));

it("an answer that was not understood is bad, and an opinion that names no turn labels nothing", () =>
  withHome(async (home) => {
    let turn = "";
    const run = await writeRoleRun(home, { items: ["a/a", "b/a"] }, (writer) => {
      turn = writer.turn("auditor", "a/a", 1, { parseFlags: ["not-understood"] });
      writer.verdict("a/a", 1);
      writer.turn("auditor", "b/a", 1);
      writer.verdict("b/a", 1, { signalType: "judgment", evidence: "looks right" });
      writer.verdict("b/a", 1);
    });
    const labels = await labelsOf(home, "auditor", [run]);
    expect([...labels]).toEqual([[turn, expect.objectContaining({ rule: "unusable-answer", confidence: 1 })]]);
    expect((await labelsOf(home, "auditor", [])).size).toBe(0);
  }));
