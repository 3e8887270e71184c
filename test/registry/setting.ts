/** Homes with runs, a dataset of them, an adapter and a decision, for tests of what was made from what. */
import { exportDataset } from "../../src/commands/export.ts";
import { systemClock } from "../../src/foundation/clock.ts";
import { writeJsonAtomic } from "../../src/foundation/files.ts";
import { type Hash, hashJson, hashText } from "../../src/foundation/hashing.ts";
import { type AdapterManifest, trainConfigSchema } from "../../src/records/adapter-manifest.ts";
import { type Decision, decisionSchema, type Plan, planSchema } from "../../src/records/comparison.ts";
import { itemIdSchema, type RunId } from "../../src/records/ids.ts";
import type { Revocation } from "../../src/records/ledger-entries.ts";
import { type Graph, openGraph } from "../../src/registry/index.ts";
import { planHash, writeDecision } from "../../src/store/comparisons.ts";
import type { Home } from "../../src/store/home.ts";
import { appendLedger, readLedger } from "../../src/store/ledger.ts";
import { writeBaseManifest } from "../../src/store/manifests.ts";
import { type RunDraft, TIP, writeRun } from "../curate/written-run.ts";
import { sampleBase } from "../dataset/sample-selection.ts";
import { smollm2Tokenizer } from "../fixtures/smollm2-tokenizer.ts";
import { withHome } from "../store/sample-run.ts";

export { TIP };

export const SQL = { skills: ["sql"] };

const hfFolder = await smollm2Tokenizer();
const { base } = await sampleBase();

/** Three rows of the first run, one of them under a tip; one of the second; one to validate with. */
export const RUNS: RunDraft[] = [
  {
    number: 1,
    attempts: [
      { item: "shop/a", tip: "A lesson. ", query: "SELECT 1" },
      { item: "shop/b", query: "SELECT 2" },
      { item: "zoo/c", query: "SELECT 3" },
      { item: "zoo/d", verdicts: [{ passed: false, value: 0, failureMode: "wrong-rows" }] },
    ],
  },
  {
    number: 2,
    attempts: [{ item: "shop/e", query: "SELECT 5", verdicts: [{ verifier: { id: "other", version: "1" } }] }],
  },
  { number: 3, split: "validation", attempts: [{ item: "moon/f", query: "SELECT 6" }] },
];

export interface Place {
  home: Home;
  clock: typeof systemClock;
  /** Ids of the runs, and of their turns in order. */
  runs: { run: RunId; turns: string[] }[];
}

/** Runs `use` with a home that has a base and these runs. */
export function withRuns<T>(use: (place: Place) => Promise<T>, drafts: readonly RunDraft[] = RUNS): Promise<T> {
  return withHome(async (home) => {
    await writeBaseManifest(home, { ...base, hfFolder });
    const runs: Place["runs"] = [];
    for (const draft of drafts) runs.push(await writeRun(home, draft));
    return use({ home, clock: systemClock, runs });
  });
}

export interface Chain extends Place {
  datasetHash: Hash;
  adapterHash: Hash;
  comparisonHash: Hash;
}

/** The same with a dataset of all runs, an adapter that is said to be trained on it, and a decision that judged that. */
export function withChain<T>(use: (chain: Chain) => Promise<T>, drafts?: readonly RunDraft[]): Promise<T> {
  return withRuns(async (place) => {
    const { datasetHash } = await exportDataset(SQL, place);
    const adapterHash = await putAdapter(place.home, datasetHash);
    const comparisonHash = await putDecision(place.home, { adapterHash, run: place.runs.at(-1)?.run as RunId });
    return use({ ...place, datasetHash, adapterHash, comparisonHash });
  }, drafts);
}

/** Registers an adapter without weights. */
export async function putAdapter(
  home: Home,
  datasetHash: Hash,
  given: { name?: string; skills?: string[]; parent?: Hash | null } = {},
): Promise<Hash> {
  const { name = "sql-v1", skills = ["sql"], parent = null } = given;
  const { baseHash, tokenizerHash, templateHash } = base;
  const config = trainConfigSchema.parse({
    ...{ rank: 4, alpha: 8, dropout: 0, learningRate: 1e-4, epochs: 1, batchSize: 1, warmupSteps: 0 },
    ...{ maxTokens: 512, seed: 1 },
  });
  const manifest: Omit<AdapterManifest, "adapterHash"> = {
    ...{ name, base: base.name, baseHash, tokenizerHash, templateHash, datasetHash, parent, skills, role: "worker" },
    ...{ method: "sft", backend: "peft", config, versions: {}, curve: [] },
    ...{ trainedTokens: 1, durationMs: 1, files: [] },
  };
  const adapterHash = hashJson(manifest);
  await writeJsonAtomic(`${home.adapterFolder(adapterHash)}/manifest.json`, { adapterHash, ...manifest });
  appendLedger(home, { type: "adapter_registered", data: { adapterHash, name } }, systemClock);
  return adapterHash;
}

/** A comparison that judged an adapter, in the ledger too, and its plan where a skill is given; later ones come later. */
export async function putDecision(
  home: Home,
  given: {
    adapterHash: Hash;
    run: RunId;
    verdict?: Decision["verdict"];
    skill?: string;
    number?: number;
    champion?: Hash;
  },
): Promise<Hash> {
  const { adapterHash, run, verdict = "better", skill, number = 1, champion = null } = given;
  const plan = planOf({ adapterHash, skill: skill ?? "sql", number, champion });
  const { comparisonHash } = plan;
  if (skill !== undefined) await writeJsonAtomic(`${home.comparisonFolder(comparisonHash)}/plan.json`, plan);
  const decision: Decision = decisionSchema.parse({
    ...{ comparisonHash, adapterHash, alpha: 0.05, verdict, hasPassed: verdict === "better", axes: [], reasons: [] },
    arms: [judgedArm(run)],
    ...{ pairs: [], dropped: [], sides: [], decidedAt: decidedAt(number) },
  });
  await writeDecision(home, decision, systemClock);
  return comparisonHash;
}

/** What the candidate's arm came to in a run of one item. */
export function judgedArm(run: RunId): Decision["arms"][number] {
  return {
    ...{ arm: "candidate", runs: [{ run, head: hashText("head") }], passed: 1, n: 1, rate: 1 },
    interval: { low: 0, high: 1 },
    metrics: {
      ...{ solved: 1, attemptsToSuccess: 1, completionTokens: null, totalTokens: null, tokensPerSolved: null },
      ...{ wallMs: 1, validCalls: 1, noopPasses: 0, suspect: 0 },
    },
  };
}

const decidedAt = (number: number) => `2026-11-02T12:00:0${number}.000Z`;

function planOf(given: { adapterHash: Hash; skill: string; number: number; champion: Hash | null }): Plan {
  const { adapterHash, skill, number, champion } = given;
  const reference = champion === null ? "base" : "champion";
  const arm = { model: "m", baseHash: base.baseHash, memory: "none" as const, tipRuns: [] };
  const plan: Plan = planSchema.parse({
    comparisonHash: hashText("to be told"),
    skill: { id: skill, version: "1", hash: hashText("skill") },
    ...{ split: "test", seed: number },
    items: [{ item: itemIdSchema.parse(`${skill}:a`), family: "moon" }],
    arms: [
      { ...arm, arm: reference, adapterHash: champion },
      { ...arm, arm: "candidate", adapterHash },
    ],
    pairs: [[reference, "candidate"]],
    sampling: { temperature: 0, topP: 1, maxTokens: 64 },
    ...{ alpha: 0.05, use: 1, gate: {}, plannedAt: decidedAt(number) },
  });
  return { ...plan, comparisonHash: planHash(plan) };
}

/** Says in the ledger that something is revoked, and nothing else. */
export function sayRevoked(home: Home, kind: Revocation["kind"], target: string, reason = "it was bad"): void {
  appendLedger(home, { type: "revoked", data: { kind, target, reason } }, systemClock);
}

export async function revokedEntries(home: Home): Promise<Revocation[]> {
  const found: Revocation[] = [];
  for await (const entry of readLedger(home)) if (entry.type === "revoked") found.push(entry.data);
  return found;
}

export async function withGraph<T>(home: Home, use: (graph: Graph) => Promise<T>): Promise<T> {
  const graph = await openGraph(home);
  try {
    return await use(graph);
  } finally {
    await graph.close();
  }
}
