/**
 * Finds rules by role and id in `roles/`.
 */
import { join } from "node:path";
import { extensionIds, loadExtension } from "../foundation/discovery.ts";
import { unknownName } from "../foundation/nearest.ts";
import type { Role } from "../records/events.ts";
import type { Rule } from "./role.ts";

const FOLDER = join(import.meta.dirname, "roles");

/** An opinion is a model's or nobody's. */
const AUDITOR_RULES = ["none"];

/** Lists the ids of the rules that can play a role. */
export async function rulesOf(role: Role): Promise<string[]> {
  if (role === "auditor") return AUDITOR_RULES;
  const ids = await extensionIds(FOLDER);
  const rules = await Promise.all(ids.map((id) => loadExtension<Rule>(FOLDER, "rule", id)));
  return ids.filter((_, i) => rules[i]?.role === role);
}

/**
 * Loads the rule that plays a role.
 * Throws: `UNKNOWN_<ROLE>_RULE` with the nearest known ones.
 */
export async function loadRule<R extends Rule["role"]>(role: R, id: string): Promise<Extract<Rule, { role: R }>> {
  const known = await rulesOf(role);
  if (!known.includes(id)) throw unknownName(`${role} rule`, id, known);
  return loadExtension<Extract<Rule, { role: R }>>(FOLDER, "rule", id);
}
