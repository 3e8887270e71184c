import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { extensionIds, loadExtension } from "../../src/foundation/discovery.ts";
import { PACKAGE_FOLDER } from "../../src/foundation/package-folder.ts";
import { foreignAxes } from "../../src/validate/foreign-results.ts";
import type { ResultReader } from "../../src/validate/reader.ts";
import { zipFile } from "../capture/importers/zip-files.ts";
import { writeInspectArchive, writeInspectJson, writeLmEval } from "./readers/written-results.ts";

const READERS = join(import.meta.dirname, "../../src/validate/readers");
const readers = await Promise.all(
  (await extensionIds(READERS)).map(async (id) => ({
    id,
    reader: await loadExtension<ResultReader>(READERS, "reader", id),
  })),
);

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tracemill-results-"));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const at = (name: string) => join(folder, name);
const refusal = (code: string) => expect.objectContaining({ name: "Refusal", code });

describe.each(readers)("the reader $id", ({ reader }) => {
  test("says what it reads, and knows nothing of files that are not there or say nothing", async () => {
    await writeFile(at("note_2026-11-20T10-15-00.json"), "\u0000\uFFFD");
    await writeFile(at("log.eval"), "PK\u0003\u0004 and then nothing");
    expect(reader.summary).toMatch(/^\S[^\n]+\S$/);
    expect(await reader.detects(at("nowhere"))).toBe(false);
    const read = await reader.read(folder);
    expect(read.tasks).toEqual([]);
    expect(read.rejected.length).toBeGreaterThan(0);
  });
});

describe("results of lm-evaluation-harness", () => {
  test("are paired sample by sample, by the first filter and a metric of which more is better", async () => {
    const base = await writeLmEval(at("base"), [{ task: "arc_easy", scores: [1, 0, 1, 1] }]);
    const candidate = await writeLmEval(at("candidate"), [{ task: "arc_easy", scores: [1, 1, 0, 1] }]);
    expect(await foreignAxes({ base, candidate })).toEqual({
      axes: [
        {
          ...{ name: "lm-evaluation-harness:arc_easy", metric: "acc", baseRate: 0.75, unpaired: 0 },
          differences: [[0], [1], [-1], [0]],
          counts: { both: 2, onlyTreatment: 1, onlyReference: 1, neither: 0 },
        },
      ],
      ...{ missing: [], rejected: [] },
    });
  });

  test("of a group are one axis, with a cluster for each of its tasks", async () => {
    const tasks = (first: number[]) => [
      { task: "mmlu_law", group: "mmlu", scores: first },
      { task: "mmlu_art", group: "mmlu", scores: [0, 1] },
    ];
    const base = await writeLmEval(at("base"), tasks([1, 1]));
    const candidate = await writeLmEval(at("candidate"), tasks([1, 0]));
    const { axes } = await foreignAxes({ base, candidate });
    expect(axes.map(({ name, differences }) => [name, differences])).toEqual([
      [
        "lm-evaluation-harness:mmlu",
        [
          [0, 0],
          [0, -1],
        ],
      ],
    ]);
  });

  test("count as the newest of a folder", async () => {
    const base = await writeLmEval(at("base"), [{ task: "t", scores: [1, 1] }]);
    await writeLmEval(at("base"), [{ task: "t", scores: [0, 0] }], "2026-11-21T10-15-00.000001");
    const candidate = await writeLmEval(at("candidate"), [{ task: "t", scores: [1, 1] }]);
    expect((await foreignAxes({ base, candidate })).axes[0]?.differences).toEqual([[1], [1]]);
  });

  test.each([
    ["another version of the task", { version: 2 }],
    ["another metric", { metric: "exact_match" }],
    ["another prompt", { prompt: "with examples" }],
    ["more samples", { scores: [1, 0, 1, 1, 1] }],
  ])("are not compared where one arm has %s", async (_, other) => {
    const base = await writeLmEval(at("base"), [{ task: "t", scores: [1, 0, 1, 1] }]);
    const candidate = await writeLmEval(at("candidate"), [{ task: "t", scores: [1, 0, 1, 1], ...other }]);
    await expect(foreignAxes({ base, candidate })).rejects.toThrow(refusal("RESULTS_DIFFER"));
  });

  test("are left out task by task where a line does not fit, and named", async () => {
    const tasks = [
      { task: "good", scores: [1, 0] },
      { task: "torn", scores: [1, 0] },
    ];
    const [base, candidate] = [await writeLmEval(at("base"), tasks), await writeLmEval(at("candidate"), tasks)];
    const inner = join(candidate, "org__model");
    const torn = (await readdir(inner)).find((name) => name.startsWith("samples_torn")) ?? "";
    await writeFile(join(inner, torn), '{"doc_id":0,"acc":\n');
    const { axes, missing, rejected } = await foreignAxes({ base, candidate });
    expect(axes.map(({ name }) => name)).toEqual(["lm-evaluation-harness:good"]);
    expect(missing.map(({ name }) => name)).toEqual(["lm-evaluation-harness:torn"]);
    expect(rejected.map(({ reason }) => reason)).toEqual(["it is not JSON"]);
  });

  test("of a group leave out a task that is scored otherwise, and may have any name", async () => {
    const tasks = [
      { task: "constructor", group: "g", scores: [1, 0] },
      { task: "other", group: "g", scores: [1, 1], metric: "exact_match" },
    ];
    const base = await writeLmEval(at("base"), tasks);
    const { axes, rejected } = await foreignAxes({ base, candidate: base });
    expect(axes.map(({ name, differences }) => [name, differences])).toEqual([["lm-evaluation-harness:g", [[0, 0]]]]);
    expect(rejected[0]?.reason).toBe("its exact_match is not the acc of g");
  });

  test("without samples are refused, with how to get them", async () => {
    const base = await writeLmEval(at("base"), []);
    const none = expect.objectContaining({
      details: expect.objectContaining({ got: expect.stringContaining("--log_samples") }),
    });
    await expect(foreignAxes({ base, candidate: base })).rejects.toThrow(none);
  });
});

describe("logs of Inspect", () => {
  test.each(["summaries", "journal", "samples"] as const)("are read by their %s", async (form) => {
    const base = await writeInspectArchive(at("base.eval"), { a: ["C"], b: ["I"], c: ["P"] }, form);
    const candidate = await writeInspectArchive(at("candidate.eval"), { a: ["I"], b: ["I"], c: ["C"] }, form);
    const { axes } = await foreignAxes({ base, candidate });
    expect(axes).toEqual([
      {
        ...{ name: "inspect:trivia", metric: "match", baseRate: 0.5, unpaired: 0, counts: null },
        differences: [[-1], [0], [0.5]],
      },
    ]);
  });

  test("count each epoch of a sample as a try at it", async () => {
    const base = await writeInspectJson(at("base.json"), "trivia", { a: [1, 0], b: [true, true] });
    const candidate = await writeInspectJson(at("candidate.json"), "trivia", { a: [1, 1], b: [false, true] });
    const [axis] = (await foreignAxes({ base, candidate })).axes;
    expect([axis?.differences, axis?.counts]).toEqual([[[0.5], [-0.5]], null]);
  });

  test("are not compared where many samples of one arm broke", async () => {
    const base = await writeInspectJson(at("base.json"), "trivia", { a: ["C"], b: ["C"] });
    const candidate = await writeInspectJson(at("candidate.json"), "trivia", { a: ["C"], b: [null] });
    await expect(foreignAxes({ base, candidate })).rejects.toThrow(refusal("RESULTS_DIFFER"));
  });

  test("may be a folder of tasks, of which those of both arms count", async () => {
    await mkdir(at("base"));
    await mkdir(at("candidate"));
    for (const task of ["one", "two"]) await writeInspectJson(at(`base/${task}.json`), task, { a: ["C"], b: ["I"] });
    await writeInspectJson(at("candidate/two.json"), "two", { a: ["C"], b: ["C"] });
    await writeInspectJson(at("candidate/three.json"), "three", { a: ["C"], b: ["C"] });
    const { axes, missing } = await foreignAxes({ base: at("base"), candidate: at("candidate") });
    expect(axes.map(({ name, differences }) => [name, differences])).toEqual([["inspect:two", [[0], [1]]]]);
    expect(missing.map(({ name, reason }) => [name, reason.split(" hold")[0]])).toEqual([
      ["inspect:one", "The results of the candidate"],
      ["inspect:three", "The results of the base"],
    ]);
  });

  test("may be hostile: names of an object's own, scores of no kind, a member that lies", async () => {
    await writeInspectJson(at("odd.json"), "constructor", { ["__proto__"]: ["C"], toString: ["C"], c: ["\u0000"] });
    const samples = [{ id: "a", epoch: 1, scores: { match: { value: "C" } } }];
    const header = JSON.stringify({ eval: { task: "trivia" } });
    const entries = [
      { name: "header.json", text: header, method: 8 as const },
      { name: "summaries.json", text: JSON.stringify(samples), method: 8 as const, claims: { sizeBytes: 1 } },
    ];
    await writeFile(at("lie.eval"), zipFile(entries));
    const inspect = readers.find(({ id }) => id === "inspect")?.reader as ResultReader;
    const { tasks, rejected } = await inspect.read(folder);
    expect(tasks.map(({ task, samples: read }) => [task, [...read.keys()]])).toEqual([
      ["constructor", ['"__proto__"', '"toString"']],
    ]);
    expect(rejected.map(({ where }) => where)).toContain(`${at("lie.eval")}#summaries.json`);
  });
});

test("results that nobody knows are refused with what is known", async () => {
  await writeFile(at("scores.csv"), "a,b\n");
  const base = at("scores.csv");
  await expect(foreignAxes({ base, candidate: base })).rejects.toThrow(refusal("UNKNOWN_RESULTS"));
});

test("results that are not there are refused as that, whichever of the two", async () => {
  const there = join(import.meta.dirname, "readers/samples/lm-evaluation-harness");
  for (const paths of [
    { base: at("nowhere"), candidate: there },
    { base: there, candidate: at("nowhere") },
  ]) {
    await expect(foreignAxes(paths)).rejects.toMatchObject({
      ...{ name: "Refusal", code: "NO_SUCH_PATH", details: { where: at("nowhere"), got: "no such file or folder" } },
    });
  }
});

test("what lm-evaluation-harness 0.4.13 itself wrote of eight questions is read whole", async () => {
  const path = join(import.meta.dirname, "readers/samples/lm-evaluation-harness");
  const { axes, rejected } = await foreignAxes({ base: path, candidate: path });
  expect(rejected).toEqual([]);
  expect(axes.map(({ name, metric, baseRate, counts }) => ({ name, metric, baseRate, counts }))).toEqual([
    {
      ...{ name: "lm-evaluation-harness:tinyquiz", metric: "acc", baseRate: 0.5 },
      counts: { both: 4, onlyTreatment: 0, onlyReference: 0, neither: 4 },
    },
  ]);
});

const REAL = join(PACKAGE_FOLDER, "..", "shared", "fixtures", "inspect");
if (!existsSync(REAL)) console.log("skipped: Inspect's own logs are not beside this checkout");

describe.skipIf(!existsSync(REAL))("logs that Inspect itself wrote", () => {
  test.each(["log_formats.eval", "log_formats.json", "2025-05-12T20-28-13-04-00_popularity.json"])(
    "are read, and differ from themselves by nothing: %s",
    async (name) => {
      const path = join(REAL, name);
      const { axes, rejected } = await foreignAxes({ base: path, candidate: path });
      expect(rejected).toEqual([]);
      expect(axes.map((axis) => axis.name)).toEqual(["inspect:popularity"]);
      expect(axes[0]?.differences.flat().every((difference) => difference === 0)).toBe(true);
    },
  );
});
