import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { meanOf } from "../../../src/foundation/sums.ts";
import { answerPrompts } from "../../../src/validate/ability/answer-prompts.ts";
import { choiceTexts } from "../../../src/validate/ability/choices.ts";
import { distanceFrom, generalEvidence } from "../../../src/validate/ability/paired-scores.ts";
import { readQuestions } from "../../../src/validate/ability/question-files.ts";
import { scoreTexts } from "../../../src/validate/ability/score-texts.ts";
import type { GeneralText } from "../../../src/validate/general-set.ts";
import { startTinyArms, type TinyArms } from "./tiny-arms.ts";

let arms: TinyArms;
let texts: GeneralText[];

beforeAll(async () => {
  arms = await startTinyArms();
  const questions = await readQuestions(join(import.meta.dirname, "../../../src/validate/questions"));
  texts = choiceTexts(
    questions.filter(({ number }) => number <= 2),
    "words",
  );
}, 120_000);

afterAll(() => arms?.close());

const options = () => ({ renderer: arms.renderer, atOnce: 8, signal: new AbortController().signal });

const flat = (evidence: { differences: number[][] } | null) => evidence?.differences.flat() ?? [];

describe("texts that are scored by two arms", () => {
  test("differ by nothing where the candidate is the base in all but name", async () => {
    const base = await scoreTexts(arms.base, texts, options());
    const idle = await scoreTexts(arms.idle, texts, options());
    const evidence = generalEvidence({ name: "general", texts }, base.scores, idle.scores);
    expect(evidence?.differences).toHaveLength(14);
    expect(Math.max(...flat(evidence).map(Math.abs))).toBeLessThan(1e-4);
    expect(evidence?.missing).toBe(0);
  });

  test("are clearly less likely to a candidate that was trained to say one thing alone", async () => {
    const base = await scoreTexts(arms.base, texts, options());
    const narrow = await scoreTexts(arms.narrow, texts, options());
    const differences = flat(generalEvidence({ name: "general", texts }, base.scores, narrow.scores));
    console.log(`spoiled: ${meanOf(differences).toFixed(4)} nats a question over ${differences.length} texts`);
    expect(meanOf(differences)).toBeLessThan(-0.02);
  });
});

describe("work that was interrupted", () => {
  test("goes on with what its file holds, torn or not, and asks for nothing twice", async () => {
    const few = texts.filter(({ isDeciding }) => isDeciding);
    const file = join(arms.folder, "scores.jsonl");
    const whole = await scoreTexts(arms.base, few, { ...options(), file });
    const lines = (await readFile(file, "utf8")).trimEnd().split("\n");
    expect(lines).toHaveLength(few.length);
    await writeFile(file, `${lines.slice(0, 5).join("\n")}\n`);
    await appendFile(file, (lines[5] ?? "").slice(0, 20));
    const done: number[] = [];
    const again = await scoreTexts(arms.base, few, { ...options(), file, onProgress: (count) => done.push(count) });
    expect(again.scores).toEqual(whole.scores);
    expect(done[0]).toBe(5);
    expect((await readFile(file, "utf8")).trimEnd().split("\n")).toHaveLength(few.length);
  });

  test("takes no other model's scores for its own", async () => {
    const file = join(arms.folder, "shared.jsonl");
    const base = await scoreTexts(arms.base, texts.slice(0, 4), { ...options(), file });
    const narrow = await scoreTexts(arms.narrow, texts.slice(0, 4), { ...options(), file });
    expect(narrow.scores).not.toEqual(base.scores);
  });

  test("keeps what was finished when the endpoint dies, and fails as the endpoint's", async () => {
    const file = join(arms.folder, "dead.jsonl");
    await scoreTexts(arms.base, texts.slice(0, 3), { ...options(), file });
    const dead = { ...arms.base, url: "http://127.0.0.1:9/v1" };
    const failure = expect.objectContaining({ name: "Failure", boundary: "endpoint", code: "ENDPOINT_UNREACHABLE" });
    await expect(scoreTexts(dead, texts.slice(0, 6), { ...options(), file })).rejects.toThrow(failure);
    expect((await readFile(file, "utf8")).trimEnd().split("\n")).toHaveLength(3);
  }, 30_000);

  test("ends at once with the signal's reason", async () => {
    const stop = new AbortController();
    const onProgress = (done: number) => done === 2 && stop.abort(new Error("enough"));
    const work = scoreTexts(arms.base, texts, { ...options(), atOnce: 1, signal: stop.signal, onProgress });
    await expect(work).rejects.toThrow("enough");
  });
});

test("a text that the context cannot hold, or that nothing stands before, is named and not sent", async () => {
  const long = { id: "long", context: "a", opening: "", continuation: "word ".repeat(2000) };
  const bare = { id: "bare", context: "", opening: "", continuation: "word" };
  const { scores, missing } = await scoreTexts(arms.base, [long, bare], options());
  expect(scores.size).toBe(0);
  expect(missing).toEqual([
    { id: "long", reason: expect.stringContaining("more than the context of 1024") },
    { id: "bare", reason: expect.stringContaining("nothing stands before it") },
  ]);
});

describe("the distance from the base, by what the base draws", () => {
  test("is nothing for the base itself, and above nothing for another model", async () => {
    const prompts = texts.slice(0, 24).map(({ id, group, context }) => ({
      ...{ id, group, context, opening: "", maxTokens: 24, stops: [] },
    }));
    const { answers } = await answerPrompts(arms.base, prompts, { ...options(), seed: 1 });
    const drawn = prompts.flatMap((prompt) => {
      const continuation = answers.get(prompt.id)?.text ?? "";
      return continuation === "" ? [] : [{ ...prompt, continuation }];
    });
    const base = await scoreTexts(arms.base, drawn, options());
    const idle = await scoreTexts(arms.idle, drawn, options());
    const narrow = await scoreTexts(arms.narrow, drawn, options());
    expect(distanceFrom(base.scores, idle.scores)?.nats).toBeCloseTo(0, 4);
    const distance = distanceFrom(base.scores, narrow.scores);
    console.log(
      `KL(base || narrow): ${distance?.nats.toFixed(4)} +- ${distance?.standardError?.toFixed(4)} nats a token`,
    );
    expect((distance?.nats ?? 0) - 2 * (distance?.standardError ?? 1)).toBeGreaterThan(0);
  });

  test("is null where nothing was drawn", () => {
    expect(distanceFrom(new Map(), new Map())).toBeNull();
  });
});
