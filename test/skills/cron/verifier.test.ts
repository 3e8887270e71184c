import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { firstDifference } from "../../../skills/cron/calendar.ts";
import { readSchedule } from "../../../skills/cron/fields.ts";
import { generateItems } from "../../../skills/cron/generate.ts";
import { FIRE_TIMES, judgeFor } from "../../../skills/cron/judge.ts";
import { FAILURE_MODES } from "../../../skills/cron/manifest.ts";
import { parseAnswer } from "../../../skills/cron/parse-answer.ts";
import { PATTERNS } from "../../../skills/cron/patterns.ts";
import skill from "../../../skills/cron/skill.ts";
import { taskDetailSchema } from "../../../skills/cron/task-detail.ts";
import type { ItemId } from "../../../src/records/ids.ts";
import type { Item } from "../../../src/records/item.ts";
import { type Verdict, verdictSchema } from "../../../src/records/verdict.ts";
import { anySchedule } from "./any-schedule.ts";
import { nearMisses } from "./near-misses.ts";

const IS_LONG = process.env.TRACEMILL_LONG !== undefined;
const PATIENCE_MS = IS_LONG ? 1_800_000 : 60_000;
/** Of each pattern two items; eight in the long run. */
const drafts = generateItems(1).filter((_, i) => i % (IS_LONG ? 7 : 28) === 0);
const references = drafts.map((draft) => taskDetailSchema.parse(draft.detail).reference);

function itemFor(reference: string): Item {
  const item = "cron:test" as ItemId;
  return { item, family: "test", split: "train", kind: null, task: "", detail: { words: "at times", reference } };
}

async function verdictOn(reference: string, answer: string): Promise<Verdict> {
  const item = itemFor(reference);
  const workspace = await skill.open(item, { folder: "", from: null });
  const parsed = skill.parse({ role: "assistant", content: answer }, item);
  return verdictSchema.parse(await workspace.verify("call" in parsed ? parsed.call : null, parsed));
}

describe("a reference", { timeout: PATIENCE_MS }, () => {
  it("passes its own verifier, for every pattern", async () => {
    expect(new Set(drafts.map(({ family }) => family)).size).toBe(PATTERNS.length);
    for (const reference of references) {
      const verdict = await verdictOn(reference, reference);
      expect(verdict, reference).toMatchObject({ passed: true, value: 1, confidence: 1, failureMode: null, flags: [] });
      expect(verdict.before).toEqual({ value: 0, passed: false });
    }
  });

  it("is told from everything that nearly means it", () => {
    for (const reference of references) {
      const judge = judgeFor(reference);
      const misses = nearMisses(reference);
      expect(misses.length).toBeGreaterThanOrEqual(4);
      for (const miss of misses) expect(judge(miss).failureMode, `${miss} for ${reference}`).toMatch(/^wrong-/);
    }
  });

  it("may be written in another way", () => {
    const judge = judgeFor("0,15,30,45 8-10 * 1,7 1-5");
    for (const same of ["*/15 8,9,10 * JAN,JUL MON-FRI", "0-59/15 08-10/1 * 7,1 5,4,1-3", "*/15 8-10 * */6 1-5"]) {
      expect(judge(same).failureMode, same).toBeNull();
    }
    expect(judgeFor("0 12 * * 0")("0 12 * * 7").failureMode).toBeNull();
  });

  it("that is none is a failure of the workspace, not of the answer", async () => {
    for (const reference of ["every day", "0 0 31 2 *"]) {
      await expect(verdictOn(reference, "* * * * *")).rejects.toMatchObject({
        boundary: "workspace",
        code: "BAD_REFERENCE",
      });
    }
  });
});

describe("a verdict", () => {
  it.each([
    ["no-answer", "I cannot say."],
    ["parse", "61 9 * * 1-5"],
    ["parse", "0 9 * *"],
    ["forbidden", "@daily"],
    ["forbidden", "0 0 9 * * 1-5"],
    ["forbidden", "0 9 * * 1-5 /usr/bin/backup"],
    ["forbidden", "0 9 L * *"],
    ["never-fires", "0 9 31 2 *"],
    ["wrong-times", "0 10 * * 1-5"],
    ["wrong-times", "0 9,10 * * 1-6"],
    ["wrong-days", "0 9 * * 1-6"],
    ["wrong-days", "0 9 1 * 1-5"],
  ])("is %s on %s", async (failureMode, answer) => {
    const verdict = await verdictOn("0 9 * * 1-5", answer);
    expect(verdict).toMatchObject({ failureMode, passed: false, value: 0, confidence: 1, signalType: "binary" });
    expect(verdict.evidence).toMatchObject({ reason: expect.stringMatching(/./) });
  });

  it("is explained without the fire times that are right", async () => {
    const told = async (answer: string) => skill.explain?.(await verdictOn("0 9 * * 1-5", answer));
    expect(await told("0 10 * * 1-5")).toBe("");
    expect(await told("0 9 * * 1-6")).toBe("");
    expect(await told("61 9 * * 1-5")).toMatch(/minute "61": values are from 0 to 59/);
    expect(await told("0 9 31 2 *")).toBe("there is no such day");
  });

  it("has a test for each of the failure modes", () => {
    expect([...FAILURE_MODES].sort()).toEqual([
      "forbidden",
      "never-fires",
      "no-answer",
      "parse",
      "wrong-days",
      "wrong-times",
    ]);
  });

  it("names the first fire time that differs, and the date that it was counted from", async () => {
    const { evidence } = await verdictOn("0 9 * * 1-5", "0 9 * * 2-5");
    const difference = { index: 3, expected: "2024-03-04T09:00:00.000Z", got: "2024-03-05T09:00:00.000Z" };
    expect(evidence).toMatchObject({ comparisons: [{ start: "2024-02-27T10:07:00.000Z", difference }] });
  });

  it("sees what no 50 fire times from a fixed date show", () => {
    const { failureMode, comparisons } = judgeFor("* * * * *")("* * * 1-11 *");
    expect(failureMode).toBe("wrong-days");
    expect(comparisons.at(-1)).toMatchObject({ difference: { index: 0 } });
    expect(judgeFor("*/5 8-17 * * *")("*/5 8-18 * * *").failureMode).toBe("wrong-times");
    expect(judgeFor("0 0 * * *")("0 0 1-30 * *").failureMode).toBe("wrong-days");
  });

  it("comes from five dates or more", () => {
    const { comparisons } = judgeFor("0 9 * * *")("0 9 * * *");
    expect(comparisons.length).toBeGreaterThanOrEqual(5);
    expect(FIRE_TIMES).toBeGreaterThanOrEqual(50);
  });

  it("passes just what means the same, for any two schedules", () => {
    fc.assert(
      fc.property(anySchedule, anySchedule, (reference, answer) => {
        const [a, b] = [readSchedule(reference), readSchedule(answer)];
        if (!("fields" in a) || !("fields" in b)) throw new Error("not a schedule");
        fc.pre(judgeMakes(reference));
        const isSame = firstDifference(a.fields, b.fields) === null;
        expect(judgeFor(reference)(answer).failureMode === null).toBe(isSame);
        expect(judgeFor(reference)(reference).failureMode).toBeNull();
      }),
      { numRuns: 100 },
    );
  });
});

function judgeMakes(reference: string): boolean {
  try {
    return judgeFor(reference) !== null;
  } catch {
    return false;
  }
}

describe("an action", () => {
  it("shows the next fire times, or what is wrong", async () => {
    const workspace = await skill.open(itemFor("0 9 * * 1-5"), { folder: "", from: null });
    const call = (expression: string) => ({ name: "set_schedule", arguments: { expression } });
    expect(await workspace.act(call("0 0 1 * *"))).toEqual({
      exitCode: 0,
      stdout: ["03", "04", "05", "06", "07"].map((month) => `2024-${month}-01T00:00:00.000Z\n`).join(""),
      stderr: "",
    });
    expect(await workspace.act(call("0 0 31 2 *"))).toEqual({
      exitCode: 1,
      stdout: "",
      stderr: "never-fires: there is no such day",
    });
  });
});

describe("a hostile answer", { timeout: PATIENCE_MS }, () => {
  const long = 200_000;
  it.each([
    ["huge numbers", `${"9".repeat(long)} * * * *`],
    ["a huge step", `*/${"9".repeat(300)} * * * *`],
    ["a long list", `${"1,".repeat(long)}1 * * * *`],
    ["many fields", "1 ".repeat(long)],
    ["many stars", "*".repeat(long)],
    ["many stars apart", "* ".repeat(long)],
    ["many slashes", `1${"/1".repeat(long)} * * * *`],
    ["many dashes", `${"-".repeat(long)} * * * *`],
    ["many names", "MON ".repeat(long)],
    ["many lines", "0 9 * *\n".repeat(long)],
    ["many nicknames", "@daily".repeat(long)],
    ["many quotes", "`".repeat(long)],
    ["bold stars", "**1 ".repeat(long)],
    ["blanks", " ".repeat(long)],
    ["a label without end", `${"a ".repeat(long)}: 0 9 * * 1-5`],
    ["half a match, often", "1 1 1 1x ".repeat(long)],
    ["control characters", "0 9 * * 1\u001b-5"],
    ["a date that no year has", "59 23 30 2 *"],
    ["blanks before a word", `${" ".repeat(19_000)}x 0 9 * * 1-5 :`],
    ["blanks and labels", `${" : ".repeat(6000)}x: 0 9 * * 1-4`],
  ])("fails and ends: %s", async (_, answer) => {
    expect((await verdictOn("0 9 * * 1", answer)).passed).toBe(false);
  });

  it("never throws, whatever the text", () => {
    const judge = judgeFor("0 9 * * 1-5");
    const near = fc.stringMatching(/^[0-9*,/ LW?#@A-Z-]{0,40}$/);
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), near), (text) => {
        const parsed = parseAnswer({ role: "assistant", content: text });
        if ("call" in parsed) judge(String(parsed.call.arguments.expression));
        const { failureMode } = judge(text);
        if (failureMode !== null) expect(FAILURE_MODES).toContain(failureMode);
      }),
      { numRuns: IS_LONG ? 30_000 : 1000 },
    );
  });
});
