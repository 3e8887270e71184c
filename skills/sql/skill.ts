/**
 * The skill `sql`: a question about one or two tables is answered by one query, and the query is judged by what it
 * returns on several contents of the tables.
 */
import type { Skill } from "../../src/skills/contract.ts";
import { toldReason } from "../../src/skills/told-reason.ts";
import { answerSource, describeSource } from "./free-question.ts";
import { freshItems, generateItems } from "./generate.ts";
import { manifest } from "./manifest.ts";
import { answerText, parseAnswer, queryCall } from "./parse-answer.ts";
import { exampleTurns, promptFor } from "./prompt.ts";
import { taskDetail } from "./task-detail.ts";
import { userItems } from "./user-items.ts";
import { startVerifier } from "./verifier.ts";
import { openWorkspace } from "./workspace.ts";

const verifier = startVerifier();

const skill: Skill = {
  manifest,
  async items({ seed, itemsFile }) {
    return itemsFile === undefined ? generateItems(seed) : userItems(itemsFile, seed, verifier);
  },
  freshItems: async ({ seed }) => freshItems(seed),
  prompt(item) {
    const { schema, question } = taskDetail(item);
    return promptFor(schema, question);
  },
  workedExample(item, call) {
    const { schema, question } = taskDetail(item);
    return exampleTurns(schema, question, call);
  },
  starters(items) {
    const kinds = new Map(items.map((item) => [item.kind, item]));
    return [...kinds.values()].map((item) => ({ item, call: queryCall(taskDetail(item).reference) }));
  },
  parse: parseAnswer,
  answerText,
  async open(item) {
    return openWorkspace(item, verifier);
  },
  explain: (verdict) => toldReason(verdict, ["wrong-rows"]),
  close: () => verifier.close(),
  describe: (source) => describeSource(source, verifier),
  freePrompt: (question, schema) => promptFor(schema, question),
  answer: (call, source) => answerSource(call, source, verifier),
};

export default skill;
