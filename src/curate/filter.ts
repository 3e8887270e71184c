/**
 * An integrity filter: one reason for which no example may be trained on, whatever the user asks for. Every file of
 * `filters/` is one; its file name is the reason that the manifest counts, and the name by which it is turned off.
 */
import type { Role } from "../records/events.ts";
import type { Tier } from "../records/selection.ts";
import type { Candidate } from "./candidate.ts";
import type { SelectionSettings } from "./selection-settings.ts";

export interface FilterContext {
  allowTeachers: ReadonlySet<string>;
  isServedElsewhere: SelectionSettings["isServedElsewhere"];
}

export interface Filter {
  /** What is refused, as the dataset's card says it. */
  summary: string;
  /** That it cannot be turned off: without it there is nothing to train on, or nothing left to prove it with. */
  isFixed?: true;
  /** The one role whose answers it judges; absent where it judges all. */
  role?: Role;
  /** The one tier that it holds for; absent where it holds for all. */
  tier?: Tier;
  /** That it looks at what the answer says or did, which says nothing of the task: it does not hold for tasks alone. */
  isAboutAnswer?: true;
  /** Contract: pure, and must not throw. An example that several filters refuse counts for the first by name. */
  refuses(candidate: Candidate, context: FilterContext): boolean;
}
