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

/** What else may keep an example out, beside the integrity filters. */
export const OTHER_REASONS = {
  filter: "the filter does not let it through",
  "held-out-family": "a registered comparison judges by its family",
  "held-out-text": "its task says nearly what a held-out item of a registered comparison says",
  "outside-band": "too few or too many of the item's attempts passed",
  "easy-item": "most of the item's attempts passed, and easy items are damped",
  "not-first-try": "not the first attempt at its item",
  "not-best-try": "not the attempt with the fewest completion tokens",
  "not-first-prompt": "not what an attempt at the item began with",
  "no-clean-label": "its label may be the fault of its environment or verifier",
  "no-partner": "no answer to a comparable prompt that differs in more than trivia has the other label",
  "exact-duplicate": "the same prompt and answer as another example",
  "near-duplicate": "nearly the same as another example",
  "over-item-cap": "its item has enough rows",
  balance: "its family or skill has more rows than its share",
} as const;

const FILTERS_FOLDER = join(import.meta.dirname, "filters");

/** Returns every integrity filter with its reason, sorted by it. */
export async function loadFilters(): Promise<NamedFilter[]> {
  const ids = await extensionIds(FILTERS_FOLDER);
  return Promise.all(
    ids.map(async (reason) => ({ reason, filter: await loadExtension<Filter>(FILTERS_FOLDER, "filter", reason) })),
  );
}

/**
 * Returns what says why an example is refused; it answers null for one that passes.
 * Throws: `UNKNOWN_GATE`; `GATE_IS_FIXED` for one without which a dataset would be worth nothing.
 */
export async function openGates({
  gatesOff,
  allowTeachers,
  role,
}: Pick<SelectionSettings, "gatesOff" | "allowTeachers" | "role">): Promise<(candidate: Candidate) => string | null> {
  const all = await loadFilters();
  for (const name of gatesOff) refuseUnlessOptional(name, all);
  const gates = all.filter(
    ({ reason, filter }) => !gatesOff.includes(reason) && (filter.role === undefined || filter.role === role),
  );
  const context = { allowTeachers: new Set(allowTeachers) };
  return (candidate) => gates.find(({ filter }) => filter.refuses(candidate, context))?.reason ?? null;
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
