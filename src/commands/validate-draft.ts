/**
 * What a comparison is to be: its skills with their items, its arms and pairs, from what the user asked and the home holds.
 */
import { Refusal } from "../foundation/errors.ts";
import { hashJson } from "../foundation/hashing.ts";
import { type AdapterManifest, adapterLabel } from "../records/adapter-manifest.ts";
import type { BaseManifest } from "../records/base-manifest.ts";
import type { Arm, Part, Plan, PlanDraft } from "../records/comparison.ts";
import type { GateSettings } from "../records/gate.ts";
import type { Item } from "../records/item.ts";
import { championFor, readChampions } from "../registry/index.ts";
import { servedContextTokens } from "../serve/index.ts";
import type { Skill } from "../skills/contract.ts";
import { loadSkill, skillHash } from "../skills/load.ts";
import { scanItems } from "../skills/scan.ts";
import type { Home } from "../store/home.ts";
import { readAdapterManifest, readDatasetManifest } from "../store/manifests.ts";
import { listRuns } from "../store/runs.ts";
import { readDuration } from "./read-duration.ts";
import { startingOf } from "./target-input.ts";
import type { ArmName, ValidateOptions } from "./validate-input.ts";

/** One skill of a comparison, open, with what it is asked. */
export interface OpenPart {
  part: Part;
  skill: Skill;
  items: Item[];
}

/** Opens the skill that decides and those at the side. Throws: `UNKNOWN_SKILL`, what the skill refuses, `BAD_ARGUMENT`. */
export async function openParts(options: ValidateOptions): Promise<[OpenPart, ...OpenPart[]]> {
  const { skill, items, limit, sides, sideLimit } = options;
  if (skill === undefined)
    throw doesNotFit("--skill", "the skill whose items decide", "tracemill validate --skill sql --candidate sql-v1");
  if (sides.includes(skill))
    throw doesNotFit("--sides", `other skills than ${skill}, which decides`, `leave ${skill} out of --sides`);
  const primary = await openPart(skill, {
    options,
    ...(items && { itemsFile: items }),
    ...(limit && { limit }),
    ...(options.freshFamilies && { isFresh: true }),
  });
  const others: OpenPart[] = [];
  for (const side of new Set(sides))
    others.push(await openPart(side, { options, ...(sideLimit && { limit: sideLimit }) }));
  return [primary, ...others];
}

async function openPart(
  id: string,
  { options, ...scan }: { options: ValidateOptions; itemsFile?: string; limit?: number; isFresh?: boolean },
): Promise<OpenPart> {
  const { split, itemSeed: seed, temperature } = options;
  const skill = await loadSkill(id);
  const items = await scanItems(skill, { seed, split, ...scan });
  const { version, maxTokens } = skill.manifest;
  const part: Part = {
    skill: { id, version, hash: await skillHash(id) },
    ...{ split, sampling: { temperature, topP: 1, maxTokens } },
    items: items.map(({ item, family }) => ({ item, family })),
    contentHash: hashJson({ items, verifier: skill.manifest.verifier ?? { id, version } }),
    ...(scan.isFresh && { isFresh: true }),
  };
  return { part, skill, items };
}

/** Refuses options that do not go together, whatever the home holds. Throws: `BAD_ARGUMENT`. */
export function refuseUnfitting(options: ValidateOptions): void {
  const { samples, attempts, agent = null, aa, sequential, candidate, against, temperature } = options;
  if (sequential && (samples > 1 || attempts > 1 || agent !== null || aa)) {
    throw doesNotFit(
      "--sequential",
      "one attempt an item by the worker: without --samples, --attempts, --agent and --aa",
      "leave the others out",
    );
  }
  if (aa && candidate !== undefined) throw doesNotFit("--aa", "the base alone", "leave --candidate out");
  if (against.startsWith("candidate")) throw doesNotFit("--against", "an arm without the candidate", "--against base");
  if (agent !== null && ["base+tips", "few-shot"].includes(against)) {
    throw doesNotFit("--against", "an arm without tips, as an agent of your own reads none of ours", "--against base");
  }
  refuseArmsLeftOut(options);
  if (samples > 1 && temperature === 0)
    throw doesNotFit("--temperature", "above 0, as greedy runs are all alike", "--temperature 0.7, or one sample");
}

/** Returns the comparison as a draft. Throws: `NO_CHAMPION`, `BAD_ARGUMENT`, unknown names. */
export async function draftOf(
  options: ValidateOptions,
  home: Home,
  found: {
    parts: readonly [OpenPart, ...OpenPart[]];
    base: BaseManifest;
    adapter: AdapterManifest | null;
    gate: GateSettings;
    general: Plan["general"];
  },
): Promise<PlanDraft> {
  const { samples, attempts, agent = null, seed, aa, sequential } = options;
  refuseUnfitting(options);
  const [primary, ...sides] = found.parts.map(({ part }) => part) as [Part, ...Part[]];
  const arms = await armsOf(options, home, { ...found, skill: primary.skill.id });
  return {
    ...primary,
    purpose: aa ? "aa" : "candidate",
    pairs: pairsOf(
      arms.map(({ arm }) => arm),
      options,
    ),
    ...{ sides, arms },
    ...{ samples, attempts, sequential, agent, seed, gate: found.gate, general: found.general },
    ...(agent !== null && { agentTimeoutMs: readDuration("agent-timeout", options.agentTimeout) }),
    serving: servingOf(options, found.base),
  };
}

/** An arm that is not among the default ones was asked for by its name: it is run, or it is refused. */
function refuseArmsLeftOut({ arms, agent, sequential, against }: ValidateOptions): void {
  const named = arms.filter((arm) => !["base", "base+tips", "candidate", against].includes(arm));
  if (sequential && named.length > 0)
    throw doesNotFit("--arms", `the pair that --sequential runs alone, without ${named.join(", ")}`);
  const ofTips = named.filter((arm) => ["candidate+tips", "few-shot"].includes(arm));
  if (agent !== undefined && ofTips.length > 0)
    throw doesNotFit(
      "--arms",
      `arms without tips, as an agent of your own reads none of ours: no ${ofTips.join(", ")}`,
    );
}

function servingOf(options: ValidateOptions, base: BaseManifest): Plan["serving"] {
  const contextTokens = servedContextTokens(base, options.contextTokens);
  return { target: options.target, args: startingOf(options).args, contextTokens };
}

async function armsOf(
  { arms, aa, agent, against, sequential, champion }: ValidateOptions,
  home: Home,
  { base, adapter, skill }: { base: BaseManifest; adapter: AdapterManifest | null; skill: string },
): Promise<Arm[]> {
  const plain = { model: base.name, baseHash: base.baseHash, adapterHash: null, memory: "none" as const, tipRuns: [] };
  if (aa) return [{ ...plain, arm: "base" }, { ...plain, arm: "base again" }]; // biome-ignore format: one line
  if (adapter === null)
    throw doesNotFit("--candidate", "the adapter to judge, or --aa", "tracemill status lists the adapters");
  const dataset = await readDatasetManifest(home, adapter.datasetHash);
  const grown = new Set((await listRuns(home)).filter((run) => run.memory === "grow").map(({ run }) => run));
  const tips = { memory: "frozen" as const, tipRuns: dataset.inputs.runs.filter(({ run }) => grown.has(run)) };
  const served = (of: AdapterManifest) => ({ ...plain, model: adapterLabel(of), adapterHash: of.adapterHash });
  const made: Record<ArmName, () => Promise<Omit<Arm, "arm">>> = {
    base: async () => plain,
    "base+tips": async () => ({ ...plain, ...tips }),
    candidate: async () => served(adapter),
    // Its tips are the solved items that the skill brings along: they are found once something is served.
    "few-shot": async () => ({ ...plain, memory: "frozen" }),
    "candidate+tips": async () => ({ ...served(adapter), ...tips }),
    champion: async () =>
      served(champion === undefined ? await championOf(home, skill) : await readAdapterManifest(home, champion)),
  };
  // Losses within the margin would add up from champion to champion, so the base stays the measure of harm.
  const always: ArmName[] = against === "champion" ? [against, "base"] : [against];
  const wanted = new Set<ArmName>([...always, ...(sequential ? [] : arms), "candidate"]);
  // What another program asks is its own affair: it reads no tips of ours.
  const names =
    agent === undefined ? [...wanted] : [...wanted].filter((arm) => !arm.endsWith("+tips") && arm !== "few-shot");
  return Promise.all(names.map(async (arm) => ({ arm, ...(await made[arm]()) })));
}

/** The deciding pair first; then the candidate against every other arm, and what tips do for the base. */
function pairsOf(arms: readonly string[], { against, aa }: ValidateOptions): [string, string][] {
  if (aa) return [["base", "base again"]];
  const others = arms.filter((arm) => arm !== against && arm !== "candidate");
  const pairs: [string, string][] = [against, ...others].map((arm) => [arm, "candidate"]);
  const showsTips = against === "base" && arms.includes("base+tips");
  return showsTips ? [...pairs, ["base", "base+tips"]] : pairs;
}

/** What answers for the role whose turns every arm makes. */
async function championOf(home: Home, skill: string): Promise<AdapterManifest> {
  const champion = championFor(await readChampions(home), { skill, role: "worker" });
  if (champion !== null) return readAdapterManifest(home, champion.adapterHash);
  throw new Refusal({
    code: "NO_CHAMPION",
    message: `Nothing is promoted for ${skill} yet, so there is no champion to compare with.`,
    expected: "a promoted adapter",
    got: "none",
    fix: "leave the arm out: --against base",
  });
}

/** A refusal of an option that does not go with the others, or is missing. */
export function doesNotFit(option: string, expected: string, fix = `give ${option} as expected`): Refusal {
  return new Refusal({ code: "BAD_ARGUMENT", message: `${option} does not fit.`, expected, fix });
}
