/**
 * `tracemill readiness`: is there enough to train on? Counts what an export would take, before any time on a GPU is spent,
 * and says what a comparison could see afterwards.
 */
import { z } from "zod";
import { plainText, readCoverage } from "../curate/index.ts";
import { loadFormat, renderedRows } from "../dataset/index.ts";
import { Refusal } from "../foundation/errors.ts";
import { hashText } from "../foundation/hashing.ts";
import { sumOf } from "../foundation/sums.ts";
import { ROLES } from "../records/events.ts";
import { gateSchema } from "../records/gate.ts";
import type { RunId } from "../records/ids.ts";
import { loadRenderer, type Renderer } from "../render/renderer.ts";
import { listSkills, loadSkill } from "../skills/load.ts";
import { scanItems } from "../skills/scan.ts";
import { ASSUMED_FAMILY_CORRELATION, designEffectOf, plannedDetectable } from "../statistics/planned-power.ts";
import { reuseAlpha } from "../statistics/test-set-reuse.ts";
import { withLake } from "../store/lake.ts";
import { coveredRuns, revocations } from "../store/ledger.ts";
import { type Context, defineCommand } from "./command.ts";
import { chosenSkills } from "./export-inputs.ts";
import { type ExportPlan, exportPlan } from "./export-plan.ts";
import { DEFAULT_MAX_PER_ITEM } from "./export-settings.ts";
import { type Detectable, printedReadiness, type Readiness, type RoleReadiness } from "./readiness-report.ts";

/** Shares of items on which base and candidate may differ: from near-twins to a large change. */
const DISCORDANT = [0.05, 0.1, 0.2, 0.3];
/** At which a first candidate is judged by the gate that ships. */
const ALPHA = reuseAlpha(gateSchema.parse({}).alpha, 1);
/** No cap on rows of an item: what there is, is counted. */
const MOST_ROWS = 1_000_000;

const input = z.object({
  target: z.enum(["A", "B"]).describe("A: an adapter for one skill; B: one for a role, over all skills"),
  skill: z.string().optional().describe("the skill of target A"),
  base: z
    .string()
    .optional()
    .describe(
      'whose template and context the examples have to fit, or "none" (default: the runs\' base, where it is known)',
    ),
});

export default defineCommand({
  summary: "Say whether there is enough to train on, before any of it is.",
  details: `Example: tracemill readiness --target A --skill sql
Example: tracemill readiness --target B`,
  input: input as z.ZodType<z.infer<typeof input>>,
  run: measure,
  print: printedReadiness,
});

/** Throws: `SKILL_MISSING`, `SKILL_NOT_ALONE`; as `exportPlan`, of which `BASE_NOT_NAMED` where there are several. */
export async function measure(
  { target, skill, base: named }: z.infer<typeof input>,
  context: Pick<Context, "home">,
): Promise<Readiness> {
  if (target === "A" && skill === undefined) throw skillMissing();
  if (target === "B" && skill !== undefined) throw skillOfAll(skill);
  const { home } = context;
  const skills = await chosenSkills(home, target === "A" ? (skill as string) : "all");
  const roles: RoleReadiness[] = [];
  const [first, ...others] = await Promise.all(
    ROLES.map((role) => exportPlan({ skills, role, base: named, maxPerItem: MOST_ROWS }, home)),
  );
  const base = first?.base ?? null;
  const renderer = base === null ? null : await loadRenderer(home, base);
  const revoked = new Set(revocations(home).map(({ target }) => target));
  for (const plan of first === undefined ? [] : [first, ...others]) {
    const standing = { ...plan, runs: plan.runs.filter(({ run }) => !revoked.has(run)) };
    const measured = await roleReadiness(standing, renderer);
    if (measured.examples > 0) roles.push(measured);
  }
  return withLake(home, async (lake) => {
    return {
      ...{ target, skills, base: base?.name ?? null, contextTokens: base?.contextTokens ?? null, roles },
      coverage: await readCoverage(lake, { skills, covered: coveredRuns(home) }),
      detectable: await Promise.all(skills.map(detectableIn)),
    };
  });
}

/** Counts what an export without a cap on an item's rows would write: what the base's template or its context refuses is refused here, too. */
async function roleReadiness(plan: ExportPlan, renderer: Renderer | null): Promise<RoleReadiness> {
  const { role, tier } = plan;
  const selection = await plan.select();
  try {
    const { maxTokens } = plan.settings;
    const rows = renderedRows(selection, { format: await loadFormat(plan.format), tier, renderer, maxTokens });
    const parts = { train: 0, validation: 0 };
    const families = new Map<string, RoleReadiness["families"][number]>();
    const runs = new Map<RunId, number>(
      plan.runs.flatMap(({ run, split }) => (split === "validation" ? [] : [[run, 0]])),
    );
    const ofItems = new Map<string, number>();
    const answers = new Set<string>();
    const lengths: number[] = [];
    for await (const { part, row, tokens } of rows) {
      parts[part] += 1;
      if (row.kind !== "answer" || part !== "train") continue;
      const { skill, family } = row;
      const counted = families.get(`${skill}/${family}`) ?? { skill, family, rows: 0 };
      families.set(`${skill}/${family}`, { ...counted, rows: counted.rows + 1 });
      runs.set(row.run, (runs.get(row.run) ?? 0) + 1);
      ofItems.set(row.item, (ofItems.get(row.item) ?? 0) + 1);
      answers.add(hashText([row.item, ...row.completion.map(plainText)].join("\0")));
      lengths.push(sumOf(tokens, ({ ids }) => ids.length));
    }
    const { train, validation } = parts;
    return {
      ...{ role, examples: selection.examples, trainRows: train, validationRows: validation },
      families: [...families.values()].sort((x, y) => y.rows - x.rows || (x.family < y.family ? -1 : 1)),
      refusals: selection.refusals.counts(),
      byRun: [...runs].map(([run, rows]) => ({ run, rows })),
      rowsByDefault: sumOf([...ofItems.values()], (rows) => Math.min(rows, DEFAULT_MAX_PER_ITEM)),
      answersPerItem: ofItems.size === 0 ? null : answers.size / ofItems.size,
      tokens: renderer === null ? null : quantiles(lengths),
    };
  } finally {
    selection.close();
  }
}

function quantiles(lengths: number[]): RoleReadiness["tokens"] {
  const sorted = [...lengths].sort((x, y) => x - y);
  const at = (fraction: number) => sorted[Math.ceil(fraction * sorted.length) - 1];
  const [p50, p99, largest] = [at(0.5), at(0.99), sorted.at(-1)];
  return p50 === undefined || p99 === undefined || largest === undefined ? null : { p50, p99, largest };
}

/** What the skill's own test items could show; of a skill that is not here nothing is known of them. */
async function detectableIn(id: string): Promise<Detectable> {
  const none = { skill: id, items: 0, families: 0, differences: [] };
  if (!(await listSkills()).includes(id)) return none;
  const skill = await loadSkill(id);
  try {
    const items = await scanItems(skill, { seed: 1, split: "test" });
    const families = new Set(items.map(({ family }) => family)).size;
    const size = { items: items.length, families };
    const designEffect = designEffectOf(size, ASSUMED_FAMILY_CORRELATION);
    const differences = DISCORDANT.map((discordant) => {
      return { discordant, difference: plannedDetectable(size, { discordant, alpha: ALPHA, designEffect }) };
    });
    return { skill: id, ...size, differences };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return none; // a skill that is not set up here
  } finally {
    await skill.close();
  }
}

function skillOfAll(skill: string): Refusal {
  return new Refusal({
    code: "SKILL_NOT_ALONE",
    message: "Target B is an adapter over all skills.",
    expected: "--target B without --skill",
    got: `--skill ${skill}`,
    fix: `tracemill readiness --target A --skill ${skill}, or leave --skill out`,
  });
}

function skillMissing(): Refusal {
  return new Refusal({
    code: "SKILL_MISSING",
    message: "Target A is an adapter for one skill.",
    expected: "--skill NAME",
    fix: "tracemill readiness --target A --skill sql, or --target B for all skills",
  });
}
