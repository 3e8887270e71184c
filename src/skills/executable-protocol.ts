/**
 * What an executable skill is asked and answers, one JSON object a line: `{id, method, params}` for
 * `{id, result}` or `{id, error}`. docs/skills.md tells it message by message.
 */
import { z } from "zod";
import type { ActionCall } from "../records/events.ts";
import type { Item } from "../records/item.ts";
import { VERDICT_FLAGS, verifierSchema } from "../records/verdict.ts";

/** What a program implements only where its skill.json names it. */
export const OPTIONAL_METHODS = ["health", "enter", "settle", "doctor"] as const;

/** A text, or what a person needs to mend their input. */
export const errorSchema = z.union([
  z.string(),
  z.strictObject({
    message: z.string(),
    expected: z.string().optional(),
    got: z.string().optional(),
    where: z.string().optional(),
    fix: z.string().optional(),
  }),
]);

export const replySchema = z.union([
  z.strictObject({ id: z.int(), error: errorSchema }),
  z.strictObject({ id: z.int(), result: z.unknown().refine((result) => result !== undefined) }),
]);

const itemsSchema = z.array(
  z.strictObject({
    id: z.string().min(1).max(500),
    family: z.string().min(1),
    kind: z.string().nullable().default(null),
    task: z.string().min(1),
    detail: z.record(z.string(), z.json()).default({}),
  }),
);

const share = z.number().min(0).max(1);

const verdictReplySchema = z.strictObject({
  passed: z.boolean(),
  /** 1 or 0 where it is left out. */
  value: share.optional(),
  confidence: share.default(1),
  failureMode: z.string().nullable().default(null),
  signalType: z.enum(["binary", "graded"]).default("binary"),
  /** The skill's id and version where it is left out. */
  verifier: verifierSchema.optional(),
  before: z.strictObject({ value: share, passed: z.boolean() }).nullable().default(null),
  evidence: z.json().default(null),
  flags: z.array(z.enum(VERDICT_FLAGS)).default([]),
});

const checksSchema = z.array(
  z.strictObject({ what: z.string(), isMet: z.boolean(), found: z.string(), fix: z.string().nullable().default(null) }),
);

export const resultSchemas = {
  items: itemsSchema,
  open: z.unknown(),
  act: z.strictObject({
    exitCode: z.int().nullable(),
    stdout: z.string().default(""),
    stderr: z.string().default(""),
  }),
  verify: verdictReplySchema,
  checkpoint: z.strictObject({ name: z.string().min(1).max(500) }),
  restore: z.unknown(),
  health: z.strictObject({ complaint: z.string().nullable() }),
  enter: z.strictObject({ folder: z.string().min(1) }),
  settle: z.unknown(),
  close: z.unknown(),
  doctor: checksSchema,
} as const;

type OfWorkspace = { workspace: string };

export interface Params {
  items: { seed: number; itemsFile: string | null };
  open: OfWorkspace & { item: Item; folder: string; from: string | null };
  act: OfWorkspace & { call: ActionCall };
  /** Exactly one of the two is not null. */
  verify: OfWorkspace & { call: ActionCall | null; missing: { failureMode: string; reason: string } | null };
  checkpoint: OfWorkspace;
  restore: OfWorkspace & { checkpoint: string };
  health: OfWorkspace;
  enter: OfWorkspace;
  settle: OfWorkspace;
  close: OfWorkspace;
  doctor: Record<string, never>;
}

export type Method = keyof typeof resultSchemas;
export type Result<M extends Method> = z.infer<(typeof resultSchemas)[M]>;
export type ReplyError = z.infer<typeof errorSchema>;
