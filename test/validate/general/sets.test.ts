import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { extensionIds, loadExtension } from "../../../src/foundation/discovery.ts";
import { Refusal } from "../../../src/foundation/errors.ts";
import { groupBy } from "../../../src/foundation/group-by.ts";
import { LETTERS } from "../../../src/validate/ability/choices.ts";
import { readQuestions } from "../../../src/validate/ability/question-files.ts";
import type { GeneralSet, LoadedSet } from "../../../src/validate/general-set.ts";

const ROOT = join(import.meta.dirname, "../../../src/validate");
const SETS = join(ROOT, "general");
const ids = await extensionIds(SETS);

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tracemill-questions-"));
  await writeFile(
    join(folder, "colours_test.csv"),
    '"What is a ""clear"" sky, by day?",blue,red,"green, pale",black,A\n',
  );
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function load(id: string): Promise<LoadedSet | null> {
  const set = await loadExtension<GeneralSet>(SETS, "general set", id);
  return set.load({ folder }).catch((error) => {
    if (!(error instanceof Refusal) || error.code !== "NO_HUMAN_EVAL") throw error;
    console.log(`skipped: the set ${id} has no texts here (${error.details.got}); ${error.details.fix}`);
    return null;
  });
}

const sets = await Promise.all(ids.map(async (id) => ({ id, set: await loadExtension<GeneralSet>(SETS, "set", id) })));

describe.each(sets)("the set $id", ({ id, set }) => {
  test("says what it is in one line", () => {
    expect(set.summary).toMatch(/^\S[^\n]+\S$/);
  });

  test("has texts or prompts under ids of their own, each with a group", async () => {
    const loaded = await load(id);
    if (loaded === null) return expect(id).toBe("human-eval");
    for (const list of [loaded.texts, loaded.prompts]) {
      expect(new Set(list.map((one) => one.id)).size).toBe(list.length);
      expect(list.every((one) => one.group !== "" && one.context.length > 0)).toBe(true);
    }
    expect(loaded.texts.length + loaded.prompts.length).toBeGreaterThan(0);
    expect(loaded.texts.every(({ continuation }) => continuation !== "")).toBe(true);
  });

  test("has the same hash whenever it is loaded", async () => {
    const [one, other] = [await load(id), await load(id)];
    expect(one?.hash).toBe(other?.hash);
  });

  test("shows figures of two arms that answered nothing without inventing any", async () => {
    const loaded = await load(id);
    const none = { scores: new Map(), answers: new Map() };
    const shown = (await loaded?.shown({ base: none, candidate: none }, new AbortController().signal)) ?? [];
    expect(shown.map(({ candidate }) => candidate)).toEqual(shown.map(() => null));
  });
});

describe("the questions that ship", () => {
  const questions = readQuestions(join(ROOT, "questions"));

  test("are at least 120 over at least 12 subjects, 10 or more each", async () => {
    const subjects = [...groupBy(await questions, ({ subject }) => subject).values()];
    expect((await questions).length).toBeGreaterThanOrEqual(120);
    expect(subjects.length).toBeGreaterThanOrEqual(12);
    expect(Math.min(...subjects.map(({ length }) => length))).toBeGreaterThanOrEqual(10);
  });

  test("have each letter as the right answer equally often, and no question or option twice", async () => {
    const all = await questions;
    const byLetter = LETTERS.map((letter) => all.filter(({ answer }) => answer === letter).length);
    expect(Math.max(...byLetter) - Math.min(...byLetter)).toBeLessThanOrEqual(1);
    expect(new Set(all.map(({ question }) => question)).size).toBe(all.length);
    expect(all.every(({ options }) => new Set(Object.values(options)).size === LETTERS.length)).toBe(true);
  });
});

describe("MMLU's own folder", () => {
  test("is asked for where none is named", async () => {
    const mmlu = await loadExtension<GeneralSet>(SETS, "general set", "mmlu");
    await expect(mmlu.load({})).rejects.toThrow(expect.objectContaining({ code: "NO_QUESTIONS" }));
  });

  test("is asked by the letter, after the question with its options", async () => {
    const { texts } = (await load("mmlu")) as LoadedSet;
    expect(texts.map(({ continuation, isDeciding }) => [continuation, isDeciding])).toEqual([
      [" A", true],
      [" B", false],
      [" C", false],
      [" D", false],
    ]);
    expect(texts[0]?.context).toEqual([
      { role: "user", content: 'What is a "clear" sky, by day?\nA. blue\nB. red\nC. green, pale\nD. black' },
    ]);
  });
});
