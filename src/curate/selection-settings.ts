/**
 * What a selection is asked for. Every setting stands in the dataset's manifest, as the same settings over the same runs
 * give the same rows.
 */
import type { ActionCall } from "../records/events.ts";
import type { RunId } from "../records/ids.ts";
import type { Tier, Tries } from "../records/selection.ts";
import type { HeldPart } from "../store/comparisons.ts";
import type { Candidate } from "./candidate.ts";
import type { Scope } from "./candidate-query.ts";

export interface SelectionSettings extends Scope {
  tier: Tier;
  tips: "drop" | "keep";
  /** How a skill writes an action as an answer; null where the answer is kept as it was recorded. */
  answerText: ((skill: string, call: ActionCall) => string) | null;
  /** Most rows of one item and role, of judged answers also of each label; of pairs, too. At least 1. */
  maxPerItem: number;
  /** Most tokens of one row, beyond which it is refused later; null for any number. */
  maxTokens: number | null;
  /** Integrity filters that are turned off, by name. */
  gatesOff: readonly string[];
  /** Models that a company hosts, or that are not known to be open, whose answers may be trained on. */
  allowTeachers: readonly string[];
  /** Whether an answer came from a server that is not known to be the user's. */
  isServedElsewhere: (answer: Pick<Candidate, "run" | "role" | "isRecorded">) => boolean;
  tries: Tries;
  /** Items whose share of attempts that solved them lies outside are left out; null for all. Units: fractions, both ends within. */
  band: { low: number; high: number } | null;
  /** How surely an item that every attempt solved is left out, a fraction; one that half of them solved never is. */
  dampEasy: number;
  /** Sampling temperature over families and over skills: 1 leaves shares as they are, larger ones make them equal. */
  balance: { families: number; skills: number };
  /** Similarity from which two rows are near-duplicates, a fraction; null where they are not looked for. */
  nearThreshold: number | null;
  /** The runs over which each item and each family has to lie in one split, each with what takes it out of them. */
  splitRuns: ReadonlyMap<RunId, string>;
  /** What registered comparisons judge by is not trained on. */
  heldOut: readonly HeldPart[];
  seed: number;
  /** About how many examples are read at a time. */
  examplesPerRange?: number;
}
