/**
 * `tracemill skill`: lists the skills, makes what one needs on this machine, or says what it lacks.
 */
import { z } from "zod";
import { Refusal } from "../foundation/errors.ts";
import { type Progress, startProgress } from "../foundation/progress.ts";
import type { Check, Skill } from "../skills/contract.ts";
import { listSkills, loadSkill } from "../skills/load.ts";
import { type Context, defineCommand } from "./command.ts";
import { textTable } from "./text-table.ts";

const input = z.object({
  action: z.enum(["list", "setup", "doctor"]).describe("list the skills, set one up, or say what it lacks here"),
  name: z.string().optional().describe("the skill"),
  from: z.string().optional().describe("setup: a tarball to take instead of what is otherwise fetched"),
});

type Result =
  | { skills: { id: string; description: string }[] }
  | { skill: string; found: string }
  | { skill: string; checks: Check[] };

export default defineCommand<z.infer<typeof input>, Result>({
  summary: "List the skills, set one up, or say what it needs here.",
  details: `Examples:
  tracemill skill list
  tracemill skill doctor stig
  tracemill skill setup stig
  tracemill skill setup stig --from stig-root.tar.gz`,
  positional: ["action", "name"],
  input,
  async run({ action, name, from }, context) {
    if (action === "list") return { skills: await described() };
    if (name === undefined) throw noName(action);
    const skill = await loadSkill(name);
    try {
      if (action === "doctor") return { skill: name, checks: (await skill.doctor?.()) ?? [] };
      return { skill: name, found: await setUp(skill, from, context) };
    } finally {
      await skill.close();
    }
  },
  print(result) {
    if ("skills" in result)
      return textTable(
        ["skill", "what it is"],
        result.skills.map(({ id, description }) => [id, description]),
        100,
      );
    if ("found" in result) return `${result.skill}: ${result.found}`;
    return result.checks.length === 0 ? `${result.skill}: needs nothing` : result.checks.map(line).join("\n");
  },
  exitCode: (result) => ("checks" in result && result.checks.some(({ isMet }) => !isMet) ? 3 : 0),
});

async function described(): Promise<{ id: string; description: string }[]> {
  return Promise.all(
    (await listSkills()).map(async (id) => ({ id, description: (await loadSkill(id)).manifest.description })),
  );
}

async function setUp(skill: Skill, from: string | undefined, context: Context): Promise<string> {
  if (skill.setup === undefined) return "needs no setup";
  const { clock, stderr: stream, isJson: isQuiet, signal } = context;
  let bar: { phase: string; progress: Progress } | null = null;
  const found = await skill.setup({
    ...(from !== undefined && { from }),
    signal,
    onStep(phase, done, total) {
      if (bar?.phase !== phase) {
        bar?.progress.finish();
        bar = { phase, progress: startProgress({ title: phase, total, clock, stream, isQuiet }) };
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

function noName(action: string): Refusal {
  return new Refusal({
    code: "BAD_ARGUMENT",
    message: "Which skill is missing.",
    expected: `a skill behind \`skill ${action}\``,
    fix: `tracemill skill ${action} stig`,
  });
}
