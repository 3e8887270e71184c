/**
 * From what the setup found to items: the rules that fail on the set-up root and that its own fix mends.
 */
import { itemId } from "../../src/records/ids.ts";
import type { Item } from "../../src/records/item.ts";
import type { Draft } from "../../src/skills/contract.ts";
import { taskText } from "./prompt.ts";
import type { FoundRule, Setup } from "./setup-folder.ts";

/** Drafts the items of a setup, in its order. */
export function draftsOf({ rules }: Setup): Draft[] {
  return rules.filter(({ reason }) => reason === null).map(draftOf);
}

/** The item of a rule, whether or not it is attainable. */
export function draftOf({ id, family, severity, title, description, identifiers }: FoundRule): Draft {
  return {
    item: itemId("stig", id),
    family,
    kind: severity,
    task: taskText(title, description),
    detail: { rule: id, title, severity, identifiers },
  };
}

/** The rule that an item is about, by the id that is the same in imported runs. */
export function ruleOf(item: Item, { rules }: Setup): FoundRule | undefined {
  return rules.find(({ id }) => `stig:${id}` === item.item);
}
