/**
 * A comparison with known outcomes: an adapter with its dataset, a plan over held-out letters, and sealed runs in
 * which every item's outcome is what the test says. The skill is the fixture `letters`, one family a letter.
 */
import { join } from "node:path";
import { type Clock, steppingClock } from "../../src/foundation/clock.ts";
import { writeJsonAtomic } from "../../src/foundation/files.ts";
import { type Hash, hashJson, hashText } from "../../src/foundation/hashing.ts";
import { type AdapterManifest, trainConfigSchema } from "../../src/records/adapter-manifest.ts";
import type { Arm, Plan, PlanDraft } from "../../src/records/comparison.ts";
import type { DatasetManifest } from "../../src/records/dataset-manifest.ts";
import { gateSchema } from "../../src/records/gate.ts";
import { attemptId, itemId, type RunId, turnId } from "../../src/records/ids.ts";
import type { Item, Split } from "../../src/records/item.ts";
import { loadSkill } from "../../src/skills/load.ts";
import { splitOf } from "../../src/skills/splits.ts";
import type { Home } from "../../src/store/home.ts";
import { createRunLog, type RunLog } from "../../src/store/run-log.ts";
import { sealRun } from "../../src/store/runs.ts";
import type { ArmRun, Found } from "../../src/validate/index.ts";
import { writtenSettings } from "../dataset/written-settings.ts";
import { sampleVerdict } from "../store/sample-run.ts";

process.env.TRACEMILL_SKILLS = join(import.meta.dirname, "../fixtures/skills");

export const BASE_HASH = hashText("base:tiny");
/** Judged once, its intervals err with 5 %; no side axis is asked for. */
export const GATE = gateSchema.parse({ alpha: 0.1, informativeSides: 0 });
export const clock: Clock = steppingClock(new Date("2026-11-02T08:00:00.000Z"), 5);
const SKILL = { id: "letters", version: "1", hash: hashText("skill:letters") };

/** A candidate against which nothing speaks but its runs. */
export const FOUND: Found = { general: [], foreign: [], kl: null, isLive: true, taint: [], leaks: [], shown: [] };

/** What one item brings: an outcome, or one of the two ways to have none. */
export type SampleOutcome =
  | { passed: boolean; tokens?: number | null; response?: string }
  | "no-attempt"
  | "no-verdict";

/** The first families of a split, in order: letters, and then doubled ones. */
export async function letters(split: Split, count: number): Promise<string[]> {
  const { manifest } = await loadSkill("letters");
  const single = [..."abcdefghijklmnopqrstuvwxyz"];
  const all = [...single, ...single.flatMap((first) => single.map((second) => first + second))];
  return all.filter((family) => splitOf(manifest, family) === split).slice(0, count);
}

export interface SampleAdapter {
  trainedOn: string[];
  baseHash?: Hash;
  skills?: string[];
}

/** Writes the manifests of an adapter and of the dataset that it was trained on; returns the adapter's hash. */
export async function writeAdapter(home: Home, sample: SampleAdapter): Promise<Hash> {
  const { trainedOn, baseHash = BASE_HASH, skills = ["letters"] } = sample;
  const tokenizerHash = hashText("tokenizer");
  const templateHash = hashText("template");
  const dataset: Omit<DatasetManifest, "datasetHash"> = {
    ...{ tier: "demonstrations", gatesOff: [], scrub: null, models: [], rules: [], bySkill: [], byFamily: [] },
    ...{ labels: null, pairLengths: null },
    skills,
    role: "worker",
    format: "jsonl",
    filter: "eval_passed=true",
    clauses: [],
    settings: writtenSettings({ tips: "drop", target: "answer", maxPerItem: 2, maxTokens: 512 }),
    base: "tiny",
    tokenizerHash,
    templateHash,
    inputs: { runs: [], ledgerHead: hashText("ledger") },
    seed: 1,
    counts: {
      examples: 10,
      trainRows: 10,
      validationRows: 0,
      trainTokens: 100,
      trainedTokens: 50,
      items: 10,
      families: trainedOn,
    },
    refusals: [],
    files: [],
    codeVersion: "0.1.0",
  };
  const datasetHash = hashJson(dataset);
  await writeJsonAtomic(join(home.datasetFolder(datasetHash), "manifest.json"), { datasetHash, ...dataset });
  const adapter: Omit<AdapterManifest, "adapterHash"> = {
    name: null,
    base: "tiny",
    baseHash,
    tokenizerHash,
    templateHash,
    datasetHash,
    parent: null,
    skills,
    role: "worker",
    method: "sft",
    backend: "transformers",
    config: trainConfigSchema.parse({
      rank: 4,
      alpha: 8,
      dropout: 0,
      learningRate: 0.001,
      epochs: 1,
      batchSize: 4,
      warmupSteps: 0,
      maxTokens: 64,
      seed: 1,
    }),
    versions: {},
    curve: [],
    trainedTokens: 50,
    durationMs: 1,
    files: [],
  };
  const adapterHash = hashJson(adapter);
  await writeJsonAtomic(join(home.adapterFolder(adapterHash), "manifest.json"), { adapterHash, ...adapter });
  return adapterHash;
}

/** A plan of base against candidate over `itemsPerFamily` items of each family. */
export function sampleDraft(families: string[], itemsPerFamily: number, adapterHash: Hash): PlanDraft {
  const arm = (name: string, hash: Hash | null): Arm => ({
    arm: name,
    model: hash === null ? "tiny" : "letters-v1",
    baseHash: BASE_HASH,
    adapterHash: hash,
    memory: "none",
    tipRuns: [],
  });
  return {
    skill: SKILL,
    split: "test",
    items: families.flatMap((family) =>
      Array.from({ length: itemsPerFamily }, (_, n) => ({ item: itemId("letters", `${family}-${n}`), family })),
    ),
    arms: [arm("base", null), arm("candidate", adapterHash)],
    pairs: [["base", "candidate"]],
    sampling: { temperature: 0, topP: 1, maxTokens: 12 },
    seed: 7,
    gate: GATE,
  };
}

export interface SampleArm {
  arm: string;
  /** Names the run. */
  number: number;
  outcome(item: { item: string; family: string; n: number }): SampleOutcome;
  /** Whether it is left without its end. */
  isOpen?: boolean;
  /** What the run says of itself, where that differs from the plan. */
  claims?: { comparisonHash?: Hash; arm?: string; adapterHash?: Hash | null; memory?: "frozen" | "none" };
}

/** Writes and seals the run of one arm. */
export async function writeArm(home: Home, plan: Plan, sample: SampleArm): Promise<ArmRun> {
  const arm = plan.arms.find((planned) => planned.arm === sample.arm) as Arm;
  const run = `20261102-09${String(sample.number).padStart(4, "0")}-0000` as RunId;
  const adapterHash = sample.claims?.adapterHash === undefined ? arm.adapterHash : sample.claims.adapterHash;
  const log = createRunLog(home, { run, clock });
  log.append({
    type: "run_started",
    data: {
      run,
      skill: plan.skill,
      models: {
        worker: { name: arm.model, endpoint: "http://127.0.0.1:1/v1", baseHash: arm.baseHash, adapterHash },
      },
      sampling: plan.sampling,
      seed: plan.seed,
      split: plan.split,
      memory: sample.claims?.memory ?? arm.memory,
      tipRuns: [],
      codeVersion: "0.1.0",
      config: {},
      comparison: {
        comparisonHash: sample.claims?.comparisonHash ?? plan.comparisonHash,
        arm: sample.claims?.arm ?? arm.arm,
        sample: 1,
      },
    },
  });
  const items = plan.items.map(({ item, family }) => itemOf(item, { family, split: plan.split }));
  log.append({ type: "items_scanned", data: { items } });
  const counts = { items: items.length, attempts: 0, passed: 0, failures: 0 };
  for (const item of items) {
    const n = Number(item.item.slice(item.item.lastIndexOf("-") + 1));
    const outcome = sample.outcome({ item: item.item, family: item.family, n });
    if (outcome === "no-attempt") continue;
    counts.attempts += 1;
    if (outcome !== "no-verdict" && outcome.passed) counts.passed += 1;
    writeAttempt(log, item, { outcome, model: { name: arm.model, baseHash: arm.baseHash, adapterHash } });
  }
  if (sample.isOpen !== true) log.append({ type: "run_finished", data: counts });
  log.close();
  if (sample.isOpen !== true) await sealRun(home, run, clock);
  return { skill: plan.skill.id, arm: sample.arm, sample: 1, run };
}

function itemOf(item: Item["item"], { family, split }: { family: string; split: Split }): Item {
  const n = Number(item.slice(item.lastIndexOf("-") + 1));
  const kind = n % 2 === 0 ? "even" : "odd";
  return { item, family, split, kind, task: `Write a text with the letter ${family}, version ${n}.`, detail: {} };
}

interface AttemptDraft {
  outcome: Exclude<SampleOutcome, "no-attempt">;
  model: { name: string; baseHash: Hash; adapterHash: Hash | null };
}

function writeAttempt(log: RunLog, item: Item, { outcome, model }: AttemptDraft): void {
  const attempt = attemptId(log.run, item.item, 1);
  const turn = turnId(attempt, 1);
  const { tokens = 20, response = "some text" } = outcome === "no-verdict" ? {} : outcome;
  const messages = [log.message({ role: "user", content: item.task })];
  log.append({
    type: "turn",
    data: {
      turn,
      attempt,
      role: "worker",
      phase: "act",
      messages,
      tools: null,
      response: log.message({ role: "assistant", content: response }),
      finishReason: "stop",
      usage: tokens === null ? null : { promptTokens: 30, completionTokens: tokens },
      latencyMs: 10,
      request: { model: model.name, temperature: 0 },
      modelAnswered: model.name,
      baseHash: model.baseHash,
      adapterHash: model.adapterHash,
      parseFlags: [],
      retrievals: [],
      tipSpans: [],
    },
  });
  if (outcome === "no-verdict") {
    const failure = { boundary: "verifier", code: "TIMEOUT", message: "no verdict came", attempt };
    log.append({ type: "failure", data: failure });
    return;
  }
  log.append({ type: "verdict", data: { attempt, verdict: sampleVerdict(outcome.passed) } });
  const state = outcome.passed ? "solved" : "unsolved";
  const passed = outcome.passed ? 1 : 0;
  log.append({ type: "item_finished", data: { item: item.item, state, attempts: 1, passed } });
}
