/**
 * Who plays which role in a run: models behind endpoints, and rules by name.
 */
import { Refusal } from "../foundation/errors.ts";
import type { Role } from "../records/events.ts";
import type { Endpoint } from "./endpoint.ts";
import type { HarnessOptions } from "./harness-options.ts";
import type { ArchitectRule, ReflectorRule } from "./role.ts";
import { loadRule } from "./rules.ts";

export interface Cast {
  worker: Endpoint;
  architect: ArchitectRule | { model: Endpoint };
  auditor: Endpoint | null;
  /** Null where the run writes no tips. */
  reflector: ReflectorRule | { model: Endpoint } | null;
}

/** Throws: `WRONG_PLAYER`; `UNKNOWN_<ROLE>_RULE` with the nearest known ones. */
export async function castRoles({ roles, memory }: HarnessOptions): Promise<Cast> {
  const {
    worker,
    architect = { rule: "scan-order" },
    reflector = { rule: "none" },
    auditor = { rule: "none" },
  } = roles;
  if (worker === undefined || "rule" in worker) throw wrongPlayer("worker", "a model");
  if ("rule" in auditor && auditor.rule !== "none") throw wrongPlayer("auditor", "a model, or the rule none");
  const reflecting = "rule" in reflector ? await loadRule("reflector", reflector.rule) : { model: reflector };
  return {
    worker,
    architect: "rule" in architect ? await loadRule("architect", architect.rule) : { model: architect },
    auditor: "rule" in auditor ? null : auditor,
    reflector: memory === "grow" ? reflecting : null,
  };
}

/** The endpoints that a cast calls, each once, and what they play. */
export function endpointsOf(cast: Cast): { endpoint: Endpoint; roles: Role[] }[] {
  const { worker, architect, auditor, reflector } = cast;
  const players: Partial<Record<Role, Endpoint | null>> = {
    worker,
    architect: "model" in architect ? architect.model : null,
    auditor,
    reflector: reflector !== null && "model" in reflector ? reflector.model : null,
  };
  const seen = new Map<string, { endpoint: Endpoint; roles: Role[] }>();
  for (const [role, endpoint] of Object.entries(players) as [Role, Endpoint | null][]) {
    if (endpoint === null) continue;
    const key = `${endpoint.url} ${endpoint.model}`;
    const known = seen.get(key) ?? { endpoint, roles: [] };
    known.roles.push(role);
    seen.set(key, known);
  }
  return [...seen.values()];
}

function wrongPlayer(role: string, player: string): Refusal {
  return new Refusal({
    code: "WRONG_PLAYER",
    message: `The ${role} is played by ${player}.`,
    expected: `${role}: ${player}`,
    fix: "--role worker=model --role architect=scan-order --role reflector=keep-solution",
  });
}
