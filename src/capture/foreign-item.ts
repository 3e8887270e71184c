/**
 * Items of an agent that tracemill knows nothing of but the names that it gives: a family is what a skill of that name says,
 * else what the agent says, or the item itself.
 */
import type { Json } from "../foundation/canonical-json.ts";
import type { RunStarted } from "../records/events.ts";
import { type ItemId, itemId } from "../records/ids.ts";
import type { Item } from "../records/item.ts";
import type { RecordedMessage } from "../records/message.ts";
import type { SkillSplits } from "../skills/skill-splits.ts";
import { textOf } from "./conversations.ts";
import type { ForeignItem } from "./foreign.ts";

/** Of an item's task; the messages hold the rest. */
const MOST_TASK_CHARACTERS = 20_000;

/** Builds an item with its family and split from what another program says of it. */
export function foreignItem(
  skill: string,
  splits: SkillSplits,
  given: { nativeId: string; family: string | null; task: string; kind?: string | null; detail?: Record<string, Json> },
): Item {
  const { nativeId, task, kind = null, detail = {} } = given;
  const item = foreignItemId(skill, nativeId);
  // The skill's own family goes before any other: what it holds out stays held out.
  const family = splits.familyOf(item) ?? given.family ?? nativeId;
  return {
    item,
    family,
    split: splits.splitOf(family),
    kind,
    task: task.slice(0, MOST_TASK_CHARACTERS).toWellFormed(),
    detail,
  };
}

/** How a user puts items into families. */
export interface FamilyRule {
  /** As the user wrote it: imports by other rules are other ones. */
  text: string;
  /** Returns null for an item that the rule says nothing of. */
  familyOf(item: ForeignItem): string | null;
}

export interface CountedRule {
  /** The rule, which counts the items that it is asked of. */
  rule: FamilyRule | null;
  /** Of how many items it said nothing; null without a rule. */
  untold(): number | null;
  /** Whether it was asked, and said nothing of any item. */
  isUnmet(): boolean;
}

/** Wraps a rule so that it counts what it says nothing of. */
export function countedRule(rule: FamilyRule | null): CountedRule {
  if (rule === null) return { rule, untold: () => null, isUnmet: () => false };
  const counts = { told: 0, untold: 0 };
  return {
    rule: {
      ...rule,
      familyOf(item) {
        const family = rule.familyOf(item);
        counts[family === null ? "untold" : "told"]++;
        return family;
      },
    },
    untold: () => counts.untold,
    isUnmet: () => counts.told === 0 && counts.untold > 0,
  };
}

/** What a conversation is about, where nobody says so: what the user asked first. */
export function taskOf(messages: readonly RecordedMessage[]): string {
  const asked = messages.find(({ role }) => role === "user") ?? messages[0];
  return textOf(asked?.content);
}

/** Takes an id that begins with the skill's name already as it is. */
export function foreignItemId(skill: string, nativeId: string): ItemId {
  return nativeId.startsWith(`${skill}:`) ? (nativeId as ItemId) : itemId(skill, nativeId);
}

/** The first event of a run that another program made. */
export function foreignStart(given: {
  run: RunStarted["run"];
  skill: string;
  codeVersion: string;
  config: RunStarted["config"];
}): RunStarted {
  const { run, skill, codeVersion, config } = given;
  return {
    ...{ run, skill: { id: skill, version: null, hash: null }, models: {}, sampling: null, seed: null, split: null },
    ...{ memory: "none", tipRuns: [], codeVersion, config, comparison: null },
  };
}
