import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { meanOf } from "../../../src/foundation/sums.ts";
import type { AdapterManifest, CurvePoint } from "../../../src/records/adapter-manifest.ts";
import { klEvidence, measureGeneralAbility } from "../../../src/validate/ability/general-ability.ts";
import { loadGeneralSets, type NamedSet, plannedSets } from "../../../src/validate/ability/general-sets.ts";
import { startTinyArms, type TinyArms } from "./tiny-arms.ts";

let arms: TinyArms;
let sets: NamedSet[];

/** The shipped sets, short enough for a test: what is left of a set is a set too. */
function shortened(set: NamedSet): NamedSet {
  return {
    ...set,
    texts: set.texts.filter(({ id }) => /\/[12]\/[A-D]$/.test(id)),
    prompts: set.prompts.slice(0, 10).map((prompt) => ({ ...prompt, maxTokens: 16 })),
  };
}

beforeAll(async () => {
  arms = await startTinyArms();
  sets = (await loadGeneralSets([{ id: "multiple-choice" }, { id: "neutral" }])).map(shortened);
}, 120_000);

afterAll(() => arms?.close());

const options = (folder: string) => ({
  ...{ renderer: arms.renderer, folder: join(arms.folder, folder), atOnce: 8, seed: 1 },
  signal: new AbortController().signal,
});

describe("general ability", () => {
  test("of a candidate that is the base in all but name is the base's, figure by figure", async () => {
    const { base, idle: candidate } = arms;
    const found = await measureGeneralAbility({ base, reference: base, candidate }, sets, options("idle"));
    expect(found.general.map(({ name, missing }) => [name, missing])).toEqual([["multiple-choice", 0]]);
    expect(found.general[0]?.differences).toHaveLength(14);
    expect(Math.max(...(found.general[0]?.differences.flat().map(Math.abs) ?? [1]))).toBeLessThan(1e-4);
    const figures = found.shown.flatMap((set) => set.figures);
    expect(figures.map(({ name }) => name)).toEqual([
      "accuracy",
      "probability of the right option",
      "nats a token of the right option",
      "changed answers",
      "refusals",
      "answers in circles",
    ]);
    expect(
      figures
        .filter((figure) => figure.base !== null)
        .every((one) => Math.abs((one.base ?? 0) - (one.candidate ?? 1)) < 1e-4),
    ).toBe(true);
    expect(figures.find(({ name }) => name === "changed answers")?.candidate).toBe(0);
    expect(found.distance?.nats).toBeCloseTo(0, 4);
    expect(found.missing).toEqual([]);
  }, 60_000);

  test("is told against the base as well, where another model is the one to beat", async () => {
    const { base, narrow: reference, idle: candidate } = arms;
    const found = await measureGeneralAbility({ base, reference, candidate }, sets, options("champion"));
    const mean = (values: number[][] = []) => meanOf(values.flat());
    expect(mean(found.general[0]?.differences)).toBeGreaterThan(0.02);
    expect(found.general[0]?.toBase).toHaveLength(14);
    expect(Math.abs(mean(found.general[0]?.toBase))).toBeLessThan(1e-4);
  }, 60_000);

  test("is measured once: what the folder holds is not asked again, also where the endpoint is gone", async () => {
    const { base, idle: candidate } = arms;
    const gone = { url: "http://127.0.0.1:9/v1" };
    const once = await measureGeneralAbility({ base, reference: base, candidate }, sets, options("idle"));
    const again = await measureGeneralAbility(
      { base: { ...base, ...gone }, reference: { ...base, ...gone }, candidate: { ...candidate, ...gone } },
      sets,
      options("idle"),
    );
    expect(again).toEqual(once);
    expect(existsSync(join(arms.folder, "idle", "scores.jsonl"))).toBe(true);
    expect((await readFile(join(arms.folder, "idle", "answers.jsonl"), "utf8")).endsWith("}\n")).toBe(true);
  }, 60_000);

  test("is lost to a candidate that was trained to say one thing alone", async () => {
    const { base, narrow: candidate } = arms;
    const found = await measureGeneralAbility({ base, reference: base, candidate }, sets, options("narrow"));
    const differences = found.general[0]?.differences.flat() ?? [];
    expect(meanOf(differences)).toBeLessThan(-0.02);
    expect(found.shown[1]?.figures[0]?.candidate).toBe(1);
    expect(found.distance?.nats).toBeGreaterThan(0.1);
  }, 60_000);
});

describe("the plan of a comparison", () => {
  test("names every set with its hash and how much is asked", async () => {
    const [choices, neutral] = plannedSets(await loadGeneralSets([{ id: "multiple-choice" }, { id: "neutral" }]));
    expect(choices).toEqual({
      ...{ set: "multiple-choice", hash: expect.stringMatching(/^[0-9a-f]{64}$/), texts: 168, prompts: 0 },
      source: "written for tracemill",
    });
    expect([neutral?.texts, neutral?.prompts]).toEqual([0, 60]);
  });

  test("is refused where a set is not known, with the nearest", async () => {
    const refusal = expect.objectContaining({ code: "UNKNOWN_GENERAL_SET" });
    await expect(loadGeneralSets([{ id: "humaneval" }])).rejects.toThrow(refusal);
  });
});

describe("the distance that the gate judges", () => {
  const point = (step: number, klToBase?: number): CurvePoint =>
    ({
      ...{ step, epoch: step, loss: 1, validationLoss: null, learningRate: null },
      validation: { ...(klToBase !== undefined && { klToBase }) },
    }) as CurvePoint;
  const adapter = (curve: CurvePoint[], bestStep?: number) =>
    ({ curve, ...(bestStep !== undefined && { bestStep }) }) as AdapterManifest;
  const estimate = { nats: 0.5, standardError: 0.1, texts: 10, tokens: 100 };

  test("is the trainer's exact one, of the step whose weights were kept", () => {
    const curve = [point(1, 0.1), point(2, 0.2), point(3, 0.3)];
    expect(klEvidence(adapter(curve), estimate)).toBe(0.3);
    expect(klEvidence(adapter(curve, 2), estimate)).toBe(0.2);
  });

  test("is the estimate where the trainer told none, and null where nothing was drawn", () => {
    expect(klEvidence(adapter([point(1)]), estimate)).toBe(0.5);
    expect(klEvidence(adapter([]), null)).toBeNull();
  });
});
