/**
 * `tracemill status` and `tracemill datasets` as a user types them.
 */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { foreignStart } from "../../src/capture/foreign-item.ts";
import { exportDataset } from "../../src/commands/export.ts";
import { systemClock } from "../../src/foundation/clock.ts";
import { writeJsonAtomic } from "../../src/foundation/files.ts";
import { type Hash, hashText, shortHash } from "../../src/foundation/hashing.ts";
import type { BaseManifest } from "../../src/records/base-manifest.ts";
import type { Decision } from "../../src/records/comparison.ts";
import type { DatasetManifest } from "../../src/records/dataset-manifest.ts";
import type { RunId } from "../../src/records/ids.ts";
import { placeOf, promote } from "../../src/registry/index.ts";
import { writeDecision } from "../../src/store/comparisons.ts";
import type { Home } from "../../src/store/home.ts";
import { appendLedger } from "../../src/store/ledger.ts";
import { writeBaseManifest } from "../../src/store/manifests.ts";
import { createRunLog } from "../../src/store/run-log.ts";
import { writtenSettings } from "../dataset/written-settings.ts";
import { registerAdapter, tinyAdapter } from "../fixtures/adapters.ts";
import { tracemill } from "../fixtures/tracemill.ts";
import { putAdapter, putDecision, SQL, sayRevoked, withRuns } from "../registry/setting.ts";
import { sampleRunId, withHome, writeSampleRun } from "../store/sample-run.ts";
import { addTinyBase, writeDataset } from "../train/sample-training.ts";

const hash = hashText("something");
const base: BaseManifest = {
  name: "tiny",
  ...{ baseHash: hash, weightsHash: hash, tokenizerHash: hash, templateHash: hash },
  architecture: "llama",
  contextTokens: 512,
  hfFolder: "hf",
  gguf: null,
  files: [],
  licence: null,
  source: "test",
};

async function addDataset(home: Home, datasetHash: Hash): Promise<void> {
  const manifest: DatasetManifest = {
    datasetHash,
    ...{ tier: "demonstrations", gatesOff: [], scrub: null, models: [], rules: [], bySkill: [], byFamily: [] },
    ...{ labels: null, pairLengths: null },
    skills: ["sql"],
    role: "worker",
    format: "jsonl",
    filter: "eval_passed=true",
    clauses: [],
    settings: writtenSettings({ tips: "drop", target: "answer", maxPerItem: 2, maxTokens: 512 }),
    base: "tiny",
    tokenizerHash: hash,
    templateHash: hash,
    inputs: { runs: [], ledgerHead: hash },
    seed: 1,
    counts: {
      examples: 1,
      trainRows: 1,
      validationRows: 0,
      trainTokens: 1,
      trainedTokens: 1,
      items: 1,
      families: ["a"],
    },
    refusals: [],
    files: [],
    codeVersion: "0.1.0",
  };
  await mkdir(home.datasetFolder(datasetHash), { recursive: true });
  await writeJsonAtomic(join(home.datasetFolder(datasetHash), "manifest.json"), manifest);
  appendLedger(home, { type: "dataset_registered", data: { datasetHash } }, systemClock);
}

test("status lists datasets oldest first and proposes to train on the newest, whatever their hashes are", () =>
  withHome(async (home) => {
    await writeBaseManifest(home, base);
    await writeSampleRun(home, { items: 1 });
    const hashes = ["f", "1", "8", "3"].map((digit) => digit.repeat(64) as Hash);
    for (const datasetHash of hashes) await addDataset(home, datasetHash);
    const { stdout } = await tracemill(home, "status", "--json");
    const { datasets, next } = JSON.parse(stdout) as { datasets: { datasetHash: Hash }[]; next: { command: string } };
    expect(datasets.map(({ datasetHash }) => datasetHash)).toEqual(hashes);
    expect(next.command).toBe("tracemill train --dataset 333333333333 --base tiny");
  }));

async function nextCommand(home: Home): Promise<string> {
  const { next } = JSON.parse((await tracemill(home, "status", "--json")).stdout) as { next: { command: string } };
  return next.command;
}

test("status names the next sensible command for an empty home, for a base, and for a run that is not finished", () =>
  withHome(async (home) => {
    expect(await nextCommand(home)).toBe("tracemill base add smollm2");
    await addTinyBase(home);
    expect(await nextCommand(home)).toBe("tracemill run --skill sql --split train --model tiny");
    await writeSampleRun(home, { number: 1, isUnfinished: true });
    expect(await nextCommand(home)).toBe(`tracemill run --resume ${sampleRunId(1)}`);
  }));

test("status has a recorded run sealed that is not", () =>
  withHome(async (home) => {
    await addTinyBase(home);
    const run = sampleRunId(1);
    const log = createRunLog(home, { run, clock: systemClock });
    const config = { command: "record" };
    log.append({ type: "run_started", data: foreignStart({ run, skill: "mine", codeVersion: "t", config }) });
    log.close();
    expect(await nextCommand(home)).toBe(`tracemill seal ${run}`);
  }));

test("status shows what there is, names the command for each next step, and what was decided of an adapter", () =>
  withHome(async (home) => {
    const base = await addTinyBase(home);
    const { run } = await writeSampleRun(home);
    expect(await nextCommand(home)).toMatch(/^tracemill export .*--skill sql /);
    const { datasetHash } = await writeDataset(home, base);
    expect(await nextCommand(home)).toBe(`tracemill train --dataset ${shortHash(datasetHash)} --base tiny`);
    const from = await tinyAdapter(1);
    const { adapterHash } = await registerAdapter(home, base, { name: "shop-v1", from, datasetHash });
    expect(await nextCommand(home)).toBe("tracemill validate --skill sql --candidate shop-v1 --against base");
    await decided(home, adapterHash, "worse");
    const { stdout } = await tracemill(home, "status");
    expect(stdout).toContain(`home: ${home.path}`);
    expect(stdout).toMatch(new RegExp(`^tiny +${shortHash(base.baseHash)}$`, "m"));
    expect(stdout).toMatch(new RegExp(`^${run} +sql +train +- +sealed +\\d+$`, "m"));
    expect(stdout).toMatch(new RegExp(`^${shortHash(datasetHash)} +sql +worker +8$`, "m"));
    const adapter = [adapterHash, "shop-v1", "tiny", datasetHash].map((text) => text.slice(0, 12)).join(" +");
    expect(stdout).toMatch(new RegExp(`^${adapter} +worse \\(\\+14\\.4 points\\)$`, "m"));
    expect(stdout).toContain("next: tracemill export --role worker --skill sql --filter eval_passed=true");
  }));

test("status proposes the promotion of what passed, the champion's own work once it answers, and to beat another that does", () =>
  withRuns(async ({ home, clock, runs }) => {
    const { datasetHash } = await exportDataset(SQL, { home, clock });
    const adapterHash = await putAdapter(home, datasetHash, { name: "first" });
    const run = runs[0]?.run as RunId;
    await putDecision(home, { adapterHash, run, skill: "sql" });
    const { stdout } = await tracemill(home, "status");
    expect(stdout).toMatch(/ better, gate passed$/m);
    expect(stdout).toContain("next: tracemill promote first --for sql");
    const place = { skill: "sql", role: null };
    await promote(home, { adapter: "first", place, clock });
    expect(await nextCommand(home)).toBe("tracemill run --skill sql --split train --model first --seed 3");
    const second = await putAdapter(home, datasetHash, { name: "second" });
    const against = `--against champion --champion ${shortHash(adapterHash)}`;
    expect(await nextCommand(home)).toBe(`tracemill validate --skill sql --candidate second ${against}`);
    await putDecision(home, { adapterHash: second, run, skill: "sql", number: 2 });
    expect(await nextCommand(home)).toBe(`tracemill validate --skill sql --candidate second ${against}`);
  }));

test("status proposes a promotion at the place of the role, where the champion that was beaten stands there", () =>
  withRuns(async ({ home, clock, runs }) => {
    const { datasetHash } = await exportDataset(SQL, { home, clock });
    const champion = await putAdapter(home, datasetHash, { name: "first" });
    await promote(home, { adapter: "first", place: placeOf("sql/worker"), override: "a test", clock });
    const adapterHash = await putAdapter(home, datasetHash, { name: "second" });
    await putDecision(home, { adapterHash, run: runs[0]?.run as RunId, skill: "sql", champion });
    expect(await nextCommand(home)).toBe("tracemill promote second --for sql/worker");
    await promote(home, { adapter: "second", place: placeOf("sql/worker"), clock });
    expect(await nextCommand(home)).toMatch(/^tracemill run .* --model second /);
  }));

test("status proposes to rebuild what an adapter's parent was trained on, where that is tainted", () =>
  withRuns(async ({ home, clock, runs: [first, second, third] }) => {
    const { datasetHash: tainted } = await exportDataset(SQL, { home, clock });
    const parent = await putAdapter(home, tainted, { name: "first" });
    const sound = [second?.run, third?.run] as RunId[];
    const { datasetHash } = await exportDataset({ ...SQL, runs: sound }, { home, clock });
    const adapterHash = await putAdapter(home, datasetHash, { name: "second", parent });
    await putDecision(home, { adapterHash, run: second?.run as RunId, skill: "sql" });
    expect(await nextCommand(home)).toBe("tracemill promote second --for sql");
    sayRevoked(home, "run", first?.run as RunId);
    expect(await nextCommand(home)).toMatch(new RegExp(`^tracemill dataset rebuild ${shortHash(tainted)}`));
  }));

test("status and champion mark a champion of whose lineage a dataset is gone, once anything is revoked", () =>
  withRuns(async ({ home, clock, runs: [first, second] }) => {
    const { datasetHash } = await exportDataset({ ...SQL, runs: [second?.run as RunId] }, { home, clock });
    const adapterHash = await putAdapter(home, datasetHash, { name: "first" });
    await promote(home, { adapter: "first", place: placeOf("sql"), override: "a test", clock });
    await rm(home.datasetFolder(datasetHash), { recursive: true });
    const marks = async () => {
      const told = await Promise.all(["status", "champion"].map((command) => tracemill(home, command)));
      return told.map(({ stdout }) => [stdout.includes("LINEAGE GONE"), / lineage gone$/m.test(stdout)]);
    };
    expect(await marks()).toEqual([
      [false, false],
      [false, false],
    ]);
    sayRevoked(home, "run", first?.run as RunId);
    expect(await marks()).toEqual([
      [true, false],
      [false, true],
    ]);
    const { stdout } = await tracemill(home, "status");
    expect(stdout).toMatch(new RegExp(`^${shortHash(adapterHash)} LINEAGE GONE +first `, "m"));
  }));

test("status shows no decision that the ledger does not name, and names one that was changed since", () =>
  withHome(async (home) => {
    const base = await addTinyBase(home);
    await writeSampleRun(home);
    const { datasetHash } = await writeDataset(home, base);
    const from = await tinyAdapter(1);
    const { adapterHash } = await registerAdapter(home, base, { name: "shop-v1", from, datasetHash });
    const decision = await decided(home, adapterHash, "inconclusive");
    const laid = { ...decision, comparisonHash: hashText("laid there"), verdict: "better", hasPassed: true };
    await writeJsonAtomic(join(home.comparisonFolder(laid.comparisonHash), "decision.json"), laid);
    const { stdout } = await tracemill(home, "status");
    expect(stdout).toMatch(/ inconclusive \(\+14\.4 points\)$/m);
    const edited = { ...decision, verdict: "better", hasPassed: true };
    await writeJsonAtomic(join(home.comparisonFolder(decision.comparisonHash), "decision.json"), edited);
    const after = await tracemill(home, "status");
    expect(after.stdout).toMatch(new RegExp(` ${shortHash(decision.comparisonHash)} CHANGED$`, "m"));
    expect(after.stdout).not.toContain("better");
    expect(after.stdout).toContain("next: tracemill validate --skill sql --candidate shop-v1 --against base");
  }));

test("status proposes more verified work after a verdict that is not better, then a dataset of it", () =>
  withHome(async (home) => {
    const base = await addTinyBase(home);
    await writeSampleRun(home);
    const exported = await tracemill(home, "export", "--skill", "sql", "--base", "tiny", "--json");
    const { datasetHash } = JSON.parse(exported.stdout) as { datasetHash: Hash };
    const from = await tinyAdapter(1);
    const { adapterHash } = await registerAdapter(home, base, { name: "shop-v1", from, datasetHash });
    await decided(home, adapterHash, "inconclusive");
    expect(await nextCommand(home)).toBe("tracemill run --skill sql --split train --model tiny --seed 2");
    await writeSampleRun(home, { number: 2 });
    expect(await nextCommand(home)).toBe("tracemill export --role worker --skill sql --filter eval_passed=true");
  }));

test("datasets lists them, or shows one by the start of its hash", () =>
  withHome(async (home) => {
    const none = await tracemill(home, "datasets");
    expect(none.stdout).toBe("No dataset yet. Make one: tracemill export --skill sql");
    const dataset = await writeDataset(home, await addTinyBase(home));
    const start = shortHash(dataset.datasetHash);
    expect((await tracemill(home, "datasets")).stdout).toBe(
      `${start}  sql worker, jsonl: 8 train and 2 validation rows of 8 items, for tiny`,
    );
    expect(JSON.parse((await tracemill(home, "datasets", start)).stdout)).toEqual({ ...dataset, taint: null });
    const { exitCode, stderr } = await tracemill(home, "datasets", "0000");
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(new RegExp(`^UNKNOWN_DATASET: [\\s\\S]*one of: ${start}`));
  }));

/** Writes a comparison's decision as `validate` leaves it. */
async function decided(home: Home, adapterHash: Hash, verdict: Decision["verdict"] = "better"): Promise<Decision> {
  const comparisonHash = hashText("comparison");
  const interval = { low: 0.1, high: 0.189 };
  const pair: Decision["pairs"][number] = {
    ...{ reference: "base", treatment: "candidate", n: 208, families: 13 },
    ...{ difference: 0.144, clusterInterval: interval, bootstrapInterval: interval, oneTry: null, variance: null },
    ...{ minimumDetectable: 0.063, tokenRatio: null, costRatio: null, secondary: [], verdict },
  };
  const decision: Decision = {
    ...{ comparisonHash, adapterHash, alpha: 0.05, verdict, hasPassed: verdict === "better", axes: [], reasons: [] },
    ...{ arms: [], pairs: [pair], dropped: [], sides: [], shown: [] },
    decidedAt: "2026-11-02T08:00:00.000Z",
  };
  await writeDecision(home, decision, systemClock);
  return decision;
}
