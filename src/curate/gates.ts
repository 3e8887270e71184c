/**
 * The integrity filters that hold for a selection: all but those that the user turned off by name.
 */
import { join } from "node:path";
import { extensionIds, loadExtension } from "../foundation/discovery.ts";
import { Refusal } from "../foundation/errors.ts";
import { unknownName } from "../foundation/nearest.ts";
import type { Candidate } from "./candidate.ts";
import type { Filter } from "./filter.ts";
import type { SelectionSettings } from "./selection-settings.ts";

export interface NamedFilter {
  reason: string;
  filter: Filter;
}

/** Also the reason where the action itself is the target, and there is none. */
const NO_ACTION = "no-action";
/** Where an attempt has no verdict, as what it had is revoked, this says more. */
const NO_VERDICT = "no-verdict";
const REVOKED_VERDICT = "revoked-verdict";
const FILTERS_FOLDER = join(import.meta.dirname, "filters");

/** Returns every integrity filter with its reason, sorted by it. */
export async function loadFilters(): Promise<NamedFilter[]> {
  const ids = await extensionIds(FILTERS_FOLDER);
  return Promise.all(
    ids.map(async (reason) => ({ reason, filter: await loadExtension<Filter>(FILTERS_FOLDER, "filter", reason) })),
  );
}

/** Says why an example is refused, and null of one that passes. `waived`: gates that do not hold for it. */
export type GateKeeper = (candidate: Candidate, waived?: ReadonlySet<string>) => string | null;

/**
 * Returns what says why an example is refused.
 * Throws: `UNKNOWN_GATE`; `GATE_IS_FIXED` for one without which a dataset would be worth nothing.
 */
export async function openGates({
  gatesOff,
  allowTeachers,
  isServedElsewhere,
  role,
  tier,
  answerText,
}: Pick<
  SelectionSettings,
  "gatesOff" | "allowTeachers" | "isServedElsewhere" | "role" | "tier" | "answerText"
>): Promise<GateKeeper> {
  await checkGates(gatesOff);
  const all = await loadFilters();
  const hasAnswers = tier !== "prompts";
  const holds = (filter: Filter) =>
    (filter.role ?? role) === role && (filter.tier ?? tier) === tier && (hasAnswers || filter.isAboutAnswer !== true);
  const gates = all.filter(({ reason, filter }) => !gatesOff.includes(reason) && holds(filter));
  const isRevocationMeant = !gatesOff.includes("revoked");
  const needsAction = hasAnswers && answerText !== null;
  const context = { allowTeachers: new Set(allowTeachers), isServedElsewhere };
  return (candidate, waived) => {
    const gate = gates.find(({ reason, filter }) => !waived?.has(reason) && filter.refuses(candidate, context));
    if (gate?.reason === NO_VERDICT && isRevocationMeant && candidate.isVerdictRevoked) return REVOKED_VERDICT;
    if (gate !== undefined) return gate.reason;
    return needsAction && candidate.call === null && !waived?.has(NO_ACTION) ? NO_ACTION : null;
  };
}

/** Checks names of gates that are to be turned off. Throws: `UNKNOWN_GATE`, `GATE_IS_FIXED`. */
export async function checkGates(names: readonly string[]): Promise<void> {
  const all = await loadFilters();
  for (const name of names) refuseUnlessOptional(name, all);
}

function refuseUnlessOptional(name: string, all: readonly NamedFilter[]): void {
  const gate = all.find(({ reason }) => reason === name);
  const optional = all.filter(({ filter }) => filter.isFixed === undefined).map(({ reason }) => reason);
  if (gate === undefined) throw unknownName("gate", name, optional);
  if (gate.filter.isFixed === undefined) return;
  throw new Refusal({
    code: "GATE_IS_FIXED",
    message: `The gate ${name} cannot be turned off: ${gate.filter.summary}.`,
    expected: `one of ${optional.join(", ")}`,
    got: name,
    fix: "leave it on",
  });
}
