/**
 * What one arm's runs brought on a part's items: each try's verdict, tokens and answer.
 * Holds the runs to the plan: a run of another comparison, arm, model or memory is refused, because a comparison of what was
 * not planned would be choosing.
 */
import { z } from "zod";
import { Refusal } from "../foundation/errors.ts";
import type { Hash } from "../foundation/hashing.ts";
import type { Arm, Part, Plan } from "../records/comparison.ts";
import { hashSchema, type ItemId, itemIdSchema, type RunId, runIdSchema } from "../records/ids.ts";
import type { Lake } from "../store/lake.ts";

/** One run of an arm over a part's items. */
export interface ArmRun {
  /** The part's skill. */
  skill: string;
  arm: string;
  /** Counts from 1. */
  sample: number;
  run: RunId;
}

/** What one run came to at an item, over all its attempts. Units: tokens; milliseconds of calls and actions. */
export interface Sample {
  /** The first attempt's verdict. */
  passed: boolean;
  solved: boolean;
  attempts: number;
  /** Null where the endpoint did not count. */
  completionTokens: number | null;
  totalTokens: number | null;
  /** Null where another program made the run and does not say how long each call and action took. */
  wallMs: number | null;
  /** Attempts of which an action was read; null where another program made the run, as nobody read any. */
  validCalls: number | null;
  /** Passes that were there before the action; attempts whose environment is doubtful. */
  noopPasses: number;
  suspect: number;
  response: string | null;
  failureMode: string | null;
}

export interface Outcome {
  item: ItemId;
  family: string;
  kind: string | null;
  task: string;
  /** One for each sample. */
  samples: Sample[];
}

export interface ArmOutcomes {
  arm: Arm;
  runs: { run: RunId; head: Hash }[];
  /** In the plan's order; null for an item that a run has no verdict of. */
  outcomes: (Outcome | null)[];
  /** Sealed runs of this arm under this comparison; more than its samples means that somebody chose. */
  runsOfArm: number;
}

const runRow = z.object({
  run: runIdSchema,
  head: hashSchema,
  skill: z.string(),
  skill_hash: hashSchema,
  split: z.string(),
  memory: z.string(),
  seed: z.coerce.number().nullable(),
  comparison: z.string().nullable(),
  arm: z.string().nullable(),
  sample: z.coerce.number().nullable(),
  worker_base_hash: z.string().nullable(),
  worker_adapter_hash: z.string().nullable(),
});

const modelRow = z.object({ base_hash: z.string().nullable(), adapter_hash: z.string().nullable() });

const count = z.coerce.number();
const outcomeRow = z.object({
  item: itemIdSchema,
  family: z.string(),
  kind: z.string().nullable(),
  task: z.string(),
  first_passed: z.boolean().nullable(),
  solved: z.boolean(),
  attempts: count,
  completion_tokens: count.nullable(),
  total_tokens: count.nullable(),
  wall_ms: count.nullable(),
  valid_calls: count.nullable(),
  noop_passes: count,
  suspect: count,
  response: z.string().nullable(),
  failure_mode: z.string().nullable(),
});

/**
 * What an agent's attempt that was cut short, or got no answer, leaves is made again as the next one: with `fromVerdict` tries count from
 * the first verdict, be it a contradicted one. An answer whose tokens the endpoint did not count makes the sums unknown; a call without
 * answer has none. Of a run that another program made, which has no skill's hash, a time that is not told is recorded as 0.
 */
const OUTCOMES = `
  WITH made AS (SELECT skill_hash IS NULL AS is_foreign FROM runs WHERE run = $run),
  tried AS (
    SELECT run, item, attempt, eval_passed, before_passed, flags, failure_mode, response,
      CASE WHEN $fromVerdict THEN row_number() OVER (PARTITION BY item ORDER BY attempt_number) ELSE attempt_number END AS nth
    FROM attempts WHERE run = $run AND (NOT $fromVerdict OR verifier_id IS NOT NULL)),
  worked AS (
    SELECT attempt, sum(latency_ms) AS latency_ms,
      bool_or(response IS NOT NULL AND completion_tokens IS NULL) AS is_uncounted,
      bool_or(response IS NOT NULL AND latency_ms = 0) AS is_untimed,
      coalesce(sum(completion_tokens), 0) AS completion_tokens,
      coalesce(sum(prompt_tokens), 0) + coalesce(sum(completion_tokens), 0) AS total_tokens
    FROM turns WHERE run = $run AND ($role IS NULL OR "role" = $role) GROUP BY attempt)
  SELECT a.item, any_value(i.family) AS family, any_value(i.kind) AS kind, any_value(i.task) AS task,
    any_value(a.eval_passed) FILTER (a.nth = 1) AS first_passed,
    coalesce(bool_or(a.eval_passed), false) AS solved, count(*) AS attempts,
    CASE WHEN NOT bool_or(coalesce(t.is_uncounted, false)) THEN coalesce(sum(t.completion_tokens), 0) END AS completion_tokens,
    CASE WHEN NOT bool_or(coalesce(t.is_uncounted, false)) THEN coalesce(sum(t.total_tokens), 0) END AS total_tokens,
    CASE WHEN NOT bool_or(is_foreign AND (coalesce(t.is_untimed, true) OR coalesce(s.duration_ms = 0, false)))
      THEN coalesce(sum(t.latency_ms), 0) + coalesce(sum(s.duration_ms), 0) END AS wall_ms,
    CASE WHEN NOT any_value(is_foreign) THEN count(*) FILTER (s.tool_call IS NOT NULL) END AS valid_calls,
    count(*) FILTER (a.eval_passed AND (a.before_passed OR list_contains(a.flags, 'noop-pass'))) AS noop_passes,
    count(*) FILTER (list_contains(a.flags, 'environment-suspect')) AS suspect,
    any_value(a.response) FILTER (a.nth = 1) AS response,
    any_value(a.failure_mode) FILTER (a.nth = 1) AS failure_mode
  FROM tried a CROSS JOIN made
  JOIN items i ON i.run = a.run AND i.item = a.item
  JOIN files.attempts s ON s.run = a.run AND s.attempt = a.attempt
  LEFT JOIN worked t ON t.attempt = a.attempt
  WHERE $attempts IS NULL OR a.nth <= $attempts
  GROUP BY a.item`;

/**
 * Reads the outcomes of an arm's runs, one run for each sample.
 * Throws: `ARM_WITHOUT_RUN`, `RUN_NOT_OF_COMPARISON` with what differs.
 */
export async function readArm(
  lake: Lake,
  plan: Plan,
  { part, arm, runs }: { part: Part; arm: Arm; runs: readonly ArmRun[] },
): Promise<ArmOutcomes> {
  const heads: ArmOutcomes["runs"] = [];
  const outcomes: (Outcome | null)[] = part.items.map(({ item, family }) => ({
    ...{ item, family, kind: null, task: "", samples: [] },
  }));
  for (let sample = 1; sample <= plan.samples; sample++) {
    const found = runs.find((one) => one.skill === part.skill.id && one.arm === arm.arm && one.sample === sample);
    if (found === undefined) throw armWithoutRun(plan, { arm: arm.arm, skill: part.skill.id, sample });
    const { run } = found;
    heads.push({ run, head: await holdToPlan(lake, plan, { part, arm, sample, run }) });
    const byItem = await outcomesOfRun(lake, {
      ...{ run, role: "worker", attempts: plan.attempts, fromVerdict: plan.agent !== null },
    });
    for (const [index, outcome] of outcomes.entries()) {
      const found = outcome === null ? undefined : byItem.get(outcome.item);
      if (outcome === null || found === undefined) outcomes[index] = null;
      else outcomes[index] = { ...found, family: outcome.family, samples: [...outcome.samples, ...found.samples] };
    }
  }
  return { arm, runs: heads, outcomes, runsOfArm: await countRunsOfArm(lake, plan, { part, arm }) };
}

/**
 * Reads what a run came to at each item whose first attempt has a verdict. `role`: whose tokens count; null, as of `attempts`, for all.
 * `fromVerdict`: whether attempts without a verdict were made again, and are none.
 */
export async function outcomesOfRun(
  lake: Lake,
  asked: { run: RunId; role: string | null; attempts: number | null; fromVerdict: boolean },
): Promise<Map<ItemId, Outcome>> {
  const rows = (await lake.query(OUTCOMES, asked)).map((row) => outcomeRow.parse(row));
  const judged = rows.filter(({ first_passed }) => first_passed !== null);
  return new Map(
    judged.map(({ item, family, kind, task, ...row }) => [
      item,
      { item, family, kind, task, samples: [sampleOf(row)] },
    ]),
  );
}

function sampleOf(row: Omit<z.infer<typeof outcomeRow>, "item" | "family" | "kind" | "task">): Sample {
  return {
    ...{ passed: row.first_passed === true, solved: row.solved, attempts: row.attempts },
    ...{ completionTokens: row.completion_tokens, totalTokens: row.total_tokens, wallMs: row.wall_ms },
    ...{ validCalls: row.valid_calls, noopPasses: row.noop_passes, suspect: row.suspect },
    ...{ response: row.response, failureMode: row.failure_mode },
  };
}

async function holdToPlan(
  lake: Lake,
  plan: Plan,
  { part, arm, sample, run }: { part: Part; arm: Arm; sample: number; run: RunId },
): Promise<Hash> {
  const rows = await lake.query("SELECT * FROM runs WHERE run = $run", { run });
  if (rows[0] === undefined) throw notOfComparison(run, "a sealed run", "no such run in the lake");
  const row = runRow.parse(rows[0]);
  const claims: [string, string | number | null, string | number | null][] = [
    ["comparison", plan.comparisonHash, row.comparison],
    ["arm", arm.arm, row.arm],
    ["sample", sample, row.sample],
    ["skill", part.skill.id, row.skill],
    ["skill hash", part.skill.hash, row.skill_hash],
    ["split", part.split, row.split],
    ["memory", arm.memory, row.memory],
    ["seed", plan.agent === null ? sampleSeed(plan, sample) : null, row.seed],
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

/** The seed of the k-th run of every arm: the same for all arms. */
export function sampleSeed({ seed }: Pick<Plan, "seed">, sample: number): number {
  return seed + sample - 1;
}

async function countRunsOfArm(lake: Lake, plan: Plan, { part, arm }: { part: Part; arm: Arm }): Promise<number> {
  const rows = await lake.query(
    "SELECT run FROM runs WHERE comparison = $comparison AND arm = $arm AND skill = $skill",
    {
      comparison: plan.comparisonHash,
      arm: arm.arm,
      skill: part.skill.id,
    },
  );
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

function armWithoutRun(plan: Plan, { arm, skill, sample }: { arm: string; skill: string; sample: number }): Refusal {
  return new Refusal({
    code: "ARM_WITHOUT_RUN",
    message: `Arm ${arm} has no run of ${skill}, so there is nothing to pair.`,
    expected: `${plan.samples} runs for each of: ${plan.arms.map((other) => other.arm).join(", ")}`,
    got: `no sample ${sample} of ${arm}`,
    fix: "run the comparison's arms with `tracemill validate`",
  });
}
