/**
 * The skill `cron`: a schedule in words is answered by five cron fields, and the fields are judged by when they fire.
 */
import { systemClock } from "../../src/foundation/clock.ts";
import { groupBy } from "../../src/foundation/group-by.ts";
import type { Skill } from "../../src/skills/contract.ts";
import { toldReason } from "../../src/skills/told-reason.ts";
import { answerFrom, describeSource } from "./free-question.ts";
import { generateItems } from "./generate.ts";
import { manifest } from "./manifest.ts";
import { answerText, parseAnswer, scheduleCall, tools } from "./parse-answer.ts";
import { exampleTurns, FIELDS_TEXT, promptFor } from "./prompt.ts";
import { taskDetail } from "./task-detail.ts";
import { userItems } from "./user-items.ts";
import { openWorkspace } from "./workspace.ts";

/** Several, as one pattern is told in many ways and a small model follows an example that is told as its task is. */
const STARTERS_PER_FAMILY = 4;

const skill: Skill = {
  manifest,
  async items({ seed, itemsFile }) {
    return itemsFile === undefined ? generateItems(seed) : userItems(itemsFile);
  },
  prompt: (item) => promptFor(taskDetail(item).words, FIELDS_TEXT),
  workedExample: (item, call) => exampleTurns(taskDetail(item).words, call),
  starters(items) {
    const families = groupBy(items, ({ family }) => family);
    const chosen = [...families.values()].flatMap((ofFamily) => ofFamily.slice(0, STARTERS_PER_FAMILY));
    return chosen.map((item) => ({ item, call: scheduleCall(taskDetail(item).reference) }));
  },
  tools,
  parse: parseAnswer,
  answerText,
  async open(item) {
    return openWorkspace(item);
  },
  explain: (verdict) => toldReason(verdict, ["wrong-times", "wrong-days"]),
  close: async () => {},
  async describe(source) {
    return describeSource(source);
  },
  freePrompt: promptFor,
  async answer(call) {
    return answerFrom(call, systemClock());
  },
};

export default skill;
