/**
 * What a rule is: it plays a role without a model, so that a small model runs only what it can do.
 * A file in `roles/` with a rule as its default export is a rule; its file name is its id.
 * A rule is pure: it sees values and gives a value, and writes nothing.
 */
import type { ActionCall } from "../records/events.ts";
import type { Item } from "../records/item.ts";
import type { Tip } from "../records/tip.ts";
import type { Verdict } from "../records/verdict.ts";
import type { Skill } from "../skills/contract.ts";

export interface ItemProgress {
  item: Item;
  /** Attempts that are over. */
  tried: number;
  passed: number;
}

export interface ArchitectRule {
  role: "architect";
  /**
   * Picks the item to attempt next. `open` is never empty, lies in scan order and holds no item that is in work; `all`
   * holds every item of the run.
   */
  pick<P extends ItemProgress>(open: readonly [P, ...P[]], all: readonly ItemProgress[]): P;
}

/** A tip without its place: what the reflector has to say. */
export type Lesson = Pick<Tip, "type" | "text" | "example" | "mechanism" | "conditions" | "about">;

export interface ReflectorRule {
  role: "reflector";
  /** Says what is to be learnt from an attempt, or null. */
  reflect(seen: { skill: Skill; item: Item; call: ActionCall | null; verdict: Verdict }): Lesson | null;
}

export type Rule = ArchitectRule | ReflectorRule;
