/**
 * Questions of this project's own, over school and everyday subjects, that ship with it. Small and easy on purpose: a small
 * model knows enough of them to have something to lose.
 */
import { join } from "node:path";
import { hashJson } from "../../foundation/hashing.ts";
import { choiceFigures, choiceTexts } from "../ability/choices.ts";
import { readQuestions } from "../ability/question-files.ts";
import type { GeneralSet } from "../general-set.ts";

const QUESTIONS = join(import.meta.dirname, "..", "questions");

const set: GeneralSet = {
  summary: "right answers to questions of general knowledge, written for this project",
  async load() {
    const questions = await readQuestions(QUESTIONS);
    const texts = choiceTexts(questions, "words");
    return {
      hash: hashJson(texts),
      source: "written for tracemill",
      texts,
      prompts: [],
      isDrawn: false,
      shown: async (arms) => choiceFigures(questions, arms),
    };
  },
};

export default set;
