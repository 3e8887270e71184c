/**
 * What reports tell of sealed runs, asked of the lake: how a run went on, what two runs answered to the same items, who
 * wrote, how alike answers are, and how whole the records are. Does not know how any of it is told.
 */
import { z } from "zod";
import { sqlText } from "./duckdb.ts";
import type { Lake } from "./lake.ts";

const thirdSchema = z.object({ attempts: z.number(), passed: z.number() });
export type Third = z.infer<typeof thirdSchema>;

/** Returns the attempts of each third of a run, in the order of their verdicts; fewer where there are fewer attempts. */
export async function readThirds(lake: Lake, run: string): Promise<Third[]> {
  const rows = await lake.query(
    `SELECT count(*) AS attempts, count(*) FILTER (passed) AS passed
     FROM (SELECT passed, ntile(3) OVER (ORDER BY seq) AS third FROM verdicts WHERE run = $run AND signal_type <> 'judgment')
     GROUP BY third ORDER BY third`,
    { run },
  );
  return thirdSchema.array().parse(rows);
}

const beforeAfterSchema = z.object({
  task: z.string(),
  before: z.string().nullable(),
  /** Null without a verdict. */
  beforePassed: z.boolean().nullable(),
  after: z.string().nullable(),
  afterPassed: z.boolean().nullable(),
});
export type BeforeAfter = z.infer<typeof beforeAfterSchema>;

/** Returns what two runs answered at first to the items that they have in common, by the items' names. */
export async function readBeforeAfter(lake: Lake, runs: { before: string; after: string }): Promise<BeforeAfter[]> {
  const rows = await lake.query(
    `SELECT i.task AS task, b.response AS before, b.eval_passed AS "beforePassed", c.response AS after, c.eval_passed AS "afterPassed"
     FROM attempts b JOIN attempts c USING (item) JOIN items i ON i.item = b.item AND i.run = b.run
     WHERE b.run = $before AND c.run = $after AND b.attempt_number = 1 AND c.attempt_number = 1 ORDER BY b.item`,
    runs,
  );
  return beforeAfterSchema.array().parse(rows);
}

const modelSchema = z.object({ model: z.string() });

/** Returns the models, as turns name them, that were served with an adapter. */
export async function readModelsWithAdapter(lake: Lake): Promise<Set<string>> {
  const rows = await lake.query(
    "SELECT DISTINCT model FROM turns WHERE adapter_hash IS NOT NULL AND model IS NOT NULL",
  );
  return new Set(rows.map((row) => modelSchema.parse(row).model));
}

const diversitySchema = z.object({ answers: z.number(), different: z.number() });

/**
 * Returns the different verified answers over all verified answers of the runs; null where there is none. White space and
 * case apart: a model that collapses gives ever the same few answers, to whatever it is asked.
 */
export async function readDiversity(lake: Lake, runs: readonly string[]): Promise<number | null> {
  const [row] = await lake.query(
    `SELECT count(*) AS answers, count(DISTINCT regexp_replace(lower(response), '\\s+', ' ', 'g')) AS different
     FROM attempts WHERE run IN (${runs.map(sqlText).join(", ")}) AND eval_passed`,
  );
  const { answers, different } = diversitySchema.parse(row);
  return answers === 0 ? null : different / answers;
}

const recordPartsSchema = z.object({
  system_prompt: z.number(),
  tools: z.number(),
  full_prompt: z.number(),
  full_answer: z.number(),
  token_ids: z.number(),
  sampling: z.number(),
  outcome: z.number(),
  verifier_version: z.number(),
  environment: z.number(),
});
/** What a record may hold, in the order in which it is shown; each is a column of the lake's `completeness`. */
export const RECORD_PARTS = recordPartsSchema.keyof().options;

const completenessSchema = z.object({ role: z.string(), turns: z.number(), ...recordPartsSchema.shape });
/** Units: fractions of the role's turns whose record holds the part. */
export type RoleCompleteness = z.infer<typeof completenessSchema>;

/** Returns how complete the records of a run's turns are, role by role; none where the run is not in the lake. */
export async function readCompleteness(lake: Lake, run: string): Promise<RoleCompleteness[]> {
  const columns = ["role", "turns", ...RECORD_PARTS].map((name) => `"${name}"`).join(", ");
  const rows = await lake.query(`SELECT ${columns} FROM completeness WHERE run = $run ORDER BY "role"`, { run });
  return completenessSchema.array().parse(rows);
}
