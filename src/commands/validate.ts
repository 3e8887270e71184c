/**
 * `tracemill validate`: base, base with tips and candidate attempt the same held-out items, greedily, once each, on one
 * server; the paired decision follows from the plan that was written before the first call.
 */
import { z } from "zod";
import { CODE_VERSION } from "../foundation/version.ts";
import { type Endpoint, runHarness } from "../harness/index.ts";
import type { AdapterManifest } from "../records/adapter-manifest.ts";
import type { BaseManifest } from "../records/base-manifest.ts";
import type { Arm, Decision, Plan, PlanDraft } from "../records/comparison.ts";
import type { RunId } from "../records/ids.ts";
import { type Item, SPLITS } from "../records/item.ts";
import { loadRenderer } from "../render/renderer.ts";
import { checkCanary, type RunningServer } from "../serve/index.ts";
import type { Skill } from "../skills/contract.ts";
import { loadSkill, skillHash } from "../skills/load.ts";
import { scanItems } from "../skills/scan.ts";
import { readAdapterManifest, readBaseManifest, readDatasetManifest, readProbes } from "../store/manifests.ts";
import { listRuns } from "../store/run-log.ts";
import { decide, renderDecision, writePlan } from "../validate/index.ts";
import { type Context, defineCommand } from "./command.ts";
import { interrupted } from "./interruption.ts";
import { serveHere } from "./model-server.ts";
import { viewRun } from "./run-view.ts";
import { warnOfTaint } from "./taint.ts";
import { targetInput } from "./target-input.ts";

const input = z.object({
  skill: z.string().describe("the skill whose items are attempted"),
  split: z.enum(SPLITS).default("test").describe("which families are attempted"),
  base: z.string().describe("the base that the candidate is compared with"),
  candidate: z.string().describe("adapter: name, hash or prefix of it"),
  limit: z.int().min(1).optional().describe("most items, drawn evenly over the families (default: all)"),
  items: z.string().optional().describe("your own items, a JSONL file"),
  itemSeed: z.int().default(1).describe("seed that the skill makes its items from"),
  seed: z.int().default(1).describe("seed of the comparison: which items are drawn"),
  concurrency: z.int().min(1).default(16).describe("attempts in flight"),
  ...targetInput,
});

export type ValidateInput = z.input<typeof input>;
type ValidateOptions = z.output<typeof input>;

/**
 * Runs the comparison and returns its decision; what an interrupted try has finished is not done again.
 * Throws: `ADAPTER_NOT_LIVE`, `ADAPTER_OF_ANOTHER_BASE`, `LEAKED_FAMILY`, unknown names.
 */
export async function validateAdapter(given: ValidateInput, context: Context): Promise<Decision> {
  const { home, clock, signal } = context;
  const options = input.parse(given);
  const skill = await loadSkill(options.skill);
  const base = await readBaseManifest(home, options.base);
  const adapter = await readAdapterManifest(home, options.candidate);
  await warnOfTaint([adapter.adapterHash], context);
  const items = await scanItems(skill, {
    seed: options.itemSeed,
    split: options.split,
    ...(options.items !== undefined && { itemsFile: options.items }),
    ...(options.limit !== undefined && { limit: options.limit }),
  });
  const draft = await planDraft(options, context, { skill, base, adapter, items });
  const { target } = options;
  const server = await serveHere({ base: base.name, adapters: [adapter.adapterHash], target }, context);
  try {
    const candidate = server.idOf(adapter.adapterHash);
    const probes = await readProbes(home, adapter.adapterHash);
    await checkCanary({
      url: server.url,
      model: candidate,
      baseModel: server.idOf(null),
      adapter,
      probes,
      target,
      signal,
    });
    const plan = await writePlan(home, draft, clock);
    const renderer = await loadRenderer(home, base);
    const countTokens = (text: string) => renderer.encode(text).length;
    const runs: { arm: string; run: RunId }[] = [];
    for (const arm of plan.arms) {
      runs.push({
        arm: arm.arm,
        run: await runArm({ plan, arm, server, skill, items, options, countTokens }, context),
      });
    }
    return await decide(home, plan.comparisonHash, { runs, clock });
  } finally {
    await server.close();
    await skill.close();
  }
}

async function planDraft(
  { split, seed }: ValidateOptions,
  { home }: Context,
  { skill, base, adapter, items }: { skill: Skill; base: BaseManifest; adapter: AdapterManifest; items: Item[] },
): Promise<PlanDraft> {
  const { id, version } = skill.manifest;
  const dataset = await readDatasetManifest(home, adapter.datasetHash);
  const grown = new Set((await listRuns(home)).filter((run) => run.memory === "grow").map(({ run }) => run));
  const tipRuns = dataset.inputs.runs.filter(({ run }) => grown.has(run));
  const plain = { baseHash: base.baseHash, adapterHash: null, memory: "none" as const, tipRuns: [] };
  return {
    skill: { id, version, hash: await skillHash(id) },
    split,
    items: items.map(({ item, family }) => ({ item, family })),
    arms: [
      { ...plain, arm: "base", model: base.name },
      { ...plain, arm: "base+tips", model: base.name, memory: "frozen", tipRuns },
      { ...plain, arm: "candidate", model: adapter.name ?? adapter.adapterHash, adapterHash: adapter.adapterHash },
    ],
    pairs: [
      ["base", "candidate"],
      ["base+tips", "candidate"],
      ["base", "base+tips"],
    ],
    sampling: { temperature: 0, topP: 1, maxTokens: skill.manifest.maxTokens },
    seed,
    alpha: 0.05,
  };
}

interface ArmWork {
  plan: Plan;
  arm: Arm;
  server: RunningServer;
  skill: Skill;
  items: Item[];
  options: ValidateOptions;
  countTokens(text: string): number;
}

/** Runs one arm, or takes up the run that an earlier try made for it. */
async function runArm(
  { plan, arm, server, skill, items, options, countTokens }: ArmWork,
  context: Context,
): Promise<RunId> {
  const { home, clock, signal } = context;
  const { comparisonHash } = plan;
  const known = (await listRuns(home)).findLast(
    ({ comparison }) => comparison?.comparisonHash === comparisonHash && comparison.arm === arm.arm,
  );
  if (known?.isSealed) return known.run;
  const model = server.idOf(arm.adapterHash);
  const worker: Endpoint = {
    url: server.url,
    model,
    name: arm.model,
    baseHash: arm.baseHash,
    adapterHash: arm.adapterHash,
    contextTokens: server.contextTokens,
    countTokens,
  };
  const { end, ...view } = viewRun(`validate ${arm.arm}`, context);
  const result = await runHarness({
    home,
    skill,
    skillHash: plan.skill.hash,
    items,
    split: plan.split,
    roles: { worker },
    attempts: 1,
    concurrency: options.concurrency,
    seed: plan.seed,
    sampling: plan.sampling,
    memory: arm.memory,
    tipRuns: arm.tipRuns,
    comparison: { comparisonHash, arm: arm.arm },
    ...(known !== undefined && { resume: known.run }),
    config: { command: "validate", target: options.target, limit: options.limit ?? null, items: options.items ?? null },
    codeVersion: CODE_VERSION,
    clock,
    signal,
    ...view,
  }).finally(end);
  if (!result.isComplete) throw interrupted(`the ${arm.arm} arm of the comparison`, result.stoppedBy);
  return result.run;
}

export default defineCommand({
  summary: "Prove on held-out items, paired, whether an adapter helps.",
  details: "Example: tracemill validate --skill sql --split test --base smollm2 --candidate sql-v1",
  input: input as z.ZodType<ValidateOptions>,
  run: validateAdapter,
  print: renderDecision,
  exitCode: ({ verdict }) => (verdict === "better" ? 0 : 4),
});
