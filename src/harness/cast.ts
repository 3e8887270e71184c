/**
 * Who plays which role in a run: models behind endpoints, and rules by name.
 */
import { Refusal } from "../foundation/errors.ts";
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
  const { worker, architect = { rule: "scan-order" }, reflector = { rule: "none" }, auditor = null } = roles;
  if (worker === undefined || "rule" in worker) throw wrongPlayer("worker", "a model");
  if (auditor !== null && "rule" in auditor) throw wrongPlayer("auditor", "a model, or nobody");
  const reflecting = "rule" in reflector ? await loadRule("reflector", reflector.rule) : { model: reflector };
  return {
    worker,
    architect: "rule" in architect ? await loadRule("architect", architect.rule) : { model: architect },
    auditor,
    reflector: memory === "grow" ? reflecting : null,
  };
}

/** The endpoints that a cast calls, each once. */
export function endpointsOf({ worker, architect, auditor, reflector }: Cast): Endpoint[] {
  const models = [worker, auditor, "model" in architect ? architect.model : null];
  const all = [...models, reflector !== null && "model" in reflector ? reflector.model : null];
  const seen = new Map(all.flatMap((one) => (one === null ? [] : [[`${one.url} ${one.model}`, one] as const])));
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
