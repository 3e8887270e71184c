/**
 * Everyday prompts that no skill of ours is about: how much of what a model says to them changes, whether it refuses more, and
 * whether it runs in circles. Shown, not deciding: an answer may change for the better. The base's own draws on them are
 * what its distance from a candidate is estimated from.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { counted } from "../../foundation/counted.ts";
import { hashJson } from "../../foundation/hashing.ts";
import { changedFraction, fractionOf, isLoop, isRefusal } from "../ability/behaviour.ts";
import type { Answer, ArmMeasure, Shown } from "../ability/measure.ts";
import type { GeneralPrompt, GeneralSet } from "../general-set.ts";

const PROMPTS = join(import.meta.dirname, "..", "prompts", "neutral.jsonl");
const MOST_TOKENS = 160;

const lineSchema = z.strictObject({ kind: z.string().min(1), prompt: z.string().min(1) });

const set: GeneralSet = {
  summary: "answers to everyday prompts: changed, refused, in circles",
  async load() {
    const prompts = await readPrompts();
    return {
      hash: hashJson(prompts),
      source: "written for tracemill",
      texts: [],
      prompts,
      isDrawn: true,
      shown: async ({ base, candidate }) => {
        const changed = changedFraction(base.answers, candidate.answers);
        const note = `of ${counted(prompts.length, "prompt")}, answered greedily`;
        return [
          { name: "changed answers", base: null, candidate: changed, note },
          rates("refusals", { base, candidate }, isRefusal),
          rates("answers in circles", { base, candidate }, isLoop),
        ];
      },
    };
  },
};

export default set;

async function readPrompts(): Promise<GeneralPrompt[]> {
  const lines = (await readFile(PROMPTS, "utf8")).trimEnd().split("\n");
  return lines.map((line, index) => {
    const { kind, prompt } = lineSchema.parse(JSON.parse(line));
    const id = `${kind}/${index + 1}`;
    return {
      ...{ id, group: id, context: [{ role: "user" as const, content: prompt }], opening: "" },
      ...{ maxTokens: MOST_TOKENS, stops: [] },
    };
  });
}

function rates(
  name: string,
  { base, candidate }: { base: ArmMeasure; candidate: ArmMeasure },
  rule: (answer: Answer) => boolean,
): Shown {
  const of = ({ answers }: ArmMeasure) => fractionOf([...answers.values()], rule);
  return { name, base: of(base), candidate: of(candidate), note: `of ${counted(base.answers.size, "answer")}` };
}
