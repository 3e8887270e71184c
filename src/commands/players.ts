/**
 * Who plays which role, read from words: `reflector=keep-solution` (a rule), `architect=model` (the run's own model),
 * `auditor=stig-v1` (another base or adapter).
 */
import { Refusal } from "../foundation/errors.ts";
import { unknownName } from "../foundation/nearest.ts";
import { rulesOf } from "../harness/index.ts";
import { ROLES, type Role } from "../records/events.ts";

export type Player = { rule: string } | { model: string };
export type Players = Partial<Record<Role, Player>> & { worker: { model: string } };

/**
 * Reads `role=player` words over the defaults; the worker's model is looked up later.
 * Throws: `BAD_ARGUMENT`, `UNKNOWN_ROLE`; `UNKNOWN_<ROLE>_RULE` for what is neither a rule nor a model.
 */
export async function playersFrom(
  words: readonly string[],
  { model, reflector, isModel }: { model: string; reflector: string; isModel(name: string): Promise<boolean> },
): Promise<Players> {
  const players: Players = { worker: { model }, architect: { rule: "scan-order" }, reflector: { rule: reflector } };
  for (const word of words) {
    const [, role, player] = /^([^=]+)=(.+)$/.exec(word) ?? [];
    if (role === undefined || player === undefined) throw badRole(word, "role=player");
    if (!isRole(role)) throw unknownName("role", role, ROLES);
    const named = { model: player === "model" ? model : player };
    const rules = await rulesOf(role);
    if (role === "worker") players.worker = named;
    else if (rules.includes(player)) players[role] = { rule: player };
    else if (player === "model" || (await isModel(player))) players[role] = named;
    else throw unknownName(`${role} rule`, player, [...rules, "model"]);
  }
  return players;
}

/** The models that a cast calls, each once. */
export function modelsOf(players: Players): string[] {
  return [...new Set(Object.values(players).flatMap((player) => ("model" in player ? [player.model] : [])))];
}

function isRole(word: string): word is Role {
  return (ROLES as readonly string[]).includes(word);
}

function badRole(word: string, expected: string): Refusal {
  return new Refusal({ code: "BAD_ARGUMENT", message: "--role cannot be used as it is.", expected, got: `"${word}"` });
}
