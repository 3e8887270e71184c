import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { describe, expect, it } from "vitest";
import { type DatasetOrigin, previewDataset, writeDataset } from "../../src/dataset/index.ts";
import { hashFile, hashJson } from "../../src/foundation/hashing.ts";
import { datasetManifestSchema } from "../../src/records/dataset-manifest.ts";
import type { Home } from "../../src/store/home.ts";
import { runPython } from "../fixtures/venv.ts";
import { withHome } from "../store/sample-run.ts";
import { sampleBase, sampleExample, sampleOrigin, sampleSelection, toolExample } from "./sample-selection.ts";

const EXAMPLES = [
  ...[1, 2, 3].map((n) => sampleExample(n)),
  sampleExample(4, { part: "validation", family: "zoo", reward: 0.5 }),
];

const FIXED = { origin: sampleOrigin(), format: "jsonl", minRows: 1, reasons: new Map<string, string>() };

async function write(
  home: Home,
  examples = EXAMPLES,
  { template, origin = FIXED.origin }: { template?: string; origin?: DatasetOrigin } = {},
) {
  return writeDataset(home, {
    ...FIXED,
    ...(await sampleBase(template)),
    origin,
    selection: sampleSelection(examples),
  });
}

async function rowsOf(path: string): Promise<{ id: string; prompt: { content: string }[] }[]> {
  const text = await readFile(path, "utf8");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

async function parquetRows(path: string) {
  const connection = await (await DuckDBInstance.create()).connect();
  const reader = await connection.runAndReadAll("SELECT row_id, ids, mask FROM read_parquet($1)", [path]);
  connection.closeSync();
  return reader.getRowObjectsJson() as { row_id: string; ids: number[]; mask: number[] }[];
}

describe("a dataset's folder", () => {
  it("is named by the hash of its manifest, which names its files by theirs", () =>
    withHome(async (home) => {
      const manifest = await write(home);
      const folder = home.datasetFolder(manifest.datasetHash);
      const { datasetHash, ...rest } = datasetManifestSchema.parse(
        JSON.parse(await readFile(join(folder, "manifest.json"), "utf8")),
      );
      expect(hashJson(rest)).toBe(datasetHash);
      expect(rest.files.map(({ path, rows }) => [path, rows])).toEqual([
        ["train.jsonl", 3],
        ["train.parquet", 3],
        ["validation.jsonl", 1],
        ["validation.parquet", 1],
        ["rows.jsonl", 4],
      ]);
      for (const { path, hash } of rest.files) expect(await hashFile(join(folder, path))).toBe(hash);
      expect((await readdir(folder)).sort()).toEqual(
        ["README.md", "manifest.json", ...rest.files.map(({ path }) => path)].sort(),
      );
    }));

  it("holds the ids and mask that the renderer gives for each row's texts", () =>
    withHome(async (home) => {
      const manifest = await write(home);
      const folder = home.datasetFolder(manifest.datasetHash);
      const { renderer } = await sampleBase();
      const rows = await rowsOf(join(folder, "train.jsonl"));
      const tokens = await parquetRows(join(folder, "train.parquet"));
      expect(tokens.map(({ row_id }) => row_id)).toEqual(rows.map(({ id }) => id));
      for (const [i, { prompt, completion }] of EXAMPLES.slice(0, 3).entries()) {
        const rendered = renderer.example(prompt, completion[0] as never, null);
        expect(tokens[i]).toMatchObject(rendered);
        const answer = rendered.ids.filter((_, at) => rendered.mask[at] === 1);
        expect(renderer.decode(answer)).toBe(`${completion[0]?.content}<|im_end|>`);
      }
      expect(manifest.counts.trainTokens).toBe(tokens.reduce((sum, { ids }) => sum + ids.length, 0));
      expect(manifest.counts.trainedTokens).toBe(tokens.flatMap(({ mask }) => mask).filter((bit) => bit === 1).length);
    }));

  it("is the same to the bit when it is made again, and is not written twice", () =>
    withHome(async (home) => {
      const first = await write(home);
      const again = await withHome((other) => write(other));
      expect(again).toEqual(first);
      expect(await write(home)).toEqual(first);
      expect(await readdir(join(home.path, "datasets"))).toEqual([first.datasetHash]);
    }));

  it("is another one when a text, the seed or a setting changes", () =>
    withHome(async (home) => {
      const { settings } = sampleOrigin();
      const made = [
        await write(home),
        await write(home, [...EXAMPLES.slice(1), sampleExample(5)]),
        await write(home, EXAMPLES, { origin: { ...sampleOrigin(), seed: 2 } }),
        await write(home, EXAMPLES, { origin: { ...sampleOrigin(), settings: { ...settings, target: "action" } } }),
      ];
      expect(new Set(made.map(({ datasetHash }) => datasetHash)).size).toBe(made.length);
    }));

  it(
    "has a card that Hugging Face reads as a dataset with its splits",
    () =>
      withHome(async (home) => {
        const { datasetHash } = await write(home);
        const folder = home.datasetFolder(datasetHash);
        const card = await readFile(join(folder, "README.md"), "utf8");
        expect(card).toContain(`license: "apache-2.0"`);
        expect(card).toContain("parse_agent_traces: false");
        const script = `
import json, sys
from datasets import load_dataset
folder, cache = sys.argv[1:]
whole = load_dataset(folder, cache_dir=cache)
alone = load_dataset("json", data_files=folder + "/train.jsonl", split="train", cache_dir=cache)
assert alone.column_names == whole["train"].column_names
print(json.dumps({"splits": {k: v.num_rows for k, v in whole.items()}, "row": alone[0]}))`;
        const loaded = JSON.parse(await runPython(["-c", script, folder, join(home.path, "cache")]));
        expect(loaded.splits).toEqual({ train: 3, validation: 1 });
        expect(loaded.row).toEqual((await rowsOf(join(folder, "train.jsonl")))[0]);
      }),
    60_000,
  );

  it("leaves a part without rows out of the card", () =>
    withHome(async (home) => {
      const { datasetHash, files } = await write(home, EXAMPLES.slice(0, 3));
      const folder = home.datasetFolder(datasetHash);
      expect(await readFile(join(folder, "README.md"), "utf8")).not.toContain("path: validation");
      expect(files.find(({ path }) => path === "validation.parquet")?.rows).toBe(0);
      expect(await parquetRows(join(folder, "validation.parquet"))).toEqual([]);
    }));
});

/** As Gemma 4 does without thinking: the generation prompt holds what the history does not. */
const NOT_PREFIX = `{% for m in messages %}<|im_start|>{{ m.role }}
{{ m.content }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% if messages[0].role == "user" %}<think></think>{% endif %}{% endif %}`;

describe("a row that the base cannot take", () => {
  it("is refused and counted where the prompt does not begin the conversation", () =>
    withHome(async (home) => {
      const bad = sampleExample(7, { prompt: [{ role: "user", content: "How many?" }] });
      const { refusals, counts } = await write(home, [...EXAMPLES, bad], { template: NOT_PREFIX });
      expect(refusals).toEqual([{ reason: "prompt-not-prefix", count: 1, examples: [bad.turn] }]);
      expect(counts).toMatchObject({
        examples: 5,
        trainRows: 3,
        validationRows: 1,
        items: 4,
        families: ["shop"],
      });
    }));

  it("is refused and counted where the template refuses it", () =>
    withHome(async (home) => {
      const template = `{% if tools %}{{ raise_exception("no tools") }}{% endif %}${NOT_PREFIX}`;
      const { refusals } = await write(home, [...EXAMPLES, toolExample(8)], { template });
      expect(refusals).toEqual([{ reason: "template-refused", count: 1, examples: [toolExample(8).turn] }]);
    }));

  it("is refused and counted where it is too long, never cut", () =>
    withHome(async (home) => {
      const long = sampleExample(9, { prompt: [{ role: "user", content: "many words ".repeat(600) }] });
      const { refusals } = await write(home, [...EXAMPLES, long]);
      expect(refusals).toEqual([{ reason: "too-long", count: 1, examples: [long.turn] }]);
    }));
});

describe("a selection without a training row", () => {
  const none = () => sampleSelection(EXAMPLES.slice(3));

  it("is refused with who took what, and leaves nothing behind", () =>
    withHome(async (home) => {
      const selection = { ...none(), examples: 12 };
      selection.refusals.add("truncated", ["t1"], 11);
      const writing = writeDataset(home, { ...FIXED, ...(await sampleBase()), selection });
      await expect(writing).rejects.toMatchObject({
        code: "EMPTY_SELECTION",
        details: { got: "12 examples; truncated 11 (as t1)" },
      });
      expect(await readdir(join(home.path, "datasets"))).toEqual([]);
    }));

  it("is refused by a preview too", async () => {
    const preview = previewDataset({ ...FIXED, ...(await sampleBase()), selection: none() });
    await expect(preview).rejects.toMatchObject({ code: "EMPTY_SELECTION" });
  });
});

it("a selection with fewer training rows than were asked for is refused with how many are left", () =>
  withHome(async (home) => {
    const selection = { ...sampleSelection(EXAMPLES), examples: 15 };
    selection.refusals.add("exact-duplicate", ["t1"], 11);
    const options = { ...FIXED, ...(await sampleBase()), selection };
    await expect(writeDataset(home, { ...options, minRows: 4 })).rejects.toMatchObject({
      code: "TOO_FEW_ROWS",
      details: { got: "3 training rows of 15 examples; exact-duplicate 11 (as t1)" },
    });
    expect(await readdir(join(home.path, "datasets"))).toEqual([]);
    expect((await writeDataset(home, { ...options, minRows: 3 })).counts.trainRows).toBe(3);
  }));

it("a preview counts what would be written, and writes nothing", () =>
  withHome(async (home) => {
    const counts = await previewDataset({ ...FIXED, ...(await sampleBase()), selection: sampleSelection(EXAMPLES) });
    expect(existsSync(join(home.path, "datasets"))).toBe(false);
    expect((await write(home)).counts).toEqual(counts);
  }));
