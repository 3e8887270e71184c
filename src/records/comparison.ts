/**
 * A comparison: the plan that is written before its first call, and the decision that its runs led to.
 */
import { z } from "zod";
import { samplingSchema } from "./events.ts";
import { hashSchema, itemIdSchema, runIdSchema } from "./ids.ts";
import { SPLITS } from "./item.ts";

export const VERDICTS = ["better", "worse", "inconclusive"] as const;

export const armSchema = z.object({
  /** `base`, `base+tips` or `candidate`. */
  arm: z.string(),
  model: z.string(),
  baseHash: hashSchema,
  adapterHash: hashSchema.nullable(),
  memory: z.enum(["frozen", "none"]),
  tipRuns: z.array(z.object({ run: runIdSchema, head: hashSchema })),
});

export const planSchema = z.object({
  comparisonHash: hashSchema,
  skill: z.object({ id: z.string(), version: z.string(), hash: hashSchema }),
  split: z.enum(SPLITS),
  /** Every item that each arm attempts once, in order. */
  items: z.array(z.object({ item: itemIdSchema, family: z.string() })).min(1),
  arms: z.array(armSchema).min(2),
  /** Pairs of arms, each `[reference, treatment]`; the first pair decides. */
  pairs: z.array(z.tuple([z.string(), z.string()])).min(1),
  sampling: samplingSchema,
  seed: z.int(),
  /** Two-sided error rate of the deciding interval, a fraction. */
  alpha: z.number().gt(0).lt(1),
  /** File name in `validate/gates/`: the rule that turns figures into a verdict, fixed before the first call. */
  gate: z.string().default("first-try-success"),
  plannedAt: z.iso.datetime(),
});

export const intervalSchema = z.object({ low: z.number(), high: z.number() });

export const pairResultSchema = z.object({
  reference: z.string(),
  treatment: z.string(),
  n: z.int(),
  families: z.int(),
  both: z.int(),
  onlyTreatment: z.int(),
  onlyReference: z.int(),
  neither: z.int(),
  /** Difference in first-try success, treatment minus reference, a fraction. */
  difference: z.number(),
  clusterInterval: intervalSchema.nullable(),
  newcombeInterval: intervalSchema,
  bootstrapInterval: intervalSchema.nullable(),
  midP: z.number(),
  exactP: z.number(),
  /** `midP` after Holm's correction over all pairs of the comparison. */
  holmP: z.number(),
  /** Smallest true difference that this design finds with 80 % power, a fraction; null where it cannot be told. */
  minimumDetectable: z.number().nullable(),
  /** Completion tokens per attempt, treatment over reference; null where an endpoint did not count them. */
  tokenRatio: z.object({ ratio: z.number(), interval: intervalSchema.nullable() }).nullable(),
  verdict: z.enum(VERDICTS),
});

export const decisionSchema = z.object({
  comparisonHash: hashSchema,
  /** The adapter of the deciding pair's treatment. */
  adapterHash: hashSchema,
  gate: z.string(),
  alpha: z.number().gt(0).lt(1),
  /** That of the first pair. */
  verdict: z.enum(VERDICTS),
  reasons: z.array(z.string()),
  arms: z.array(
    z.object({
      arm: z.string(),
      run: runIdSchema,
      head: hashSchema,
      passed: z.int(),
      n: z.int(),
      rate: z.number(),
      interval: intervalSchema,
      /** Mean completion tokens of an attempt; null where the endpoint did not count them. */
      completionTokens: z.number().nullable(),
    }),
  ),
  pairs: z.array(pairResultSchema),
  decidedAt: z.iso.datetime(),
});

export type Plan = z.infer<typeof planSchema>;
export type PlanDraft = Omit<z.input<typeof planSchema>, "comparisonHash" | "plannedAt">;
export type Arm = z.infer<typeof armSchema>;
export type Decision = z.infer<typeof decisionSchema>;
export type PairResult = z.infer<typeof pairResultSchema>;
export type GateVerdict = (typeof VERDICTS)[number];
export type Interval = z.infer<typeof intervalSchema>;
