/**
 * The worker's one turn of an attempt: the skill's prompt, with the plan, earlier attempts and tips where there are any.
 */
import { assert } from "../foundation/errors.ts";
import { random } from "../foundation/random.ts";
import { sumOf } from "../foundation/sums.ts";
import type { AttemptId } from "../records/ids.ts";
import type { Message } from "../records/message.ts";
import { atBoundary } from "../skills/at-boundary.ts";
import { fillTemplate } from "../skills/template.ts";
import type { Bench } from "./bench.ts";
import { historyText } from "./history.ts";
import { recall } from "./memory.ts";
import { withTips } from "./prompt.ts";
import { promptBudget } from "./role-call.ts";
import type { Answered, ItemWork } from "./run-state.ts";

/** Asks the worker for its action. Throws: what the client throws; failures of the boundary `workspace`. */
export async function askWorker(
  bench: Bench,
  work: ItemWork,
  at: { attempt: AttemptId; n: number; turnNumber: number },
): Promise<Answered> {
  const { skill, memory, hasNativeTools, sampling } = bench;
  const { item } = work;
  const own = await atBoundary("workspace", () => skill.prompt(item));
  const { messages, template } = withContext(bench, own, work);
  const budget = promptBudget(bench.worker, sampling.maxTokens);
  const used = sumOf(messages, ({ content }) => budget.count(content ?? ""));
  const recalled =
    memory === null
      ? { retrievals: [], tips: [] }
      : recall(memory, item, {
          count: bench.tipsPerPrompt,
          dropProbability: bench.tipDropout,
          chance: (tip) => random(bench.seed, "tip-dropout", item.item, at.n, tip),
          budget: { tokens: budget.tokens - used, count: budget.count },
        });
  return bench.client.call({
    attempt: at.attempt,
    turnNumber: at.turnNumber,
    role: "worker",
    phase: "act",
    endpoint: bench.worker,
    tools: hasNativeTools ? [...(skill.tools ?? [])] : null,
    sampling,
    seed: random(bench.seed, item.item, at.n, at.turnNumber).integer(0, 0x7fff_ffff),
    retrievals: recalled.retrievals,
    template,
    notice: (answer) => noticed(bench, answer, work),
    ...withTips(messages, recalled.tips),
  });
}

/** Adds the plan and what was tried behind the task, in the last user message. */
function withContext(bench: Bench, own: Message[], { plan, history }: ItemWork) {
  const { skill, showsAttempts, prompts, sampling } = bench;
  const variables = { plan: plan ?? "", attempts: showsAttempts ? historyText(skill, history) : "" };
  if (variables.plan === "" && variables.attempts === "") return { messages: own, template: null };
  const { name, hash } = prompts["worker-context"];
  const place = own.findLastIndex(({ role }) => role === "user");
  const task = own[place];
  assert(task?.content, "the skill's prompt has no user message with text");
  const budget = promptBudget(bench.worker, sampling.maxTokens);
  const taken = sumOf(own, ({ content }) => budget.count(content ?? ""));
  const added = fillTemplate(prompts["worker-context"], variables, { ...budget, tokens: budget.tokens - taken });
  const text = added.messages.map(({ content }) => content).join("\n\n");
  const content = text === "" ? task.content : `${task.content}\n\n${text}`;
  return { messages: own.with(place, { ...task, content }), template: { name, hash, leftOut: added.leftOut } };
}

function noticed({ skill }: Bench, answer: Message, { item }: ItemWork): string[] {
  try {
    return "call" in skill.parse(answer, item) ? [] : ["no-action"];
  } catch {
    return ["parser-threw"]; // it throws again when the attempt is judged, where it is recorded as a failure
  }
}
