/** The worked examples that ask questions: what they call right is right. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import dates from "../../examples/skills/date-sums/skill.ts";
import { PACKAGE_FOLDER } from "../../src/foundation/package-folder.ts";
import type { Draft } from "../../src/skills/contract.ts";
import { executableSkill } from "../../src/skills/executable.ts";

const patterns = executableSkill(join(PACKAGE_FOLDER, "examples", "skills", "glob-patterns", "skill.json"));
afterAll(() => patterns.close());

const SEEDS = [1, 2, 3];
const DAY_MS = 86_400_000;
const MONTHS = "January February March April May June July August September October November December".split(" ");
const WEEKDAYS = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ");

/** The answer to a question, found by walking from day to day. */
function walked(question: string): string {
  const dateOf = (text: string) => new Date(`${text} UTC`);
  const walk = (from: Date, step: number, isThere: (date: Date, n: number) => boolean) => {
    for (let n = 1; ; n++) {
      const date = new Date(from.getTime() + n * step * DAY_MS);
      if (isThere(date, n)) return date.toISOString().slice(0, 10);
    }
  };
  const [, count, unit, side, from] = /is (\d+) (\w+) (after|before) (.*)\?/.exec(question) ?? [];
  if (count !== undefined && (unit === "days" || unit === "weeks")) {
    const days = Number(count) * (unit === "weeks" ? 7 : 1);
    return walk(dateOf(String(from)), side === "after" ? 1 : -1, (_, n) => n === days);
  }
  if (count !== undefined) {
    const start = dateOf(String(from));
    let left = Number(count) * (unit === "years" ? 12 : 1);
    return walk(start, side === "after" ? 1 : -1, (date) => {
      if (date.getUTCDate() === start.getUTCDate()) left -= 1;
      return left === 0;
    });
  }
  const [, weekday, where, day] = /the (?:first|last) (\w+day) (after|before) (.*)\?/.exec(question) ?? [];
  if (weekday !== undefined)
    return walk(dateOf(String(day)), where === "after" ? 1 : -1, (date) => WEEKDAYS[date.getUTCDay()] === weekday);
  const [, first, month] = /the first (\w+day) of (.*)\?/.exec(question) ?? [];
  if (first !== undefined)
    return walk(new Date(dateOf(`1 ${month}`).getTime() - DAY_MS), 1, (date) => WEEKDAYS[date.getUTCDay()] === first);
  const [, end = ""] = /the last day of (.*)\?/.exec(question) ?? [];
  if (end !== "") {
    const name = end.split(" ")[0];
    const isLast = (date: Date) => MONTHS[new Date(date.getTime() + DAY_MS).getUTCMonth()] !== name;
    return walk(dateOf(`1 ${end}`), 1, isLast);
  }
  const [, number, year] = /day number (\d+) of the year (\d+)\?/.exec(question) ?? [];
  return walk(dateOf(`31 December ${Number(year) - 1}`), 1, (_, n) => n === Number(number));
}

async function everyDraft(skill: { items: typeof dates.items }): Promise<Draft[]> {
  return (await Promise.all(SEEDS.map((seed) => skill.items({ seed })))).flat();
}

describe("date-sums", () => {
  it("calls the date right that one finds by walking from day to day", async () => {
    for (const { detail } of await everyDraft(dates)) {
      const question = String(detail.question);
      expect(`${question} ${detail.reference}`).toBe(`${question} ${walked(question)}`);
    }
  });
});

describe("glob-patterns", () => {
  it("calls only patterns right that pass", async () => {
    for (const draft of await everyDraft(patterns)) {
      const item = { ...draft, split: "train" as const };
      const call = { name: "match_names", arguments: { pattern: String(draft.detail.reference) } };
      const workspace = await patterns.open(item, { folder: tmpdir(), from: null });
      const { passed, evidence } = await workspace.verify(call, { call });
      expect([draft.item, passed, evidence]).toEqual([draft.item, true, { missed: [], taken: [] }]);
      await workspace.close();
    }
  });

  it("does not pass a list of the names that it shows", async () => {
    const [draft] = await patterns.items({ seed: 1 });
    const item = { ...(draft as Draft), split: "train" as const };
    const call = { name: "match_names", arguments: { pattern: "[bkdq]*.md" } };
    expect(item.detail.wanted).toBe("birch.md, kiosk.md, delta.md, quill.md");
    const workspace = await patterns.open(item, { folder: tmpdir(), from: null });
    expect(await workspace.verify(call, { call })).toMatchObject({ passed: false, failureMode: "misses-a-name" });
    await workspace.close();
  });

  it("refuses items of one's own with their line", async () => {
    const folder = await mkdtemp(join(tmpdir(), "tracemill-patterns-"));
    const itemsFile = join(folder, "mine.jsonl");
    const line = { id: "a", family: "a", wanted: ["x.md"], others: ["x.txt"], reference: "*.md" };
    const wrong = { ...line, id: "b", reference: "*" };
    await writeFile(itemsFile, `${JSON.stringify(line)}\n\n${JSON.stringify(wrong)}\n`);
    await expect(patterns.items({ seed: 1, itemsFile })).rejects.toMatchObject({
      code: "BAD_ITEMS",
      details: { where: `${itemsFile}:3`, message: expect.stringContaining("the reference is wrong about x.txt") },
    });
    await rm(folder, { recursive: true });
  });
});
