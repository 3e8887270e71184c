/**
 * A solution as a lesson: the item's worked example, to be found by what the item is about.
 */
import type { ActionCall } from "../records/events.ts";
import type { Item } from "../records/item.ts";
import type { Skill } from "../skills/contract.ts";
import type { Lesson } from "./role.ts";

/** Builds the lesson of an item that an action solved. */
export function solvedExample(skill: Skill, item: Item, call: ActionCall): Lesson {
  const example = skill.workedExample(item, call);
  return {
    type: "strategy",
    text: example.map(({ content }) => content ?? "").join("\n\n"),
    example,
    mechanism: null,
    conditions: null,
    about: item.task,
  };
}
