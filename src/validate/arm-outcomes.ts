/**
 * What one arm's run brought on each planned item: the first attempt's verdict, tokens and answer.
 * Holds the run to the plan: a run of another comparison, arm, model or memory is refused, and so is one that lacks
 * an item or a verdict, because dropping such an item would let a failing endpoint pick the items.
 */
import { z } from "zod";
import { Refusal } from "../foundation/errors.ts";
import type { Hash } from "../foundation/hashing.ts";
import type { Arm, Plan } from "../records/comparison.ts";
import { hashSchema, type ItemId, itemIdSchema, type RunId, runIdSchema } from "../records/ids.ts";
import type { Lake } from "../store/lake.ts";

export interface Outcome {
  item: ItemId;
  family: string;
  kind: string | null;
  task: string;
  passed: boolean;
  /** Null where the endpoint did not count. */
  completionTokens: number | null;
  response: string | null;
  failureMode: string | null;
}

export interface ArmOutcomes {
  arm: Arm;
  run: RunId;
  head: Hash;
  /** In the plan's order, one for each planned item. */
  outcomes: Outcome[];
  /** Sealed runs of this arm under this comparison; more than one means that somebody chose. */
  runsOfArm: number;
}

const runRow = z.object({
  run: runIdSchema,
  head: hashSchema,
  skill: z.string(),
  skill_hash: hashSchema,
  split: z.string(),
  memory: z.string(),
  seed: z.coerce.number(),
  comparison: z.string().nullable(),
  arm: z.string().nullable(),
  worker_base_hash: z.string().nullable(),
  worker_adapter_hash: z.string().nullable(),
});

const modelRow = z.object({ base_hash: z.string().nullable(), adapter_hash: z.string().nullable() });

const outcomeRow = z.object({
  item: itemIdSchema,
  kind: z.string().nullable(),
  task: z.string(),
  eval_passed: z.boolean().nullable(),
  completion_tokens: z.coerce.number().nullable(),
  response: z.string().nullable(),
  failure_mode: z.string().nullable(),
});

/** An answer whose tokens the endpoint did not count makes the attempt's sum unknown; a call without answer has none. */
const OUTCOMES = `
  SELECT a.item, i.kind, i.task, a.eval_passed, a.response, a.failure_mode, t.completion_tokens
  FROM attempts a
  JOIN items i ON i.run = a.run AND i.item = a.item
  LEFT JOIN (
    SELECT attempt, CASE WHEN bool_or(response IS NOT NULL AND completion_tokens IS NULL) THEN NULL
      ELSE coalesce(sum(completion_tokens), 0) END AS completion_tokens
    FROM turns WHERE run = $run AND role = 'worker' GROUP BY attempt
  ) t ON t.attempt = a.attempt
  WHERE a.run = $run AND a.attempt_number = 1`;

/**
 * Reads the outcomes of `run` as the given arm of the plan.
 * Throws: `RUN_NOT_OF_COMPARISON` with what differs, `INCOMPLETE_ARM` with how many items lack what.
 */
export async function readArm(lake: Lake, plan: Plan, { arm, run }: { arm: Arm; run: RunId }): Promise<ArmOutcomes> {
  const head = await holdToPlan(lake, plan, { arm, run });
  const rows = await lake.query(OUTCOMES, { run });
  const found = new Map(rows.map((row) => outcomeRow.parse(row)).map((row) => [row.item, row]));
  const missing: string[] = [];
  const unjudged: string[] = [];
  const outcomes: Outcome[] = [];
  for (const { item, family } of plan.items) {
    const row = found.get(item);
    if (row === undefined) missing.push(item);
    else if (row.eval_passed === null) unjudged.push(item);
    else {
      const { kind, task, response } = row;
      const tokens = row.completion_tokens;
      const outcome = { item, family, kind, task, response, passed: row.eval_passed, failureMode: row.failure_mode };
      outcomes.push({ ...outcome, completionTokens: tokens });
    }
  }
  if (missing.length + unjudged.length > 0) throw incompleteArm({ arm: arm.arm, run, missing, unjudged });
  return { arm, run, head, outcomes, runsOfArm: await countRunsOfArm(lake, plan, arm) };
}

async function holdToPlan(lake: Lake, plan: Plan, { arm, run }: { arm: Arm; run: RunId }): Promise<Hash> {
  const rows = await lake.query("SELECT * FROM runs WHERE run = $run", { run });
  if (rows[0] === undefined) throw notOfComparison(run, "a sealed run", "no such run in the lake");
  const row = runRow.parse(rows[0]);
  const claims: [string, string | number | null, string | number | null][] = [
    ["comparison", plan.comparisonHash, row.comparison],
    ["arm", arm.arm, row.arm],
    ["skill", plan.skill.id, row.skill],
    ["skill hash", plan.skill.hash, row.skill_hash],
    ["split", plan.split, row.split],
    ["memory", arm.memory, row.memory],
    ["seed", plan.seed, row.seed],
    ["base hash", arm.baseHash, row.worker_base_hash],
    ["adapter hash", arm.adapterHash, row.worker_adapter_hash],
  ];
  // What each call recorded counts as much as what the run said at its start.
  const models = await lake.query(
    "SELECT DISTINCT base_hash, adapter_hash FROM turns WHERE run = $run AND role = 'worker'",
    { run },
  );
  for (const model of models.map((other) => modelRow.parse(other))) {
    claims.push(["base hash", arm.baseHash, model.base_hash], ["adapter hash", arm.adapterHash, model.adapter_hash]);
  }
  for (const [what, planned, actual] of claims) {
    if (planned !== actual) throw notOfComparison(run, `${what} ${planned ?? "none"}`, `${what} ${actual ?? "none"}`);
  }
  return row.head;
}

async function countRunsOfArm(lake: Lake, plan: Plan, arm: Arm): Promise<number> {
  const rows = await lake.query("SELECT run FROM runs WHERE comparison = $comparison AND arm = $arm", {
    comparison: plan.comparisonHash,
    arm: arm.arm,
  });
  return rows.length;
}

function notOfComparison(run: RunId, expected: string, got: string): Refusal {
  return new Refusal({
    code: "RUN_NOT_OF_COMPARISON",
    message: `Run ${run} is not what the comparison planned.`,
    expected,
    got,
    where: `run ${run}`,
    fix: "run the comparison's arms with `tracemill validate`",
  });
}

function incompleteArm(gap: { arm: string; run: RunId; missing: string[]; unjudged: string[] }): Refusal {
  const first = [...gap.missing, ...gap.unjudged][0];
  return new Refusal({
    code: "INCOMPLETE_ARM",
    message: `Arm ${gap.arm} has no outcome for ${gap.missing.length + gap.unjudged.length} planned items.`,
    expected: "a first attempt with one deciding verdict for every planned item",
    got: `${gap.missing.length} items without an attempt, ${gap.unjudged.length} without a deciding verdict; first: ${first}`,
    where: `run ${gap.run}`,
    fix: "see why in the failures that the run recorded, then validate again with another --seed",
  });
}
