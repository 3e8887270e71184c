import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { describe, expect, it } from "vitest";
import { type DatasetOrigin, previewDataset, writeDataset } from "../../src/dataset/index.ts";
import { hashFile, hashJson } from "../../src/foundation/hashing.ts";
import { sumOf } from "../../src/foundation/sums.ts";
import { datasetManifestSchema } from "../../src/records/dataset-manifest.ts";
import type { Message } from "../../src/records/message.ts";
import type { Tier } from "../../src/records/selection.ts";
import type { Home } from "../../src/store/home.ts";
import { withHome } from "../store/sample-run.ts";
import {
  attemptExample,
  call,
  sampleBase,
  sampleExample,
  sampleOrigin,
  samplePair,
  sampleRows,
  sampleSelection,
  sampleTipPair,
  toolExample,
} from "./sample-selection.ts";

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

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map((entry) => relative(folder, join(entry.parentPath, entry.name))).sort();
}

async function parquetRows(path: string, columns = "row_id, ids, mask") {
  const connection = await (await DuckDBInstance.create()).connect();
  const reader = await connection.runAndReadAll(`SELECT ${columns} FROM read_parquet($1)`, [path]);
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
        ["tokens/train.parquet", 3],
        ["validation.jsonl", 1],
        ["tokens/validation.parquet", 1],
        ["rows.jsonl", 4],
        ["duplicates.jsonl", 0],
      ]);
      for (const { path, hash } of rest.files) expect(await hashFile(join(folder, path))).toBe(hash);
      expect(await filesIn(folder)).toEqual(
        ["README.md", "croissant.json", "manifest.json", ...rest.files.map(({ path }) => path)].sort(),
      );
    }));

  it("holds the ids and mask that the renderer gives for each row's texts", () =>
    withHome(async (home) => {
      const manifest = await write(home);
      const folder = home.datasetFolder(manifest.datasetHash);
      const { renderer } = await sampleBase();
      const rows = await rowsOf(join(folder, "train.jsonl"));
      const tokens = await parquetRows(join(folder, "tokens", "train.parquet"));
      expect(tokens.map(({ row_id }) => row_id)).toEqual(rows.map(({ id }) => id));
      for (const [i, { prompt, completion }] of EXAMPLES.slice(0, 3).entries()) {
        const rendered = renderer.example(prompt, completion[0] as never, null);
        expect(tokens[i]).toMatchObject(rendered);
        const answer = rendered.ids.filter((_, at) => rendered.mask[at] === 1);
        expect(renderer.decode(answer)).toBe(`${completion[0]?.content}<|im_end|>`);
      }
      expect(manifest.counts.trainTokens).toBe(sumOf(tokens, ({ ids }) => ids.length));
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

  it("names a column of dates as JSON on its card, which a loader would else write out as times", () =>
    withHome(async (home) => {
      const on = (n: number, day: string) =>
        sampleExample(n, { completion: [{ role: "assistant", content: `2024-05-${day}` }] });
      const typesOf = async (examples: (typeof EXAMPLES)[number][]) => {
        const selection = sampleSelection(examples);
        const options = { ...FIXED, ...(await sampleBase()), format: "jsonl-flat", selection };
        const { datasetHash } = await writeDataset(home, options);
        const card = await readFile(join(home.datasetFolder(datasetHash), "README.md"), "utf8");
        return Object.fromEntries(
          [...card.matchAll(/- name: (\w+)\n +dtype: (\w+)/g)].map(([, name, type]) => [name, type]),
        );
      };
      const dates = [on(1, "14"), on(2, "15T10:00:00Z")];
      expect(await typesOf(dates)).toEqual({ prompt: "string", response: "json", reward: "float64" });
      expect(await typesOf([...dates, sampleExample(3)])).toMatchObject({ response: "string" });
    }));

  it("leaves a part without rows out of the card", () =>
    withHome(async (home) => {
      const { datasetHash, files } = await write(home, EXAMPLES.slice(0, 3));
      const folder = home.datasetFolder(datasetHash);
      expect(await readFile(join(folder, "README.md"), "utf8")).not.toContain("path: validation");
      expect(files.find(({ path }) => path === "tokens/validation.parquet")?.rows).toBe(0);
      expect(await parquetRows(join(folder, "tokens", "validation.parquet"))).toEqual([]);
    }));
});

/** As Gemma 4 does without thinking: the generation prompt holds what the history does not. */
const NOT_PREFIX = `{% for m in messages %}<|im_start|>{{ m.role }}
{{ m.content }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% if messages[0].role == "user" %}<think></think>{% endif %}{% endif %}`;

describe("a dataset without a base", () => {
  const bare = { base: null, renderer: null, origin: sampleOrigin(null) };

  it("holds texts alone, and says so by null", () =>
    withHome(async (home) => {
      const manifest = await writeDataset(home, { ...FIXED, ...bare, selection: sampleSelection(EXAMPLES) });
      expect(manifest).toMatchObject({ base: null, tokenizerHash: null, templateHash: null });
      expect(manifest.counts).toMatchObject({ trainRows: 3, trainTokens: null, trainedTokens: null });
      expect(manifest.files.map(({ path }) => path)).toEqual([
        ...["train.jsonl", "validation.jsonl", "rows.jsonl", "duplicates.jsonl"],
      ]);
      const folder = home.datasetFolder(manifest.datasetHash);
      expect(await filesIn(folder)).toEqual([
        ...["README.md", "croissant.json", "duplicates.jsonl", "manifest.json", "rows.jsonl"],
        ...["train.jsonl", "validation.jsonl"],
      ]);
      expect(await readFile(join(folder, "README.md"), "utf8")).toContain("texts, for any base");
      expect(await previewDataset({ ...FIXED, ...bare, selection: sampleSelection(EXAMPLES) })).toEqual(
        manifest.counts,
      );
    }));

  it("is refused in a format of tokens", () =>
    withHome(async (home) => {
      const options = { ...FIXED, ...bare, format: "tokens", selection: sampleSelection(EXAMPLES) };
      await expect(writeDataset(home, options)).rejects.toMatchObject({ code: "FORMAT_NEEDS_BASE" });
      expect(existsSync(join(home.path, "datasets"))).toBe(false);
    }));
});

describe("a tier", () => {
  const of = (tier: Tier, format: string) => ({ format, origin: { ...sampleOrigin(), tier } });

  it("is refused in a format that cannot hold it, which names those that can", () =>
    withHome(async (home) => {
      const selection = sampleSelection(sampleRows("preference-pairs"));
      const options = { ...FIXED, ...of("preference-pairs", "kto"), ...(await sampleBase()), selection };
      await expect(writeDataset(home, options)).rejects.toMatchObject({
        code: "FORMAT_OF_ANOTHER_TIER",
        details: { expected: "a format that can: dpo, openai-dpo" },
      });
    }));

  it("of answers takes no pair of tips, and one of tips no pair of answers", () =>
    withHome(async (home) => {
      const selection = sampleSelection([samplePair(1), sampleTipPair(2)]);
      const ofAnswers = { ...FIXED, ...of("preference-pairs", "dpo"), ...(await sampleBase()), selection };
      expect((await writeDataset(home, ofAnswers)).refusals).toMatchObject([{ reason: "other-tier", count: 2 }]);
      const ofTips = {
        ...ofAnswers,
        ...of("reranker-pairs", "triplets"),
        selection: sampleSelection([samplePair(1), sampleTipPair(2)]),
      };
      const manifest = await writeDataset(home, ofTips);
      expect(manifest.refusals).toMatchObject([{ reason: "other-tier", count: 2 }]);
      const folder = home.datasetFolder(manifest.datasetHash);
      expect(existsSync(join(folder, "tokens"))).toBe(false);
      expect(await readFile(join(folder, "README.md"), "utf8")).toContain("text-ranking");
      const [line = ""] = (await readFile(join(folder, "rows.jsonl"), "utf8")).split("\n");
      expect(JSON.parse(line).tips).toEqual(["tip-0000000000000002", "tip-ffffffffffffffff"]);
    }));

  it("of pairs has the tokens of both conversations, the balance of their lengths and the models of both", () =>
    withHome(async (home) => {
      const pairs = [samplePair(1), samplePair(2, { rejected: { role: "assistant", content: "no" } })];
      const selection = sampleSelection([...pairs, samplePair(3, { part: "validation", family: "zoo" })]);
      const { base, renderer } = await sampleBase();
      const manifest = await writeDataset(home, {
        ...FIXED,
        ...of("preference-pairs", "dpo"),
        base,
        renderer,
        selection,
      });
      const mean = (texts: (string | null)[]) => sumOf(texts, (text) => text?.length ?? 0) / 2;
      expect(manifest.pairLengths).toMatchObject({
        chosenCharacters: mean(pairs.map(({ chosen }) => chosen.content)),
        rejectedCharacters: mean(pairs.map(({ rejected }) => rejected.content)),
      });
      expect(manifest.models).toEqual([
        { model: "other", rows: 3 },
        { model: "smollm2", rows: 3 },
      ]);
      const tokens = join(home.datasetFolder(manifest.datasetHash), "tokens", "train.parquet");
      const [row] = await parquetRows(tokens, "chosen_ids, chosen_mask, rejected_ids, rejected_mask");
      const [chosen, rejected] = [pairs[0]?.chosen, pairs[0]?.rejected].map((answer) =>
        renderer.example(pairs[0]?.prompt ?? [], answer as Message, null),
      );
      expect(row).toEqual({
        ...{ chosen_ids: chosen?.ids, chosen_mask: chosen?.mask },
        ...{ rejected_ids: rejected?.ids, rejected_mask: rejected?.mask },
      });
      const trained = (mask: readonly number[] = []) => mask.filter((bit) => bit === 1).length;
      expect(manifest.pairLengths?.rejectedTokens).toBe((trained(rejected?.mask) + 2) / 2); // "no" and its end
    }));

  it("of judged answers has their counts and weights that even them out", () =>
    withHome(async (home) => {
      const bad = [1, 2, 3, 4].map((n) => sampleExample(n, { label: false, reward: 0 }));
      const selection = sampleSelection([...bad, sampleExample(5)]);
      const { labels } = await writeDataset(home, {
        ...FIXED,
        ...of("judged", "kto"),
        ...(await sampleBase()),
        selection,
      });
      expect(labels).toEqual({ good: 1, bad: 4, goodWeight: 4.667, badWeight: 1 });
    }));

  it.each([
    ["good", true],
    ["bad", false],
  ])("of judged answers is refused where all are %s, and leaves nothing behind", (word, label) =>
    withHome(async (home) => {
      const selection = sampleSelection([sampleExample(1, { label }), sampleExample(2, { label })]);
      selection.refusals.add("no-clean-label", ["t1"], 3);
      const writing = writeDataset(home, {
        ...FIXED,
        ...of("judged", "kto"),
        ...(await sampleBase()),
        selection,
      });
      await expect(writing).rejects.toMatchObject({
        code: "ONE_LABEL_ALONE",
        details: { got: `${word} ones alone; no-clean-label 3 (as t1)` },
      });
      expect(await readdir(join(home.path, "datasets"))).toEqual([]);
    }),
  );

  it("of prompts has no tokens to train on, and counts the prompts' own", () =>
    withHome(async (home) => {
      const { base, renderer } = await sampleBase();
      const selection = sampleSelection([sampleExample(1)]);
      const manifest = await writeDataset(home, { ...FIXED, ...of("prompts", "prompts"), base, renderer, selection });
      expect(manifest.files.map(({ path }) => path)).toEqual([
        ...["train.jsonl", "validation.jsonl", "rows.jsonl", "duplicates.jsonl"],
      ]);
      const { ids } = renderer.prompt(sampleExample(1).prompt, null);
      expect(manifest.counts).toMatchObject({ trainTokens: ids.length, trainedTokens: 0 });
    }));
});

describe("what the rows are made of", () => {
  it("is counted by skill, family and part, and by model", () =>
    withHome(async (home) => {
      const { bySkill, byFamily, models, labels, pairLengths } = await write(home, [
        ...EXAMPLES,
        sampleExample(6, { family: "bank", model: null }),
      ]);
      expect(bySkill).toEqual([{ skill: "sql", trainRows: 4, validationRows: 1 }]);
      expect(byFamily).toEqual([
        { skill: "sql", family: "bank", part: "train", rows: 1 },
        { skill: "sql", family: "shop", part: "train", rows: 3 },
        { skill: "sql", family: "zoo", part: "validation", rows: 1 },
      ]);
      expect(models).toEqual([
        { model: "smollm2", rows: 4 },
        { model: null, rows: 1 },
      ]);
      expect([labels, pairLengths]).toEqual([null, null]);
    }));
});

describe("a row that the format cannot say", () => {
  it("is refused and counted with the format's reason, and is in no count", () =>
    withHome(async (home) => {
      const steps = [...attemptExample(9).completion.slice(2), ...sampleExample(1).completion];
      const bad = sampleExample(9, { completion: steps, trained: [false, true] });
      const { refusals, counts, models } = await write(home, [...EXAMPLES, bad]);
      expect(refusals).toEqual([{ reason: "cannot-mask-a-step", count: 1, examples: [bad.turn] }]);
      expect(counts.trainRows).toBe(3);
      expect(models).toEqual([{ model: "smollm2", rows: 4 }]);
      const fix = expect.stringMatching(/^choose a `--format` that can say such rows/);
      await expect(write(home, [bad])).rejects.toMatchObject({ code: "EMPTY_SELECTION", details: { fix } });
      await expect(write(home, [])).rejects.toMatchObject({
        details: { fix: expect.not.stringContaining("--format") },
      });
    }));

  it.each([
    ["a text", { prompt: [{ role: "user" as const, content: "half \ud83d" }] }],
    ["a key of a tool", { tools: [{ type: "function" as const, function: { name: "x", "\udc00": 1 } }] }],
    ["arguments that escape it", { completion: [{ ...call("x", '{"a": "\\ud800"}'), content: "x" }] }],
  ])("is refused where half of a surrogate pair is in %s", (_, holding) =>
    withHome(async (home) => {
      const { refusals } = await write(home, [...EXAMPLES, sampleExample(9, holding)]);
      expect(refusals.map(({ reason }) => reason)).toEqual(["lone-surrogate"]);
    }),
  );

  it("is kept where a text only spells such an escape out", () =>
    withHome(async (home) => {
      const spelled = sampleExample(9, { prompt: [{ role: "user", content: "what is \\ud800?" }] });
      expect((await write(home, [...EXAMPLES, spelled])).refusals).toEqual([]);
    }));
});

describe("an attempt of several messages", () => {
  const steps = [
    { role: "assistant" as const, content: "SELECT 1" },
    { role: "user" as const, content: "Wrong." },
    { role: "assistant" as const, content: "SELECT 2" },
  ];

  it("has the loss on each trained one and on the token that ends it", () =>
    withHome(async (home) => {
      const { datasetHash } = await write(home, [
        sampleExample(1, { completion: steps, trained: [true, false, true] }),
      ]);
      const { renderer } = await sampleBase();
      const [row] = await parquetRows(join(home.datasetFolder(datasetHash), "tokens", "train.parquet"));
      const ids = row?.ids.filter((_, at) => row.mask[at] === 1) ?? [];
      expect(renderer.decode(ids)).toBe("SELECT 1<|im_end|>SELECT 2<|im_end|>");
    }));

  it("is refused where nothing of it is to be trained on", () =>
    withHome(async (home) => {
      const idle = sampleExample(9, { completion: steps, trained: [false, false, false] });
      const { refusals } = await write(home, [...EXAMPLES, idle]);
      expect(refusals).toEqual([{ reason: "nothing-trained", count: 1, examples: [idle.turn] }]);
    }));
});

describe("a row that the base cannot take", () => {
  it("is refused and counted where the prompt does not begin the conversation", () =>
    withHome(async (home) => {
      const bad = sampleExample(7, { prompt: [{ role: "user", content: "How many?" }] });
      const { refusals, counts } = await write(home, [...EXAMPLES, bad], { template: NOT_PREFIX });
      expect(refusals).toEqual([{ reason: "prompt-not-prefix", count: 1, examples: [bad.turn] }]);
      const fix = expect.stringMatching(/^name a `--base` .*, or `--base none` for texts alone, loosen/);
      await expect(write(home, [bad], { template: NOT_PREFIX })).rejects.toMatchObject({ details: { fix } });
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

  it("is refused and counted where the template leaves an answer out, as this base's does with tool calls", () =>
    withHome(async (home) => {
      const { refusals } = await write(home, [...EXAMPLES, toolExample(8), attemptExample(9)]);
      expect(refusals.map(({ reason, count }) => [reason, count])).toEqual([["answer-not-shown", 2]]);
    }));

  /** A template that shows of each message what `shown` says, after whatever `head` shows of the tools. */
  const templateOf = (shown: string, head = "") =>
    `${head}{% for m in messages %}<|im_start|>{{ m.role }}:${shown}<|im_end|>{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant:{% endif %}`;
  const CONTENT = "{{ m.content }}";
  const CALLS = "{% for c in m.tool_calls or [] %}{{ c.function.name }}{% endfor %}";
  const tools = [{ type: "function" as const, function: { name: "read" } }];
  const prompt = [
    { role: "user" as const, content: "Fix what read says." },
    call("read", '{"path":"/x"}'),
    { role: "tool" as const, content: "hello", tool_call_id: "c1" },
  ];
  const done = { completion: [{ role: "assistant" as const, content: "read says hello" }] };

  it.each([
    ["a tool's result", `{% if m.role != "tool" %}${CONTENT}{% endif %}${CALLS}`, { prompt, ...done }],
    ["a call that its prompt holds", CONTENT, { prompt, ...done }],
    ["its tools", CONTENT + CALLS, { tools, ...done }],
    ["a call beside a text", CONTENT, { completion: [{ ...call("read", "{}"), content: "I read it." }] }],
  ])("is refused and counted where the template leaves %s out", (_, shown, holding) =>
    withHome(async (home) => {
      const { refusals } = await write(home, [...EXAMPLES, sampleExample(9, holding)], {
        template: templateOf(shown),
      });
      expect(refusals.map(({ reason, count }) => [reason, count])).toEqual([["prompt-not-shown", 1]]);
    }),
  );

  it("is kept where the template shows all of it", () =>
    withHome(async (home) => {
      const template = templateOf(CONTENT + CALLS, "{% for t in tools or [] %}{{ t.function.name }}{% endfor %}");
      const whole = sampleExample(9, { prompt, tools, ...done });
      expect((await write(home, [...EXAMPLES, whole], { template })).refusals).toEqual([]);
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
        details: { got: "12 examples; truncated 11 (as t1); 1 of validation families" },
      });
      expect(await readdir(join(home.path, "datasets"))).toEqual([]);
    }));

  it.each([
    ["cannot-mask-a-step", "kto", /choose a `--format` that can say such rows/],
    ["cannot-mask-a-step", "openai", /^loosen `--filter`, or collect more/],
    ["answer-not-shown", "openai", /name a `--base` whose template shows/],
  ])("says what else may give rows where the format or the template took them: %s, %s", async (reason, format, fix) => {
    const tier: Tier = format === "kto" ? "judged" : "demonstrations";
    const selection = none();
    selection.refusals.add(reason, ["t1"]);
    const origin = { ...sampleOrigin(), tier };
    await expect(
      previewDataset({ ...FIXED, ...(await sampleBase()), origin, format, selection }),
    ).rejects.toMatchObject({
      details: { fix: expect.stringMatching(fix) },
    });
  });

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
      details: { got: "3 training rows of 15 examples; exact-duplicate 11 (as t1); 1 of validation families" },
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
