/**
 * A comparison: the plan that is written before its first call, and the decision that its runs led to.
 */
import { z } from "zod";
import { assert } from "../foundation/errors.ts";
import { samplingSchema } from "./events.ts";
import { axisResultSchema, gateSchema } from "./gate.ts";
import { hashSchema, itemIdSchema, runIdSchema } from "./ids.ts";
import { intervalSchema } from "./interval.ts";
import { SPLITS } from "./item.ts";

export const VERDICTS = ["better", "worse", "inconclusive"] as const;

/** `candidate` asks whether an adapter may be promoted; `aa` serves the base twice, which bounds the noise of serving. */
export const PURPOSES = ["candidate", "aa"] as const;

/** The arm of the base alone, without tips. */
export const BASE_ARM = "base";

export const armSchema = z.object({
  /** `base`, `base+tips`, `candidate`, `champion`, ... */
  arm: z.string(),
  model: z.string(),
  baseHash: hashSchema,
  adapterHash: hashSchema.nullable(),
  memory: z.enum(["frozen", "none"]),
  tipRuns: z.array(z.object({ run: runIdSchema, head: hashSchema })),
});

/** The items of one skill that every arm attempts. */
const partSchema = z.object({
  skill: z.object({ id: z.string(), version: z.string(), hash: hashSchema }),
  split: z.enum(SPLITS),
  /** In order. */
  items: z.array(z.object({ item: itemIdSchema, family: z.string() })).min(1),
  /** Of the whole items and of the verifier that judges them; plans of before do not say it. */
  contentHash: hashSchema.optional(),
  /** Whether the skill made all families for this comparison's items' seed alone; left out where not. */
  isFresh: z.literal(true).optional(),
  sampling: samplingSchema,
});

export const planSchema = partSchema.extend({
  comparisonHash: hashSchema,
  purpose: z.enum(PURPOSES).default("candidate"),
  /** Other skills, at which the candidate has to be no worse. */
  sides: z.array(partSchema).default([]),
  arms: z.array(armSchema).min(2),
  /** Pairs of arms, each `[reference, treatment]`; the first pair decides. */
  pairs: z.array(z.tuple([z.string(), z.string()])).min(1),
  /** Runs of each arm over the same items, each with its own seed. */
  samples: z.int().min(1).default(1),
  /** Most attempts at an item of one run; the first decides. */
  attempts: z.int().min(1).default(1),
  /** Whether it may end as soon as it is sure: it is looked at in a few places, each with its share of alpha. */
  sequential: z.boolean().default(false),
  /** The command of the user's own agent that makes the attempts; null where the worker's prompt does. */
  agent: z.string().nullable().default(null),
  /** Longest time of its attempt, and of a call; left out where there is no such agent. */
  agentTimeoutMs: z.int().optional(),
  /** What serves the arms; plans of before do not say it. */
  serving: z.object({ target: z.string(), args: z.array(z.string()), contextTokens: z.int() }).optional(),
  seed: z.int(),
  gate: gateSchema,
  /** The comparison that asked the same and was refused before any arm was run: what stood against it is cleared. */
  refusedBefore: hashSchema.optional(),
  /** How many candidates were judged on some of these families, this one included. */
  use: z.int().min(1),
  /** Two-sided error rate of every interval: the gate's, spent over the uses of the test set. A fraction. */
  alpha: z.number().gt(0).lt(1),
  /** Sets of reference texts by which general ability is judged. */
  general: z.array(z.object({ set: z.string(), hash: hashSchema, texts: z.int() })).default([]),
  plannedAt: z.iso.datetime(),
});

/** Figures of a pair that need one try an item; the interval is Newcombe's, of the difference as a fraction. */
const oneTrySchema = z.object({
  both: z.int(),
  onlyTreatment: z.int(),
  onlyReference: z.int(),
  neither: z.int(),
  newcombeInterval: intervalSchema,
  midP: z.number(),
  exactP: z.number(),
  /** `midP` after Holm's correction over all pairs of the comparison. */
  holmP: z.number(),
});

/** A figure beside the one that decides: the mean of its paired differences, treatment minus reference. */
const secondarySchema = z.object({
  metric: z.string(),
  difference: z.number(),
  interval: intervalSchema.nullable(),
  /** Two-sided, of the t statistic over families; after Holm's correction over the figures shown. Null where it cannot be told. */
  holmP: z.number().nullable(),
});

export const pairResultSchema = z.object({
  reference: z.string(),
  treatment: z.string(),
  n: z.int(),
  families: z.int(),
  /** Difference in first-try success, treatment minus reference, a fraction. */
  difference: z.number(),
  /** Of `clusterInterval` and `minimumDetectable`, where it is another than the decision's: a look's share of that. */
  alpha: z.number().gt(0).lt(1).optional(),
  clusterInterval: intervalSchema.nullable(),
  bootstrapInterval: intervalSchema.nullable(),
  /** Null where items were tried several times. */
  oneTry: oneTrySchema.nullable(),
  /** Where the spread of the difference comes from; null where items were tried once. */
  variance: z.object({ between: z.number(), within: z.number() }).nullable(),
  /** Smallest true difference that this design finds with 80 % power, a fraction; null where it cannot be told. */
  minimumDetectable: z.number().nullable(),
  /** Completion tokens per attempt, treatment over reference; null where an endpoint did not count them. */
  tokenRatio: z.object({ ratio: z.number(), interval: intervalSchema.nullable() }).nullable(),
  /** Completion tokens per solved item, likewise; the interval resamples families, and does not decide. */
  costRatio: z.object({ ratio: z.number(), interval: intervalSchema.nullable() }).nullable(),
  secondary: z.array(secondarySchema),
  verdict: z.enum(VERDICTS),
});

/** Units: shares as fractions; means over all attempts, times in milliseconds; null where nothing tells. */
export const armMetricsSchema = z.object({
  /** Share of items that were solved within their attempts. */
  solved: z.number(),
  attemptsToSuccess: z.number().nullable(),
  completionTokens: z.number().nullable(),
  totalTokens: z.number().nullable(),
  tokensPerSolved: z.number().nullable(),
  wallMs: z.number().nullable(),
  validCalls: z.number().nullable(),
  noopPasses: z.number(),
  suspect: z.number(),
});

export const armResultSchema = z.object({
  arm: z.string(),
  /** One for each sample. */
  runs: z.array(z.object({ run: runIdSchema, head: hashSchema })),
  /** First attempts that passed, of all. */
  passed: z.int(),
  n: z.int(),
  rate: z.number(),
  interval: intervalSchema,
  metrics: armMetricsSchema,
});

/** What came of one skill's items. */
const partResultSchema = z.object({
  arms: z.array(armResultSchema),
  pairs: z.array(pairResultSchema),
  /** Items that an arm has no verdict of: both sides of such a pair are left out. */
  dropped: z.array(z.object({ item: itemIdSchema, arm: z.string() })),
});

export const decisionSchema = partResultSchema.extend({
  comparisonHash: hashSchema,
  /** The adapter of the deciding pair's treatment; null where nothing is judged, as the base was served twice. */
  adapterHash: hashSchema.nullable(),
  alpha: z.number().gt(0).lt(1),
  /** That of the first pair. */
  verdict: z.enum(VERDICTS),
  /** Whether every axis of the gate passed: what a promotion asks for. */
  hasPassed: z.boolean(),
  axes: z.array(axisResultSchema),
  reasons: z.array(z.string()),
  sides: z.array(partResultSchema.extend({ skill: z.string() })),
  /** What is shown of general ability beside the axes: one arm's figure a line. */
  shown: z.array(z.object({ set: z.string(), arm: z.string(), figure: z.string(), value: z.number() })).default([]),
  decidedAt: z.iso.datetime(),
});

export type Plan = z.infer<typeof planSchema>;
/** What is asked; the rest follows when it is written. */
export type PlanDraft = Omit<Plan, "comparisonHash" | "plannedAt" | "refusedBefore" | "use" | "alpha" | MayBeLeftOut> &
  Partial<Pick<Plan, MayBeLeftOut>>;
type MayBeLeftOut = "purpose" | "sides" | "samples" | "attempts" | "sequential" | "agent" | "general";
export type Part = z.infer<typeof partSchema>;
export type Arm = z.infer<typeof armSchema>;
export type Decision = z.infer<typeof decisionSchema>;
export type PartResult = z.infer<typeof partResultSchema>;
export type ArmResult = z.infer<typeof armResultSchema>;
export type ArmMetrics = z.infer<typeof armMetricsSchema>;
export type PairResult = z.infer<typeof pairResultSchema>;
export type GateVerdict = (typeof VERDICTS)[number];
export type { Interval } from "./interval.ts";

/** The parts of a plan: the skill that decides first, then the others. */
export function partsOf({ skill, split, items, sampling, contentHash, isFresh, sides }: Plan): [Part, ...Part[]] {
  const first = { skill, split, items, sampling, ...(contentHash !== undefined && { contentHash }) };
  return [{ ...first, ...(isFresh && { isFresh }) }, ...sides];
}

/** The arm of that name. */
export function armNamed({ arms }: Pick<Plan, "arms">, name: string): Arm {
  const arm = arms.find((one) => one.arm === name);
  assert(arm !== undefined, `a plan pairs an arm ${name} that it does not have`);
  return arm;
}

/** The reference and the treatment that decide. */
export function decidingPair({ pairs }: Pick<Plan, "pairs">): [string, string] {
  return pairs[0] as [string, string];
}

/** The base and the treatment, where another arm is the one to beat and the base is an arm too; else null. */
export function basePair({ arms, pairs }: Pick<Plan, "arms" | "pairs">): [string, string] | null {
  const [reference, treatment] = decidingPair({ pairs });
  return reference !== BASE_ARM && arms.some(({ arm }) => arm === BASE_ARM) ? [BASE_ARM, treatment] : null;
}

/**
 * The arms that attempt a part: all of them the first one, or the deciding pair where it may end early; the skills at the side
 * the deciding pair and the base.
 */
export function armsAt(plan: Plan, index: number): Arm[] {
  if (index === 0 && !plan.sequential) return plan.arms;
  const names = [...decidingPair(plan), ...(index === 0 ? [] : (basePair(plan) ?? []))];
  return plan.arms.filter(({ arm }) => names.includes(arm));
}
