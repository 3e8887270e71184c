/**
 * The form of a skill's manifest: the same for one written in TypeScript and for one that is an executable.
 */
import { z } from "zod";
import { verifierSchema } from "../records/verdict.ts";
import type { SkillManifest } from "./contract.ts";

const SHARE_TOLERANCE = 1e-9;

/** What a skill may be called; its folder bears the same name. */
export const SKILL_ID = /^[a-z0-9-]+$/;

export const manifestShape = {
  id: z.string().regex(SKILL_ID, "expected lower-case letters, digits and hyphens"),
  version: z.string().min(1),
  description: z.string().min(1),
  salt: z.string().min(1),
  splitFractions: z
    .object({ train: z.number().min(0), validation: z.number().min(0), test: z.number().min(0) })
    .refine(({ train, validation, test }) => Math.abs(train + validation + test - 1) < SHARE_TOLERANCE, {
      message: "expected shares that sum to 1",
    }),
  failureModes: z.array(z.string()).readonly(),
  verifier: verifierSchema.optional(),
  deferrableFailureModes: z.array(z.string()).readonly().optional(),
  maxTokens: z.int().min(1),
};

export const manifestSchema = z
  .object(manifestShape)
  .refine(hasKnownDeferrals, { path: ["deferrableFailureModes"], message: "expected some of failureModes" });

/** Whether every mode that may be deferred is a failure mode. */
export function hasKnownDeferrals({
  failureModes,
  deferrableFailureModes = [],
}: {
  failureModes: SkillManifest["failureModes"];
  deferrableFailureModes?: SkillManifest["failureModes"] | undefined;
}): boolean {
  return deferrableFailureModes.every((mode) => failureModes.includes(mode));
}
