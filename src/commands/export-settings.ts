/**
 * What can be asked of an export, and how its words are read.
 */
import { z } from "zod";
import { UNNAMED_TEACHER } from "../curate/index.ts";
import { Refusal } from "../foundation/errors.ts";
import type { DatasetManifest } from "../records/dataset-manifest.ts";
import { BOTH_ROLES } from "../records/role-names.ts";
import { TIERS, TRIES, UNITS } from "../records/selection.ts";

/** The most rows of one item, unless it is said otherwise. */
export const DEFAULT_MAX_PER_ITEM = 2;

export const exportSettings = z.object({
  role: z
    .string()
    .optional()
    .describe('whose turns become rows, or "all" for every role\'s (default: worker; of pairs, worker and reflector)'),
  filter: z
    .string()
    .optional()
    .describe(
      'which answers, such as "eval_passed=true and confidence>=0.9 and not flag(noop-pass)" (default: good ones)',
    ),
  format: z.string().default("jsonl").describe("how rows are written"),
  tier: z.enum(TIERS).optional().describe("what kind of rows (default: what the format is for)"),
  out: z.string().min(1).optional().describe("copy the training rows to this file"),
  base: z
    .string()
    .optional()
    .describe('whose tokenizer and template render the rows, or "none" (default: the runs\' base, where it is known)'),
  minRows: z.int().min(1).default(1).describe("refuse a dataset of fewer training rows"),
  maxPerItem: z
    .int()
    .min(1)
    .default(DEFAULT_MAX_PER_ITEM)
    .describe("most rows of one item; of judged answers, of each label"),
  maxTokens: z.int().min(1).optional().describe("refuse longer rows (default: the base's context)"),
  unit: z.enum(UNITS).default("turn").describe("a row is one turn, or a whole attempt"),
  tips: z.enum(["drop", "keep"]).default("drop").describe("take rendered tips out of the prompts, or leave them in"),
  target: z
    .enum(["answer", "action"])
    .default("answer")
    .describe("train on the recorded answer, or on the verified action in the skill's own form"),
  tries: z
    .enum(TRIES)
    .default("all")
    .describe("which attempts at an item: all, the first, or the one with fewest tokens"),
  band: z.string().optional().describe("only items that such a share of the attempts solved, such as 0.1..0.9"),
  dampEasy: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe("how surely an item is left out that every attempt solved; none that half of them solved"),
  balanceFamilies: z
    .number()
    .min(1)
    .default(1)
    .describe("sampling temperature over families: 1 leaves shares as they are"),
  balanceSkills: z.number().min(1).default(1).describe("sampling temperature over skills"),
  near: z.string().default("0.85").describe('similarity from which two rows are near-duplicates, or "off"'),
  without: z.string().optional().describe("integrity gates to turn off, separated by commas; the manifest says so"),
  include: z.enum(["retired"]).optional().describe("also rows whose prompt holds a retired tip, or that wrote one"),
  allowTeacher: z
    .string()
    .optional()
    .describe(
      `models whose answers may be trained on though they are hosted or not known to be open, separated by commas; "${UNNAMED_TEACHER}" where none is named; their terms may forbid it`,
    ),
  scrub: z.enum(["on", "off"]).default("on").describe("replace secrets by typed placeholders"),
  scrubReason: z.string().optional().describe("why secrets are left in; needed with --scrub off"),
  seed: z.int().default(1).describe("decides the order of the rows, and whatever is drawn"),
});

export type ExportSettingsGiven = z.input<typeof exportSettings>;

/** The words that would give a dataset like this one. */
export function wordsOf(dataset: DatasetManifest): ExportSettingsGiven {
  const { settings, role, filter, format, tier, base, seed, gatesOff, scrub } = dataset;
  const { band, balance, nearThreshold, allowTeachers, maxTokens, ...same } = settings;
  return {
    ...same,
    ...{ filter, format, tier, seed, base: base ?? "none" },
    ...(role !== BOTH_ROLES && { role }),
    ...(maxTokens !== null && { maxTokens }),
    ...(band !== null && { band: `${band.low}..${band.high}` }),
    ...{ balanceFamilies: balance.families, balanceSkills: balance.skills },
    near: nearThreshold === null ? "off" : String(nearThreshold),
    without: gatesOff.join(","),
    allowTeacher: allowTeachers.join(","),
    ...(scrub?.on === false && { scrub: "off", scrubReason: scrub.reason ?? "" }),
  };
}

/** Splits what is separated by commas. */
export function commaList(text: string | undefined): string[] {
  return (text ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
}

/** Reads `0.1..0.9`. Throws: `BAD_ARGUMENT`. */
export function readBand(text: string | undefined): { low: number; high: number } | null {
  if (text === undefined) return null;
  const [, low = "", high = ""] = /^(\d(?:\.\d+)?)\.\.(\d(?:\.\d+)?)$/.exec(text) ?? [];
  if (low !== "" && Number(low) <= Number(high) && Number(high) <= 1) return { low: Number(low), high: Number(high) };
  throw badArgument("band", { expected: "two fractions, the lower one first: 0.1..0.9", got: text });
}

/** Reads a similarity or `off`. Throws: `BAD_ARGUMENT`. */
export function readNear(text: string): number | null {
  if (text === "off") return null;
  const threshold = Number(text);
  if (threshold > 0 && threshold <= 1) return threshold;
  throw badArgument("near", { expected: "a similarity above 0 and at most 1, or off", got: text });
}

/** Returns why secrets are left in; null where they are replaced. Throws: `SCRUB_REASON_MISSING`. */
export function readScrub({
  scrub,
  scrubReason,
}: {
  scrub: "on" | "off";
  scrubReason?: string | undefined;
}): string | null {
  if (scrub === "on") return null;
  if (scrubReason !== undefined && scrubReason.trim() !== "") return scrubReason.trim();
  throw new Refusal({
    code: "SCRUB_REASON_MISSING",
    message: "Secrets stay in the rows only for a reason, which the manifest keeps.",
    expected: '--scrub-reason "..."',
    fix: 'add --scrub-reason "why", or leave --scrub off out',
  });
}

function badArgument(option: string, { expected, got }: { expected: string; got: string }): Refusal {
  return new Refusal({
    code: "BAD_ARGUMENT",
    message: `--${option} cannot be used as it is.`,
    expected,
    got: JSON.stringify(got),
  });
}
