/**
 * `tracemill export` on real homes: the function that the loop calls, and the command as a user types it.
 */
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it, vi } from "vitest";
import { exportDataset, previewExport } from "../../src/commands/export.ts";
import { systemClock } from "../../src/foundation/clock.ts";
import { writeJsonAtomic } from "../../src/foundation/files.ts";
import { hashJson, hashText } from "../../src/foundation/hashing.ts";
import { PACKAGE_FOLDER } from "../../src/foundation/package-folder.ts";
import { runHarness } from "../../src/harness/index.ts";
import { type Plan, planSchema } from "../../src/records/comparison.ts";
import { itemId } from "../../src/records/ids.ts";
import type { Message } from "../../src/records/message.ts";
import type { Home } from "../../src/store/home.ts";
import { appendLedger, readLedger } from "../../src/store/ledger.ts";
import { listDatasets, writeBaseManifest } from "../../src/store/manifests.ts";
import { type RunDraft, writeRun } from "../curate/written-run.ts";
import { sampleBase } from "../dataset/sample-selection.ts";
import { startScriptedModel } from "../fixtures/scripted-model.ts";
import letters from "../fixtures/skills/letters/skill.ts";
import { smollm2Tokenizer } from "../fixtures/smollm2-tokenizer.ts";
import { coin, itemsOf, runOptions } from "../harness/setting.ts";
import { withHome } from "../store/sample-run.ts";
import { sampleDraft } from "../validate/sample-comparison.ts";

const TRAIN: RunDraft = {
  number: 1,
  attempts: [
    { item: "shop/a", tip: "A lesson. ", answer: "Here:\n```sql\nSELECT 1\n```\nDone.", query: "SELECT 1" },
    { item: "shop/a", query: "SELECT 2" },
    { item: "zoo/b", verdicts: [{ passed: false, value: 0, failureMode: "wrong-rows" }] },
    { item: "zoo/b", finishReason: "length" },
  ],
};
const VALIDATION: RunDraft = { number: 2, split: "validation", attempts: [{ item: "moon/a" }] };
const TEST: RunDraft = { number: 3, split: "test", attempts: [{ item: "secret/a" }] };

const hfFolder = await smollm2Tokenizer();
const { base } = await sampleBase();

/** Runs `use` with a home that has a base and these runs. */
function withRuns<T>(
  runs: RunDraft[],
  use: (home: Home, place: { home: Home; clock: typeof systemClock }) => Promise<T>,
) {
  return withHome(async (home) => {
    await writeBaseManifest(home, { ...base, hfFolder });
    for (const run of runs) await writeRun(home, run);
    return use(home, { home, clock: systemClock });
  });
}

const SQL = { skills: ["sql"] };

async function rowsOf(path: string): Promise<{ item: string; prompt: Message[]; completion: Message[] }[]> {
  return (await readFile(path, "utf8"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

async function registered(home: Home): Promise<string[]> {
  const hashes: string[] = [];
  for await (const entry of readLedger(home)) {
    if (entry.type === "dataset_registered") hashes.push(entry.data.datasetHash);
  }
  return hashes;
}

describe("an export", () => {
  it("writes a dataset that names its inputs, registers it once, and copies its rows", () =>
    withRuns([TRAIN, VALIDATION, TEST], async (home, place) => {
      const out = join(home.path, "worker_sft.jsonl");
      const result = await exportDataset({ ...SQL, out }, place);
      expect(result.manifest).toMatchObject({
        skills: ["sql"],
        role: "worker",
        format: "jsonl",
        filter: "eval_passed=true",
        settings: { tips: "drop", target: "answer", maxPerItem: 2, maxTokens: 8192 },
        base: "smollm2",
        counts: { examples: 5, trainRows: 2, validationRows: 1, items: 2, families: ["shop"] },
      });
      expect(result.manifest.inputs.runs.map(({ run }) => run)).toEqual(result.runs);
      expect(result.refusals.map(({ reason, count }) => [reason, count])).toEqual([
        ["filter", 1],
        ["truncated", 1],
      ]);
      expect(await readFile(out)).toEqual(await readFile(join(result.folder, "train.jsonl")));
      await exportDataset({ ...SQL, out }, place);
      expect(await registered(home)).toEqual([result.datasetHash]);
      expect(await listDatasets(home)).toEqual([result.manifest]);
    }));

  it("names the registered comparisons whose items are held out, which decide its rows, and none over training items", () =>
    withRuns([TRAIN, TEST], async (home, place) => {
      expect((await exportDataset(SQL, place)).manifest.inputs.comparisons).toBeUndefined();
      const planned = async (split: "test" | "train", items: Plan["items"]) => {
        const draft = sampleDraft([], 0, hashText("adapter"));
        const question = { ...draft, skill: { ...draft.skill, id: "sql" }, split, items };
        const comparisonHash = hashJson(question);
        const plan = planSchema.parse({
          ...question,
          comparisonHash,
          plannedAt: "2026-11-01T12:00:00.000Z",
          alpha: 0.05,
          use: 1,
        });
        await writeJsonAtomic(join(home.comparisonFolder(comparisonHash), "plan.json"), plan);
        return comparisonHash;
      };
      const held = await planned("test", [{ item: itemId("sql", "secret/a"), family: "zoo" }]);
      await planned("train", [{ item: itemId("sql", "shop/a"), family: "shop" }]);
      const { manifest } = await exportDataset(SQL, place);
      expect(manifest.inputs.comparisons).toEqual([held]);
      expect(manifest.refusals).toContainEqual(expect.objectContaining({ reason: "held-out-family", count: 1 }));
      const described = await readFile(join(home.datasetFolder(manifest.datasetHash), "croissant.json"), "utf8");
      expect(described).toContain(`urn:tracemill:comparison:${held}`);
    }));

  it("lets no row of a test family into any file, even where its run is asked for", () =>
    withRuns([TRAIN, TEST], async (home, place) => {
      const everyRun = (await readdir(join(home.path, "runs"))).sort();
      const { folder, refusals } = await exportDataset({ ...SQL, runs: everyRun }, place);
      expect(refusals).toContainEqual(expect.objectContaining({ reason: "not-train", count: 1 }));
      const names = await readdir(folder, { recursive: true });
      const files = names.filter((name) => !["manifest.json", "tokens"].includes(name)); // there the refusal names the turn
      for (const name of files)
        expect((await readFile(join(folder, name), "utf8")).includes("secret"), name).toBe(false);
      expect(files).toContain(join("tokens", "train.parquet"));
      await expect(exportDataset({ ...SQL, runs: everyRun.slice(1) }, place)).rejects.toMatchObject({
        code: "EMPTY_SELECTION",
        details: { got: expect.stringContaining("not-train 1") },
      });
    }));

  it("gives the same hash again: later, without its lake, and beside runs that are held out", () =>
    withRuns([TRAIN, VALIDATION], async (home, place) => {
      const { datasetHash } = await exportDataset(SQL, place);
      await rm(home.lake, { recursive: true });
      expect((await exportDataset(SQL, place)).datasetHash).toBe(datasetHash);
      await writeRun(home, TEST);
      expect((await exportDataset(SQL, place)).datasetHash).toBe(datasetHash);
      expect((await exportDataset({ ...SQL, seed: 2 }, place)).datasetHash).not.toBe(datasetHash);
      await writeRun(home, { number: 4, attempts: [{ item: "shop/c" }] });
      expect((await exportDataset(SQL, place)).datasetHash).not.toBe(datasetHash);
    }));

  it("trains on the judged action alone where that is asked for", () =>
    withRuns([TRAIN], async (_, place) => {
      const { folder } = await exportDataset({ ...SQL, target: "action" }, place);
      const rows = await rowsOf(join(folder, "train.jsonl"));
      expect(rows.map(({ completion }) => completion[0]?.content).sort()).toEqual(["SELECT 1", "SELECT 2"]);
    }));

  it("names the runs that are left out because they are not sealed", () =>
    withRuns([TRAIN, { ...VALIDATION, isUnfinished: true }], async (_, place) => {
      const { unsealedRuns, runs } = await exportDataset(SQL, place);
      expect([runs.length, unsealedRuns]).toEqual([1, ["20261101-120002-0000"]]);
    }));

  it("names the runs that are left out because their log is gone, and refuses one that is asked for", () =>
    withRuns([TRAIN, VALIDATION], async (home, place) => {
      const [gone = "", kept = ""] = (await readdir(join(home.path, "runs"))).sort().reverse();
      await rm(home.runLog(gone));
      const { missingRuns, runs } = await exportDataset(SQL, place);
      expect([runs, missingRuns]).toEqual([[kept], [gone]]);
      await expect(exportDataset({ ...SQL, runs: [gone, kept] }, place)).rejects.toMatchObject({ code: "LOG_MISSING" });
    }));

  it("refuses a log that was edited after the lake was made of it", () =>
    withRuns([TRAIN, VALIDATION], async (home, place) => {
      const [run = ""] = (await exportDataset(SQL, place)).runs;
      const log = await readFile(home.runLog(run), "utf8");
      await writeFile(home.runLog(run), log.replace("SELECT 2", "SELECT 3"));
      await expect(exportDataset(SQL, place)).rejects.toMatchObject({ code: "LOG_BROKEN" });
    }));

  it("counts without writing anything where only that is asked for", () =>
    withRuns([TRAIN, VALIDATION], async (home, place) => {
      const { counts, refusals } = await previewExport(SQL, place);
      expect(existsSync(join(home.path, "datasets"))).toBe(false);
      const written = await exportDataset(SQL, place);
      expect([written.counts, written.refusals]).toEqual([counts, refusals]);
    }));
});

describe("a run of the harness", () => {
  it("gives rows whose prompts are those of the skill without tips", () =>
    withRuns([], async (home, place) => {
      const model = await startScriptedModel({ replies: coin });
      try {
        const usual = await runOptions({ home, url: model.url }, { memory: "grow", concurrency: 1 });
        await runHarness(usual);
      } finally {
        await model.close();
      }
      const harnessItems = await itemsOf("train", 6);
      const plain = new Set(harnessItems.map((item) => JSON.stringify(letters.prompt(item))));
      expect(model.requests.some(({ messages }) => !plain.has(JSON.stringify(messages)))).toBe(true);
      vi.stubEnv("TRACEMILL_SKILLS", join(PACKAGE_FOLDER, "test", "fixtures", "skills"));
      const { folder } = await exportDataset({ skills: ["letters"] }, place);
      const items = new Map(harnessItems.map((item) => [item.item as string, item]));
      const rows = await rowsOf(join(folder, "train.jsonl"));
      expect(rows.length).toBeGreaterThan(2);
      for (const { item, prompt } of rows) expect(prompt).toEqual(letters.prompt(items.get(item) as never));
    }));
});

describe("what cannot be exported", () => {
  const cases: [string, Parameters<typeof exportDataset>[0], string, RegExp][] = [
    ["an unknown role", { ...SQL, role: "worcer" }, "UNKNOWN_ROLE", /"worker"/],
    ["a word that is nearly all roles", { ...SQL, role: "alll" }, "UNKNOWN_ROLE", /"all"/],
    ["a role that nothing is known of", { ...SQL, role: "reflector" }, "EMPTY_SELECTION", /--filter/],
    [
      "pairs of a role that has none",
      { ...SQL, role: "auditor", format: "dpo" },
      "ROLE_WITHOUT_PAIRS",
      /demonstrations/,
    ],
    ["an unknown tier's format", { ...SQL, tier: "judged", format: "openai" }, "FORMAT_OF_ANOTHER_TIER", /--format/],
    ["an unknown gate", { ...SQL, without: "noop-pas" }, "UNKNOWN_GATE", /"noop-pass"/],
    ["a gate that is fixed", { ...SQL, without: "not-train" }, "GATE_IS_FIXED", /leave it on/],
    ["a band that is none", { ...SQL, band: "0.9..0.1" }, "BAD_ARGUMENT", /^$/],
    ["secrets left in without a reason", { ...SQL, scrub: "off" }, "SCRUB_REASON_MISSING", /--scrub-reason/],
    ["tokens without a base", { ...SQL, format: "tokens", base: "none" }, "FORMAT_NEEDS_BASE", /--base/],
    ["an unknown skill", { skills: ["sqll"] }, "UNKNOWN_SKILL", /"sql"/],
    ["an unknown format", { ...SQL, format: "jsonn" }, "UNKNOWN_FORMAT", /"jsonl"/],
    ["an unknown field", { ...SQL, filter: "eval_pased=true" }, "UNKNOWN_FILTER_FIELD", /"eval_passed"/],
    ["an unknown base", { ...SQL, base: "smolm2" }, "UNKNOWN_BASE", /"smollm2"/],
    ["an unknown run", { ...SQL, runs: ["20261101-120009-0000"] }, "UNKNOWN_RUN", /20261101-120001-0000/],
    ["an unsealed run", { ...SQL, runs: ["20261101-120002-0000"] }, "RUN_NOT_SEALED", /--resume 20261101-120002/],
    ["an empty selection", { ...SQL, filter: "confidence<0" }, "EMPTY_SELECTION", /--filter/],
    ["fewer rows than asked for", { ...SQL, minRows: 50 }, "TOO_FEW_ROWS", /tracemill run/],
    ["a row file in no folder", { ...SQL, out: "/nowhere/at/all.jsonl" }, "OUT_NOT_WRITABLE", /mkdir -p \/nowhere\/at/],
    ["a row file that is a folder", { ...SQL, out: "/tmp" }, "OUT_NOT_WRITABLE", /^--out \/tmp\/rows.jsonl$/],
  ];

  it.each(cases)("is refused with what mends it, and nothing is written: %s", (_, options, code, fix) =>
    withRuns([TRAIN, { ...VALIDATION, isUnfinished: true }], async (home, place) => {
      const refusal = await exportDataset(options, place).catch((error) => error);
      expect(refusal).toMatchObject({ name: "Refusal", code });
      expect(refusal.details.fix ?? "").toMatch(fix);
      const datasets = existsSync(join(home.path, "datasets")) ? await readdir(join(home.path, "datasets")) : [];
      expect(datasets).toEqual([]);
      expect(await registered(home)).toEqual([]);
    }),
  );

  it("is refused where no run is finished yet; without a base it is texts alone", () =>
    withHome(async (home) => {
      const place = { home, clock: systemClock };
      await expect(exportDataset(SQL, place)).rejects.toMatchObject({ code: "NO_RUNS" });
      await writeRun(home, TRAIN);
      const { manifest, folder } = await exportDataset(SQL, place);
      expect([manifest.base, manifest.counts.trainTokens]).toEqual([null, null]);
      expect(existsSync(join(folder, "tokens"))).toBe(false);
    }));

  it("leaves an older row file as it was", () =>
    withRuns([TRAIN], async (home, place) => {
      const out = join(home.path, "rows.jsonl");
      await writeFile(out, "older");
      const options = { ...SQL, out, filter: "confidence<0" };
      await expect(exportDataset(options, place)).rejects.toMatchObject({ code: "EMPTY_SELECTION" });
      expect(await readFile(out, "utf8")).toBe("older");
    }));
});

describe("tracemill export", () => {
  function tracemill(home: Home, ...words: string[]) {
    const cli = join(PACKAGE_FOLDER, "src", "cli.ts");
    return execa(process.execPath, [cli, ...words], {
      env: { TRACEMILL_HOME: home.path },
      cwd: home.path,
      reject: false,
    });
  }
  const WORDS = ["export", "--role", "worker", "--skill", "sql", "--filter", "eval_passed=true", "--format", "jsonl"];

  it("prints what was taken and what was refused, and where the rows are", () =>
    withRuns([TRAIN, VALIDATION], async (home) => {
      await mkdir(join(home.path, "rows"));
      const { stdout, stderr, exitCode } = await tracemill(home, ...WORDS, "--out", "rows/worker_sft.jsonl");
      expect([exitCode, stderr]).toEqual([0, ""]);
      expect(stdout).toMatch(/examples +5/);
      expect(stdout).toContain("from 2 runs");
      expect(stdout).toMatch(/- truncated +1 +such as 20261101-120001-0000\/sql:zoo\/b\/2#1/);
      expect(stdout).toMatch(/= train rows +2/);
      expect(stdout).toContain("training rows: rows/worker_sft.jsonl");
      expect(await rowsOf(join(home.path, "rows/worker_sft.jsonl"))).toHaveLength(2);
      const listed = await tracemill(home, "datasets");
      expect(listed.stdout).toMatch(/^[0-9a-f]{12} {2}sql worker, jsonl: 2 train and 1 validation row of /);
    }));

  it("refuses a revoked run that is asked for, and names the others; unless its gate is off", () =>
    withRuns([TRAIN, VALIDATION], async (home, { clock }) => {
      const [bad = "", other = ""] = (await readdir(join(home.path, "runs"))).sort();
      const said = { kind: "run" as const, target: bad, reason: "the disk was full" };
      appendLedger(home, { type: "revoked", data: said }, clock);
      const asked = await tracemill(home, ...WORDS, "--runs", `${bad},${other}`);
      expect([asked.exitCode, asked.stderr]).toEqual([2, expect.stringMatching(/^RUN_REVOKED: .*/)]);
      expect(asked.stderr).toMatch(new RegExp(`got: +${bad}: the disk was full\\n +fix: +--runs ${other}`));
      expect((await tracemill(home, ...WORDS, "--runs", bad, "--without", "revoked")).exitCode).toBe(0);
    }));

  it("ends with exit code 2 and who took what where nothing is left", () =>
    withRuns([TRAIN], async (home) => {
      const { stderr, exitCode } = await tracemill(home, "export", "--skill", "sql", "--filter", "kind=group");
      expect(exitCode).toBe(2);
      expect(stderr).toMatch(/^EMPTY_SELECTION: .*\n.*\n +got: +4 examples; filter 4 \(as /);
    }));
});
