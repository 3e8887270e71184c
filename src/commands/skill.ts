/**
 * `tracemill skill`: lists the skills, writes a new one, tests one against the contract, makes what one needs on this
 * machine, or says what it lacks.
 */
import { delimiter, relative, resolve } from "node:path";
import { z } from "zod";
import { counted } from "../foundation/counted.ts";
import { Refusal } from "../foundation/errors.ts";
import { type Progress, startProgress } from "../foundation/progress.ts";
import { textTable } from "../foundation/text-table.ts";
import type { Check, Skill } from "../skills/contract.ts";
import { listSkills, loadSkill, skillParents } from "../skills/load.ts";
import { type FamilyCounts, FORMS, writeSkill } from "../skills/scaffold.ts";
import { type Finding, runSuite, SUITE } from "../skills/suite.ts";
import { type Context, defineCommand } from "./command.ts";

const input = z.object({
  action: z
    .enum(["list", "new", "test", "setup", "doctor"])
    .describe("list the skills; write a new one; test one against the contract; set one up; say what it lacks here"),
  name: z.string().optional().describe("the skill"),
  form: z.enum(FORMS).default("typescript").describe("new: what it is written in, or over a test command"),
  from: z.string().optional().describe("setup: a tarball to take instead of what is otherwise fetched"),
});

interface Written {
  skill: string;
  folder: string;
  families: FamilyCounts;
  /** What TRACEMILL_SKILLS has to be for the skill to be found; null where it is found as things are. */
  setting: string | null;
}

type Result =
  | { skills: { id: string; description: string; isBroken: boolean }[] }
  | Written
  | { skill: string; findings: Finding[] }
  | { skill: string; found: string }
  | { skill: string; checks: Check[] };

export default defineCommand<z.infer<typeof input>, Result>({
  summary: "List the skills, write or test one of your own, set one up, or say what it needs here.",
  details: `Examples:
  tracemill skill list
  tracemill skill new my-skill --form executable
  tracemill skill test my-skill
  tracemill skill doctor stig
  tracemill skill setup stig --from stig-root.tar.gz

A new skill is a folder in the first folder that TRACEMILL_SKILLS names, or in ./skills: a worked example under your name, which
passes \`skill test\` as it is. docs/skills.md tells what a skill is.`,
  positional: ["action", "name"],
  input,
  async run({ action, name, form, from }, context) {
    if (action === "list") return { skills: await described() };
    if (name === undefined) throw noName(action);
    if (action === "new") return written(name, form);
    const skill = await loadSkill(name);
    try {
      if (action === "test") return { skill: name, findings: await tested(name, skill, context) };
      if (action === "doctor") return { skill: name, checks: (await skill.doctor?.()) ?? [] };
      return { skill: name, found: await setUp(skill, from, context) };
    } finally {
      await skill.close();
    }
  },
  print(result) {
    if ("skills" in result) return listText(result.skills);
    if ("folder" in result) return writtenText(result);
    if ("findings" in result) return findingsText(result);
    if ("found" in result) return `${result.skill}: ${result.found}`;
    return result.checks.length === 0 ? `${result.skill}: needs nothing` : result.checks.map(line).join("\n");
  },
  exitCode(result) {
    const isUnmet = "checks" in result && result.checks.some(({ isMet }) => !isMet);
    const hasFailed = "findings" in result && result.findings.some(({ outcome }) => outcome === "failed");
    const isBroken = "skills" in result && result.skills.some((skill) => skill.isBroken);
    return isUnmet || hasFailed || isBroken ? 3 : 0;
  },
});

/** A skill that cannot be loaded is listed with the reason: it must not hide the others. */
async function described(): Promise<{ id: string; description: string; isBroken: boolean }[]> {
  return Promise.all(
    (await listSkills()).map(async (id) => {
      try {
        return { id, description: (await loadSkill(id)).manifest.description, isBroken: false };
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        const { code, expected = "", where = "" } = error.details;
        return { id, description: `cannot be loaded: ${code}: ${expected} (${where})`, isBroken: true };
      }
    }),
  );
}

async function written(name: string, form: (typeof FORMS)[number]): Promise<Written> {
  const [, own] = skillParents();
  const parent = own ?? resolve("skills");
  const { folder, families } = await writeSkill({ name, form, parent });
  const setting = skillParents().includes(parent) ? null : relative(".", parent);
  return { skill: name, folder: relative(".", folder), families, setting };
}

async function tested(id: string, skill: Skill, context: Context): Promise<Finding[]> {
  const lacking = (await skill.doctor?.())?.find(({ isMet }) => !isMet);
  if (lacking !== undefined) throw needs(id, lacking);
  const { clock, stderr: stream, isJson, signal } = context;
  const progress = startProgress({ title: `test ${id}`, total: SUITE.length, clock, stream, isJson });
  let done = 0;
  const findings = await runSuite({ id, skill, signal }, ({ title }) => progress.update(++done, title));
  progress.finish();
  return findings;
}

async function setUp(skill: Skill, from: string | undefined, context: Context): Promise<string> {
  if (skill.setup === undefined) return "needs no setup";
  const { clock, stderr: stream, isJson, signal } = context;
  let bar: { phase: string; progress: Progress } | null = null;
  const found = await skill.setup({
    ...(from !== undefined && { from }),
    signal,
    onStep(phase, done, total) {
      if (bar?.phase !== phase) {
        bar?.progress.finish();
        bar = { phase, progress: startProgress({ title: phase, total, clock, stream, isJson }) };
      }
      bar.progress.update(done);
    },
  });
  (bar as { progress: Progress } | null)?.progress.finish();
  return found;
}

function line({ what, isMet, found, fix }: Check): string {
  return `${isMet ? "ok     " : "MISSING"}  ${what}: ${found}${fix === null ? "" : `\n         -> ${fix}`}`;
}

function listText(skills: readonly { id: string; description: string }[]): string {
  const rows = skills.map(({ id, description }) => [id, description]);
  return textTable(["skill", "what it is"], rows, 100);
}

function writtenText({ skill, folder, families, setting }: Written): string {
  const { train, validation, test } = families;
  const search = process.env.TRACEMILL_SKILLS ? `$TRACEMILL_SKILLS${delimiter}` : "";
  return [
    `Wrote ${folder}: ${counted(train, "family lies", "families lie")} in train, ${validation} in validation, ${test} in test.`,
    ...(setting === null ? [] : [`  export TRACEMILL_SKILLS=${search}${setting}`]),
    `  tracemill skill test ${skill}`,
    `  tracemill run --skill ${skill} --model smollm2`,
  ].join("\n");
}

function findingsText({ skill, findings }: { skill: string; findings: readonly Finding[] }): string {
  const shown = { ok: "ok     ", warning: "warning", skipped: "skipped", failed: "FAILED " };
  const lines = findings.map(({ title, outcome, why }) => {
    return `${shown[outcome]}  ${title}${why === null ? "" : `\n         -> ${why}`}`;
  });
  const failed = findings.filter(({ outcome }) => outcome === "failed").length;
  const end = failed === 0 ? "keeps the contract" : `breaks the contract in ${failed} of ${findings.length} checks`;
  return [`The skill ${skill}`, ...lines, `The skill ${skill} ${end}.`].join("\n");
}

function needs(id: string, { what, found, fix }: Check): Refusal {
  return new Refusal({
    code: "SKILL_NEEDS",
    message: `The skill ${id} cannot run here.`,
    expected: what,
    got: found,
    ...(fix !== null && { fix }),
  });
}

function noName(action: string): Refusal {
  return new Refusal({
    code: "BAD_ARGUMENT",
    message: "Which skill is missing.",
    expected: `a skill behind \`skill ${action}\``,
    fix: `tracemill skill ${action} ${action === "new" ? "my-skill" : "sql"}`,
  });
}
