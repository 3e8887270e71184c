import { expect, it } from "vitest";
import { withHome } from "../../store/sample-run.ts";
import { labelsOf, told } from "../labels.ts";
import { MISSED, type RoleWriter, writeRoleRun } from "../role-run.ts";

/** An attempt with a worker's turn and this verdict. */
function tried(writer: RoleWriter, item: string, n: number, own: Parameters<RoleWriter["verdict"]>[2] = {}): void {
  writer.turn("worker", item, n);
  writer.verdict(item, n, own);
}

it("a selection is as good as what came of its item, and nothing is said where the environment or the budget decided", () =>
  withHome(async (home) => {
    const turns: Record<string, string> = {};
    const items = ["solved", "missed", "suspect", "left", "noop", "unjudged"].map((name) => `${name}/a`);
    const run = await writeRoleRun(home, { items }, (writer) => {
      for (const item of items) turns[item.slice(0, -2)] = writer.select(item);
      tried(writer, "solved/a", 1, MISSED);
      tried(writer, "solved/a", 2);
      tried(writer, "missed/a", 1, MISSED);
      tried(writer, "suspect/a", 1, { flags: ["environment-suspect"] });
      tried(writer, "suspect/a", 2);
      tried(writer, "left/a", 1, MISSED);
      tried(writer, "noop/a", 1, { before: { value: 1, passed: true } });
      writer.turn("worker", "unjudged/a", 1);
      for (const item of items) {
        if (item === "left/a") writer.finish(item, "unsolved", "run-budget");
        else writer.finish(item, item === "missed/a" || item === "unjudged/a" ? "unsolved" : "solved");
      }
    });
    const labels = await labelsOf(home, "architect", [run]);
    expect(told(labels.get(turns.solved as string))).toEqual([true, "selected-solved", 0.667]);
    expect(told(labels.get(turns.missed as string))).toEqual([false, "selected-solved", 0.667]);
    expect(labels.size).toBe(2);
    expect(labels.get(turns.missed as string)).toMatchObject({ run, value: 0 });
  }));

it("a selection is surer where other runs of the same worker agree, and none where they do not", () =>
  withHome(async (home) => {
    const once = async (number: number, solves: Record<string, boolean>, model = "smollm2") => {
      const turns: Record<string, string> = {};
      const items = Object.keys(solves);
      const run = await writeRoleRun(home, { number, items, model }, (writer) => {
        for (const item of items) {
          turns[item] = writer.select(item);
          tried(writer, item, 1, solves[item] ? {} : MISSED);
          writer.finish(item, solves[item] ? "solved" : "unsolved");
        }
      });
      return { run, turns };
    };
    const first = await once(1, { "agreed/a": true, "mixed/a": true, "other/a": true });
    const second = await once(2, { "agreed/a": true, "mixed/a": false });
    const third = await once(3, { "other/a": false }, "a larger model");
    const labels = await labelsOf(home, "architect", [first.run, second.run, third.run]);
    expect(told(labels.get(first.turns["agreed/a"] as string))).toEqual([true, "selected-solved", 0.75]);
    expect(labels.has(first.turns["mixed/a"] as string)).toBe(false);
    expect(told(labels.get(first.turns["other/a"] as string))).toEqual([true, "selected-solved", 0.667]);
    expect(told(labels.get(third.turns["other/a"] as string))).toEqual([false, "selected-solved", 0.667]);
    expect((await labelsOf(home, "architect", [first.run])).has(first.turns["mixed/a"] as string)).toBe(true);
  }));

it("a plan answers for the attempts until the next one, and for none where none was made or the environment was suspect", () =>
  withHome(async (home) => {
    const turns: Record<string, string> = {};
    const items = ["passed/a", "second/a", "went-on/a", "alone/a", "shaken/a"];
    const run = await writeRoleRun(home, { items }, (writer) => {
      for (const item of items) tried(writer, item, 1, MISSED);
      turns.passed = writer.choose("re-plan", "passed/a", 2);
      tried(writer, "passed/a", 2, MISSED);
      tried(writer, "passed/a", 3);
      turns.first = writer.choose("re-plan", "second/a", 2);
      tried(writer, "second/a", 2, MISSED);
      tried(writer, "second/a", 3, MISSED);
      turns.second = writer.choose("re-plan", "second/a", 4);
      tried(writer, "second/a", 4);
      turns.wentOn = writer.choose("continue", "went-on/a", 2);
      tried(writer, "went-on/a", 2, MISSED);
      turns.alone = writer.choose("re-plan", "alone/a", 2);
      turns.shaken = writer.choose("re-plan", "shaken/a", 2);
      tried(writer, "shaken/a", 2, { ...MISSED, flags: ["environment-suspect"] });
    });
    const labels = await labelsOf(home, "architect", [run]);
    expect(told(labels.get(turns.passed as string))).toEqual([true, "replan-passed", 0.667]);
    expect(told(labels.get(turns.first as string))).toEqual([false, "replan-passed", 0.75]);
    expect(told(labels.get(turns.second as string))).toEqual([true, "replan-passed", 0.667]);
    expect(told(labels.get(turns.wentOn as string))).toEqual([false, "continue-passed", 0.667]);
    expect(labels.size).toBe(4);
  }));

it("giving up is bad where the item was solved, good where others missed it often enough, else nothing", () =>
  withHome(async (home) => {
    const turns: Record<string, string> = {};
    const items = ["solved/a", "hopeless/a", "young/a", "strong/a"];
    const run = await writeRoleRun(home, { items }, (writer) => {
      for (const item of items) tried(writer, item, 1, MISSED);
      turns.solved = writer.choose("skip", "solved/a", 2);
      turns.hopeless = writer.choose("escalate", "hopeless/a", 2);
      turns.young = writer.choose("skip", "young/a", 2);
      turns.strong = writer.choose("escalate", "strong/a", 2);
      turns.skipped = writer.choose("skip", "strong/a", 2);
    });
    const other = await writeRoleRun(home, { number: 2, items }, (writer) => {
      tried(writer, "solved/a", 1);
      for (let n = 1; n <= 5; n++) tried(writer, "hopeless/a", n, MISSED);
      for (let n = 1; n <= 4; n++) tried(writer, "young/a", n, MISSED);
    });
    const larger = await writeRoleRun(home, { number: 3, items, model: "a larger model" }, (writer) =>
      tried(writer, "strong/a", 1),
    );
    const labels = await labelsOf(home, "architect", [run, other, larger]);
    expect(told(labels.get(turns.solved as string))).toEqual([false, "skip-unsolved", 0.667]);
    expect(told(labels.get(turns.hopeless as string))).toEqual([true, "escalate-unsolved", 0.566]);
    expect(labels.has(turns.young as string)).toBe(false);
    expect(labels.has(turns.strong as string)).toBe(false);
    expect(told(labels.get(turns.skipped as string))).toEqual([false, "skip-unsolved", 0.667]);
    expect((await labelsOf(home, "architect", [run])).size).toBe(0);
  }));

it("an answer that could not be used is bad for certain, whatever came of the item", () =>
  withHome(async (home) => {
    let turn = "";
    const run = await writeRoleRun(home, { items: ["solved/a"] }, (writer) => {
      turn = writer.select("solved/a", { isFallback: true });
      tried(writer, "solved/a", 1);
      writer.finish("solved/a", "solved");
    });
    const labels = await labelsOf(home, "architect", [run]);
    expect([...labels.values()].map(told)).toEqual([[false, "unusable-answer", 1]]);
    expect(labels.get(turn)).toMatchObject({ run, value: 0 });
  }));

it("without records of choices, as in imported runs, there is no label", () =>
  withHome(async (home) => {
    const run = await writeRoleRun(home, { items: ["solved/a"] }, (writer) => {
      writer.turn("architect", "solved/a", 1);
      tried(writer, "solved/a", 1);
    });
    expect((await labelsOf(home, "architect", [run])).size).toBe(0);
    expect((await labelsOf(home, "architect", [])).size).toBe(0);
  }));
