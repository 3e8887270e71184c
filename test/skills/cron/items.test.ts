import { describe, expect, it } from "vitest";
import { scheduleKey } from "../../../skills/cron/calendar.ts";
import { readSchedule } from "../../../skills/cron/fields.ts";
import { generateItems } from "../../../skills/cron/generate.ts";
import { scheduleCall } from "../../../skills/cron/parse-answer.ts";
import skill from "../../../skills/cron/skill.ts";
import { taskDetailSchema } from "../../../skills/cron/task-detail.ts";
import { groupBy } from "../../../src/foundation/group-by.ts";
import type { Draft } from "../../../src/skills/contract.ts";
import { scanItems } from "../../../src/skills/scan.ts";
import { splitOf } from "../../../src/skills/splits.ts";

const IS_LONG = process.env.TRACEMILL_LONG !== undefined;
const SEEDS = Array.from({ length: IS_LONG ? 20 : 2 }, (_, i) => i + 1);
const drafts = generateItems(1);

function detailOf(draft: Draft) {
  return taskDetailSchema.parse(draft.detail);
}

function keyOf(draft: Draft): string {
  const schedule = readSchedule(detailOf(draft).reference);
  if (!("fields" in schedule)) throw new Error(`${draft.item}: ${schedule.reason}`);
  return scheduleKey(schedule.fields);
}

describe("the generated items", { timeout: IS_LONG ? 1_800_000 : 60_000 }, () => {
  it("are 2,500 or more of 30 families or more, as many of each", () => {
    const families = groupBy(drafts, ({ family }) => family);
    expect(drafts.length).toBeGreaterThanOrEqual(2500);
    expect(families.size).toBeGreaterThanOrEqual(30);
    expect(new Set([...families.values()].map((items) => items.length)).size).toBe(1);
  });

  it("leave 14 families to train, 4 to validation, 12 and 500 items to test, of every kind", () => {
    const splits = groupBy(drafts, ({ family }) => splitOf(skill.manifest, family));
    const families = (split: "train" | "validation" | "test") =>
      new Set(splits.get(split)?.map(({ family }) => family)).size;
    expect(families("train")).toBeGreaterThanOrEqual(14);
    expect(families("validation")).toBeGreaterThanOrEqual(4);
    expect(families("test")).toBeGreaterThanOrEqual(12);
    expect(splits.get("test")?.length).toBeGreaterThanOrEqual(500);
    for (const items of splits.values()) expect(new Set(items.map(({ kind }) => kind)).size).toBe(6);
  });

  it("are told in words that occur once", () => {
    expect(new Set(drafts.map((draft) => detailOf(draft).words)).size).toBe(drafts.length);
  });

  it("never fire at the same times in two families, whatever the seed", () => {
    const owners = new Map<string, Draft>();
    for (const draft of SEEDS.flatMap(generateItems)) {
      const key = keyOf(draft);
      const owner = owners.get(key) ?? draft;
      expect(owner.family, `${draft.item} and ${owner.item}`).toBe(draft.family);
      owners.set(key, owner);
    }
  });

  it("never restrict the day of the month and the day of the week together, which cron takes for either", () => {
    for (const draft of drafts) {
      const [, , day, , weekday] = detailOf(draft).reference.split(" ");
      expect([day, weekday], draft.item).toContain("*");
    }
  });

  it("have other ids and words under another seed", () => {
    const ids = new Set(drafts.map(({ item }) => item));
    const words = new Set(drafts.map((draft) => detailOf(draft).words));
    const others = generateItems(2);
    expect(others.some(({ item }) => ids.has(item))).toBe(false);
    expect(others.filter((draft) => !words.has(detailOf(draft).words)).length).toBeGreaterThan(others.length * 0.8);
  });

  it("tell the time in several ways, and schedules with and without a job", () => {
    const words = drafts.map((draft) => detailOf(draft).words);
    const ways = [
      /\d\d:\d\d/,
      /\d (am|pm)/,
      /a\.m\./,
      /o'clock/,
      /(quarter|half) past/,
      /\bnoon\b/,
      /\bmidnight\b/,
      /minute \d+ of hour \d+/,
    ];
    for (const way of ways) expect(words.filter((text) => way.test(text)).length, String(way)).toBeGreaterThan(5);
    for (const family of new Set(drafts.map((draft) => draft.family))) {
      const bare = drafts.filter(
        (draft) => draft.family === family && detailOf(draft).words.length <= draft.task.length + 1,
      );
      expect(bare.length, family).toBeGreaterThan(5);
      expect(bare.length, family).toBeLessThan(50);
    }
  });

  it("show their task to similarity search without the job", () => {
    for (const draft of drafts)
      expect(detailOf(draft).words.toLowerCase()).toContain(draft.task.toLowerCase().slice(0, -1));
  });
});

describe("a prompt", () => {
  it("of a worked example is the task as it is put, and the fields", async () => {
    for (const item of await scanItems(skill, { seed: 1, split: "train", limit: 30 })) {
      const { words, reference } = taskDetailSchema.parse(item.detail);
      const [task, answer] = skill.workedExample(item, scheduleCall(reference));
      expect(task).toEqual(skill.prompt(item).at(-1));
      expect(task?.content?.endsWith(`: ${words}`)).toBe(true);
      expect(answer).toEqual({ role: "assistant", content: reference });
    }
  });

  it("may start with solved items of each family that is given", async () => {
    const items = await scanItems(skill, { seed: 1, split: "train" });
    const starters = skill.starters?.(items) ?? [];
    expect(new Set(starters.map(({ item }) => item.family))).toEqual(new Set(items.map(({ family }) => family)));
    for (const { item, call } of starters) expect(call).toEqual(scheduleCall(String(item.detail.reference)));
  });
});
