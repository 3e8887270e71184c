/**
 * Which skill a loop is judged at and which it trains on: the same one, or, for `--skills all,-NAME`, all but the one that is left
 * out, which then decides.
 */
import { Refusal } from "../foundation/errors.ts";
import { listSkills, loadSkill } from "../skills/load.ts";
import { readSkillList } from "./skill-list.ts";

export interface LoopSkills {
  /** Decides. */
  skill: string;
  /** Sorted. */
  learns: string[];
}

const DEFAULT_SKILL = "sql";

/**
 * Reads what was asked. `all` stands for every skill that this machine has what it needs for.
 * Throws: `UNKNOWN_SKILL`; `BAD_ARGUMENT` unless exactly one is left out and one remains.
 */
export async function loopSkills({ skill, skills }: { skill?: string; skills?: string }): Promise<LoopSkills> {
  if (skills === undefined) {
    const only = skill ?? DEFAULT_SKILL;
    return { skill: only, learns: [only] };
  }
  if (skill !== undefined) throw badSkills("--skill and --skills say the same thing.", `--skill ${skill}`);
  const known = await listSkills();
  const { chosen, out } = await readSkillList(skills, { known, all: () => readySkills(known) });
  const [judged] = out;
  if (judged === undefined || out.length > 1) throw badSkills("One skill is left out, and judged.", skills);
  if (chosen.length === 0) throw badSkills("No skill is left to train on.", skills);
  return { skill: judged, learns: chosen };
}

async function readySkills(known: readonly string[]): Promise<string[]> {
  const ready: string[] = [];
  for (const id of known) {
    const skill = await loadSkill(id);
    try {
      const checks = (await skill.doctor?.()) ?? [];
      if (checks.every(({ isMet }) => isMet)) ready.push(id);
    } finally {
      await skill.close();
    }
  }
  return ready;
}

function badSkills(message: string, got: string): Refusal {
  return new Refusal({
    code: "BAD_ARGUMENT",
    message,
    expected: 'skills to train on and one to judge: "all,-NAME", or NAME,-OTHER',
    got,
    fix: "--skills all,-sql",
  });
}
