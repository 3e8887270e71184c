/**
 * The prompts of the roles that models play: templates in `prompts/`, each of which a skill may replace by a file of
 * the same name in its own `prompts/`. What a template may name is fixed here, so that a typing error in one is told
 * before a run begins.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { readTemplate, type Template } from "../skills/template.ts";

const VARIABLES = {
  "worker-context": ["plan", "attempts"],
  "architect-select": ["skill", "items", "solved", "unsolved"],
  "architect-replan": ["skill", "task", "plan", "attempts"],
  "auditor-review": ["skill", "task", "action", "result"],
  "reflector-reflect": ["skill", "task", "action", "result", "outcome", "attempts"],
} as const;

export type PromptName = keyof typeof VARIABLES;
export type Prompts = Record<PromptName, Template>;

/**
 * Reads all prompts, the skill's own where its folder has them.
 * Throws: what `readTemplate` refuses.
 */
export function loadPrompts(skillFolder: string | null): Prompts {
  const names = Object.keys(VARIABLES) as PromptName[];
  return Object.fromEntries(
    names.map((name) => {
      const own = skillFolder === null ? null : join(skillFolder, "prompts", `${name}.md`);
      const file = own !== null && existsSync(own) ? own : join(import.meta.dirname, "prompts", `${name}.md`);
      return [name, readTemplate(file, name, VARIABLES[name])];
    }),
  ) as Prompts;
}
