/**
 * `gate.yaml`: what is asked of a candidate before it may be promoted, axis by axis, and what each axis found.
 */
import { z } from "zod";
import { intervalSchema } from "./interval.ts";

const bounds = z.strictObject({
  /** How much worse a candidate may be: a fraction of items for skills, nats a token for general ability. */
  margin: z.number().gt(0),
  /** Whether an axis that cannot tell is let pass. */
  allowInconclusive: z.boolean().default(false),
});

export const gateSchema = z.strictObject({
  /** Two-sided error rate of every interval: an axis errs on the passing side with half of it. */
  alpha: z.number().gt(0).lt(1).default(0.05),
  primary: z
    .strictObject({
      /** Below so many families no interval over them is sound, and every axis that has one is inconclusive. */
      minFamilies: z.int().min(2).default(10),
    })
    .prefault({}),
  skills: bounds.extend({ margin: z.number().gt(0).lt(1) }).prefault({ margin: 0.03 }),
  general: bounds
    .extend({
      /** The same of right answers among wrong ones, nats a question; gates of before do not say it. */
      questionMargin: z.number().gt(0).optional(),
    })
    .prefault({ margin: 0.02 }),
  /** A pass rate below which a base shows nothing that could be lost. */
  floor: z.number().min(0).max(1).default(0.02),
  tokensPerSolved: z
    .strictObject({ atMost: z.number().gt(0), allowInconclusive: z.boolean().default(false) })
    .nullable()
    .default({ atMost: 1.25, allowInconclusive: false }),
  /** Nats a token from the base; gates of before do not say what holds where it was not measured: then it is not let pass. */
  kl: z
    .strictObject({ atMost: z.number().gt(0), allowInconclusive: z.boolean().optional() })
    .nullable()
    .default({ atMost: 1, allowInconclusive: true }),
  /** Axes of kind `side` that have to say something, so that a gate cannot pass for want of evidence. */
  informativeSides: z.int().min(0).default(1),
});

export const AXIS_OUTCOMES = ["passed", "failed", "inconclusive", "uninformative"] as const;

export const axisResultSchema = z.object({
  /** `sql`, `cron`, `tokens-per-solved`, `leakage`. */
  axis: z.string(),
  kind: z.enum(["primary", "side", "limit"]),
  outcome: z.enum(AXIS_OUTCOMES),
  /** Whether the gate goes on although the axis did not pass. */
  isLetPass: z.boolean(),
  estimate: z.number().nullable(),
  interval: intervalSchema.nullable(),
  /** What was asked, in words: `above 0`, `above -3.0 points`. */
  threshold: z.string(),
  /** In one sentence for people. */
  reason: z.string(),
  /** Items that would tell; null where it is passed, failed, or cannot be told. */
  neededItems: z.int().nullable(),
});

export type GateSettings = z.infer<typeof gateSchema>;
/** What a nat of a general set is of: of a token of a text, or of the choice that a question asks for. */
export type PerWhat = "token" | "question";

export type AxisResult = z.infer<typeof axisResultSchema>;
export type AxisOutcome = AxisResult["outcome"];

/** Where a gate does not say it: the right answer has become a twentieth less likely among the four (docs/decisions/0027-right-among-wrong.md). */
export const QUESTION_MARGIN = 0.05;

/** By how much a general set may become less likely. Units: nats of what `per` says. */
export function generalMargin({ general }: GateSettings, per: PerWhat): number {
  return per === "token" ? general.margin : (general.questionMargin ?? QUESTION_MARGIN);
}
