/**
 * MMLU's own questions, from where the user has them: they do not ship. The letter of the right option decides, as is usual
 * for them, without examples before the question.
 * Source: Hendrycks et al. 2021, arXiv:2009.03300.
 */
import { resolve } from "node:path";
import { Refusal } from "../../foundation/errors.ts";
import { hashJson } from "../../foundation/hashing.ts";
import { choiceFigures, choiceTexts } from "../ability/choices.ts";
import { readQuestions } from "../ability/question-files.ts";
import type { GeneralSet } from "../general-set.ts";

const set: GeneralSet = {
  summary: "letters of the right answers to MMLU's questions, read from a folder",
  async load({ folder }) {
    if (folder === undefined) {
      throw new Refusal({
        code: "NO_QUESTIONS",
        message: "MMLU does not ship with tracemill.",
        expected: "the folder of its CSV files",
        got: "none",
        fix: "--mmlu DIR; without it the set multiple-choice is there",
      });
    }
    const questions = await readQuestions(folder);
    const texts = choiceTexts(questions, "letter");
    return {
      hash: hashJson(texts),
      source: `MMLU in ${resolve(folder)}`,
      texts,
      prompts: [],
      isDrawn: false,
      shown: async (arms) => choiceFigures(questions, arms),
    };
  },
};

export default set;
