/** What a manifest calls the roles whose turns a dataset holds, or an adapter was trained on: one role, or a name for several. */

/** Every role. */
export const ALL_ROLES = "all";
/** The roles that pairs are of, where none was asked for. */
export const BOTH_ROLES = "worker+reflector";
/** The role that a comparison judges: each arm's model plays it, and a rule or nobody plays the others. */
export const JUDGED_ROLE = "worker";

/** Whether turns of the role are among those that are called so. */
export function coversRole(name: string, role: string): boolean {
  return name === ALL_ROLES || name.split("+").includes(role);
}
