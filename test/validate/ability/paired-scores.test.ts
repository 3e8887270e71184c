import { describe, expect, test } from "vitest";
import { random } from "../../../src/foundation/random.ts";
import { sumOf } from "../../../src/foundation/sums.ts";
import { choiceFigures, choiceTexts, LETTERS, type Question } from "../../../src/validate/ability/choices.ts";
import type { TextScore } from "../../../src/validate/ability/measure.ts";
import { distanceFrom, generalEvidence } from "../../../src/validate/ability/paired-scores.ts";
import type { GeneralText } from "../../../src/validate/general-set.ts";

const text = (id: string, group: string, isDeciding = true): GeneralText => ({
  ...{ id, group, context: "a", opening: "", continuation: "b", isDeciding },
});
const scores = (entries: Record<string, [number, number]>) =>
  new Map(Object.entries(entries).map(([id, [logprob, tokens]]): [string, TextScore] => [id, { logprob, tokens }]));

describe("the evidence of a set", () => {
  test("is the difference a token of each deciding text that both arms scored, by group", () => {
    const texts = [text("a", "x"), text("b", "y"), text("c", "x"), text("d", "y", false), text("e", "z")];
    const base = scores({ a: [-4, 2], b: [-3, 3], c: [-1, 1], d: [-9, 1], e: [-1, 1] });
    const candidate = scores({ a: [-5, 2], b: [-1.5, 3], c: [-1, 1], d: [-1, 1] });
    const evidence = generalEvidence({ name: "set", texts }, base, candidate);
    expect(evidence).toEqual({ name: "set", per: "token", differences: [[-0.5, 0], [0.5]], missing: 1 });
  });

  test("is of a text that has rivals how likely it is among them a token, whatever all of them lose alike", () => {
    const texts = [{ ...text("a", "x"), rivals: ["b"] }, text("b", "x", false), { ...text("c", "y"), rivals: ["d"] }];
    const base = scores({ a: [-4, 2], b: [-9, 3], c: [-1, 1], d: [-1, 1] });
    const candidate = scores({ a: [-8, 2], b: [-15, 3], c: [-2, 1], d: [-1, 1] });
    const evidence = generalEvidence({ name: "set", texts }, base, candidate);
    expect(evidence).toMatchObject({ per: "question", missing: 0 });
    const [[same] = [], [worse] = []] = evidence?.differences ?? [];
    expect(same).toBeCloseTo(0, 12);
    expect(worse).toBeCloseTo(Math.log(1 / (1 + Math.E)) - Math.log(1 / 2), 12);
  });

  test("leaves out a text of which a rival was not scored", () => {
    const texts = [
      { ...text("a", "x"), rivals: ["b"] },
      { ...text("c", "y"), rivals: ["d"] },
    ];
    const both = scores({ a: [-4, 2], b: [-9, 3], c: [-1, 1] });
    expect(generalEvidence({ name: "set", texts }, both, both)).toEqual({
      ...{ name: "set", per: "question", differences: [[0]], missing: 1 },
    });
  });

  test("is none where no text decides", () => {
    expect(generalEvidence({ name: "set", texts: [text("a", "x", false)] }, new Map(), new Map())).toBeNull();
  });
});

describe("the distance that draws of the base tell", () => {
  test("weighs each token the same", () => {
    const base = scores({ a: [-1, 1], b: [-6, 3] });
    const candidate = scores({ a: [-2, 1], b: [-6, 3], c: [-1, 1] });
    expect(distanceFrom(base, candidate)).toMatchObject({ nats: 0.25, texts: 2, tokens: 4 });
  });

  test("lies within 1.96 of its standard errors of the exact one in 95 of 100 draws", () => {
    const [p, q] = [
      [0.5, 0.3, 0.15, 0.05],
      [0.4, 0.25, 0.25, 0.1],
    ] as [number[], number[]];
    const exact = sumOf(p, (share, i) => share * Math.log(share / (q[i] as number)));
    const draws = random(1, "distance");
    const draw = () => {
      const at = draws.next();
      return p.findIndex((_, i) => at < p.slice(0, i + 1).reduce((sum, share) => sum + share, i === 3 ? 1 : 0));
    };
    const REPEATS = 1000;
    let covered = 0;
    let sum = 0;
    for (let repeat = 0; repeat < REPEATS; repeat++) {
      const arms = [p, q].map((_) => new Map<string, TextScore>()) as [Map<string, TextScore>, Map<string, TextScore>];
      for (let at = 0; at < 60; at++) {
        const ids = Array.from({ length: draws.integer(5, 40) }, draw);
        for (const [arm, of] of [p, q].entries()) {
          const logprob = sumOf(ids, (id) => Math.log(of[id] as number));
          arms[arm as 0 | 1].set(`${at}`, { logprob, tokens: ids.length });
        }
      }
      const told = distanceFrom(...arms);
      sum += told?.nats ?? 0;
      if (Math.abs((told?.nats ?? 0) - exact) < 1.96 * (told?.standardError ?? 0)) covered += 1;
    }
    console.log(
      `distance: exact ${exact.toFixed(4)}, mean ${(sum / REPEATS).toFixed(4)}, covered ${covered / REPEATS}`,
    );
    expect(sum / REPEATS).toBeCloseTo(exact, 3);
    expect(covered / REPEATS).toBeGreaterThan(0.925);
    expect(covered / REPEATS).toBeLessThan(0.97);
  });
});

describe("the figures of questions", () => {
  const question: Question = {
    ...{ subject: "s", number: 1, question: "Which?", answer: "B" },
    options: { A: "one", B: "two words", C: "three", D: "four" },
  };
  const arm = (values: [number, number][]) => ({
    scores: new Map(
      LETTERS.map((letter, i) => [`s/1/${letter}`, scores({ x: values[i] ?? [0, 1] }).get("x") as TextScore]),
    ),
    answers: new Map(),
  });

  test("count a question as right where the right option is the likeliest a token, and a tie not", () => {
    const right = arm([
      [-2, 1],
      [-3, 2],
      [-2, 1],
      [-2, 1],
    ]);
    const tied = arm([
      [-2, 1],
      [-4, 2],
      [-2, 1],
      [-2, 1],
    ]);
    expect(choiceFigures([question], { base: right, candidate: tied })[0]).toMatchObject({ base: 1, candidate: 0 });
  });

  test("tell how likely the right option is among the four, whatever is lost by all of them alike", () => {
    const one = arm([
      [-2, 1],
      [-1, 2],
      [-3, 1],
      [-4, 1],
    ]);
    const other = arm([
      [-102, 1],
      [-101, 2],
      [-103, 1],
      [-104, 1],
    ]);
    const [, figure] = choiceFigures([question], { base: one, candidate: other });
    expect(figure?.base).toBeCloseTo(1 / (1 + Math.exp(-1) + Math.exp(-2) + Math.exp(-3)), 10);
    expect(figure?.candidate).toBeCloseTo(figure?.base ?? 0, 10);
  });

  test("leave out a question of which an option was not scored", () => {
    const right = arm([
      [-2, 1],
      [-3, 2],
      [-2, 1],
      [-2, 1],
    ]);
    const part = { scores: new Map([...right.scores].slice(1)), answers: new Map() };
    const shown = choiceFigures([question], { base: right, candidate: part });
    expect(shown.map(({ candidate }) => candidate)).toEqual([null, null, -1.5]);
  });

  test("are told of questions that show their options only where the letter is scored", () => {
    expect(choiceTexts([question], "words").map(({ continuation }) => continuation)[1]).toBe(" two words");
    expect(choiceTexts([question], "words")[0]?.context).toEqual([{ role: "user", content: "Which?" }]);
    expect(choiceTexts([question], "letter")[1]).toMatchObject({
      continuation: " B",
      isDeciding: true,
      opening: "Answer:",
    });
  });
});
