/** Finds the rule of a role by its name. */
import { join } from "node:path";
import { loadExtension } from "../foundation/discovery.ts";
import type { RoleRule } from "./role-rule.ts";

const ROLES_FOLDER = join(import.meta.dirname, "roles");

/** Throws: `UNKNOWN_ROLE` for one that has no rule. */
export function loadRoleRule(role: string): Promise<RoleRule> {
  return loadExtension<RoleRule>(ROLES_FOLDER, "role", role);
}
