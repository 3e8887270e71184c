/**
 * Who plays which role, read from words: `reflector=keep-solution` (a rule), `architect=model` (the run's own model),
 * `auditor=stig-v1` (another base or adapter), `reflector=big@http://127.0.0.1:8000/v1` (a model behind its own endpoint).
 */
import { Refusal } from "../foundation/errors.ts";
import { unknownName } from "../foundation/nearest.ts";
import { rulesOf } from "../harness/index.ts";
import { ROLES, type Role } from "../records/events.ts";

/** A model by its name, at the run's endpoint unless it has its own. */
export interface ModelPlayer {
  model: string;
  url?: string;
}

export type Player = { rule: string } | ModelPlayer;
export type Players = Partial<Record<Role, Player>> & { worker: ModelPlayer };

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
    const named = namedModel(player, model, word);
    const rules = await rulesOf(role);
    if (role === "worker") players.worker = named;
    else if (rules.includes(player)) players[role] = { rule: player };
    else if (named.url !== undefined || player === "model" || (await isModel(player))) players[role] = named;
    else throw unknownName(`${role} rule`, player, [...rules, "model"]);
  }
  return players;
}

/** Throws: `BAD_ARGUMENT` where what stands behind the @ is no URL. */
function namedModel(player: string, own: string, word: string): ModelPlayer {
  const [, name = player, url] = /^(.+?)@([a-z]+:\/\/.*)$/.exec(player) ?? [];
  if (url !== undefined && !isEndpoint(url)) throw badRole(word, "role=NAME@http://host:port/v1, without a password");
  return { model: name === "model" ? own : name, ...(url !== undefined && { url }) };
}

/** What stands in a URL stands in the log. */
function isEndpoint(url: string): boolean {
  if (!/^https?:/.test(url) || !URL.canParse(url)) return false;
  const { username, password } = new URL(url);
  return username === "" && password === "";
}

/** Gives each model that has no endpoint of its own the run's. */
export function withEndpoint(players: Players, url: string | undefined): Players {
  if (url === undefined) return players;
  const placed = Object.entries(players).map(([role, player]) => [
    role,
    "model" in player ? { url, ...player } : player,
  ]);
  return Object.fromEntries(placed);
}

/** The models that a cast calls. */
export function modelsOf(players: Players): ModelPlayer[] {
  return Object.values(players).filter((player) => "model" in player);
}

function isRole(word: string): word is Role {
  return (ROLES as readonly string[]).includes(word);
}

function badRole(word: string, expected: string): Refusal {
  return new Refusal({ code: "BAD_ARGUMENT", message: "--role cannot be used as it is.", expected, got: `"${word}"` });
}
