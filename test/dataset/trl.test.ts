/** TRL itself on files of rows as `--out` writes them, without a card: what its trainers make of the rows, and that they train on them. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { copyTrainRows, writeDataset } from "../../src/dataset/index.ts";
import type { DatasetManifest } from "../../src/records/dataset-manifest.ts";
import type { Tool } from "../../src/records/message.ts";
import type { SelectedRow, Tier } from "../../src/records/selection.ts";
import type { Home } from "../../src/store/home.ts";
import { smollm2Tokenizer } from "../fixtures/smollm2-tokenizer.ts";
import { runPython } from "../fixtures/venv.ts";
import { temporaryHome } from "../harness/setting.ts";
import { call, result, sampleExample, sampleOrigin, samplePair, sampleSelection } from "./sample-selection.ts";

interface Made {
  texts: Record<string, string[]>;
  losses: number[];
  rows: number;
}

const tools: Tool[] = [{ type: "function", function: { name: "read", description: "Reads a file." } }];
const prompt = [
  ...[{ role: "user" as const, content: "Fix it." }, call("read", '{"path": "/etc/motd"}'), result("hello")],
];
/** Tools and none, arguments as text and as an object with other keys. */
const answers = [
  sampleExample(1),
  sampleExample(2, { prompt, tools, completion: [call("read", { lines: 3, deep: 1 }, "c2")] }),
  sampleExample(3),
  sampleExample(4),
];

let made: Record<"sft" | "dpo" | "kto", Made> & { warnings: string[] };
let kto: DatasetManifest;
let home: Home;
let remove: () => void;

async function write(tier: Tier, format: string, rows: SelectedRow[]): Promise<DatasetManifest> {
  const given = { base: null, renderer: null, minRows: 1, reasons: new Map<string, string>() };
  const origin = { ...sampleOrigin(null), tier };
  return writeDataset(home, { ...given, origin, format, selection: sampleSelection(rows) });
}

beforeAll(async () => {
  ({ home, remove } = temporaryHome());
  const sft = await write("demonstrations", "jsonl", answers);
  const dpo = await write("preference-pairs", "dpo", [
    samplePair(1),
    samplePair(2, {
      prompt,
      tools,
      chosen: call("read", '{"lines": 3}', "c2"),
      rejected: call("read", { n: 1 }, "c2"),
    }),
  ]);
  kto = await write("judged", "kto", [
    ...answers,
    ...[5, 6, 7, 8, 9].map((n) => sampleExample(n, { label: false, reward: 0 })),
  ]);
  const weights = { desirable_weight: kto.labels?.goodWeight, undesirable_weight: kto.labels?.badWeight };
  const folder = async (manifest: DatasetManifest) => {
    const out = join(home.path, `out-${manifest.format}`);
    await mkdir(out);
    await copyTrainRows(home, manifest, join(out, "train.jsonl"));
    return out;
  };
  const jobs = [
    ...["sft", await folder(sft), "{}", "dpo", await folder(dpo), "{}"],
    ...["kto", await folder(kto), JSON.stringify({ ...weights, train_sampling_strategy: "sequential" })],
  ];
  const script = join(import.meta.dirname, "trl_steps.py");
  made = JSON.parse((await runPython([script, await smollm2Tokenizer(), home.path, ...jobs])).split("\n").at(-1) ?? "");
}, 240_000);

afterAll(() => remove());

it("the SFT trainer trains on the answer and on nothing before it, in jsonl", () => {
  const { texts, losses, rows } = made.sft;
  expect(rows).toBe(4);
  expect(losses.every(Number.isFinite)).toBe(true);
  expect(texts.trained?.slice(0, 2)).toEqual([
    "SELECT count(*) FROM orders WHERE price > 1<|im_end|>\n",
    "read(lines=3;deep=1;)<|im_end|>\n",
  ]);
});

it("the template sees the keys of each call and no others, and the tools where there are any", () => {
  const [plain, called] = made.sft.texts.input_ids ?? [];
  expect(called).toContain("read(path=/etc/motd;)");
  expect(called).toContain("Reads a file.");
  expect(plain).not.toContain("Reads a file.");
});

it("the DPO trainer takes prompt, chosen and rejected apart, in dpo", () => {
  const { texts, losses } = made.dpo;
  expect(losses.every(Number.isFinite)).toBe(true);
  expect(texts.chosen_ids).toEqual([
    "SELECT count(*) FROM orders WHERE price > 1<|im_end|>\n",
    "read(lines=3;)<|im_end|>\n",
  ]);
  expect(texts.rejected_ids).toEqual(["SELECT 1 FROM orders<|im_end|>\n", "read(n=1;)<|im_end|>\n"]);
  expect(texts.prompt_ids?.[1]).toContain("read(path=/etc/motd;)");
});

it("the KTO trainer takes both labels, and finds the manifest's weights in its range, in kto", () => {
  const { texts, losses, rows } = made.kto;
  expect(rows).toBe(9);
  expect(losses.every(Number.isFinite)).toBe(true);
  expect(texts.completion_ids?.[1]).toBe("read(lines=3;deep=1;)<|im_end|>\n");
  expect(kto.labels).toEqual({ good: 4, bad: 5, goodWeight: 1.458, badWeight: 1 });
  expect(made.warnings.filter((text) => text.includes("desirable"))).toEqual([]);
});

it("no trainer finds a prompt that does not begin its conversation", () => {
  expect(made.warnings.filter((text) => text.includes("not a prefix"))).toEqual([]);
});
