/**
 * What an example's answer is: its text as it is compared and its origin; and what makes one good answer better to keep
 * than another. Works on one example at a time.
 */
import { assert } from "../foundation/errors.ts";
import { hashText } from "../foundation/hashing.ts";
import type { ActionCall } from "../records/events.ts";
import type { Message } from "../records/message.ts";
import type { AnswerOrigin, Part } from "../records/selection.ts";
import type { Candidate } from "./candidate.ts";
import { RULE_VERSION } from "./role-rule.ts";
import type { SelectionSettings } from "./selection-settings.ts";

/** The message that is trained on: the recorded answer, or the action that was judged in the skill's own form. */
export function answerOf({ skill, call, response }: Candidate, { answerText }: SelectionSettings): Message {
  if (answerText === null) {
    assert(response !== null, "an example without an answer passed the filters");
    return response;
  }
  assert(call !== null, "an example without an action passed the filters");
  return actionMessage(call, () => answerText(skill, call));
}

/** The same message for the same action, as it is asked for again and again. */
const actionMessages = new WeakMap<ActionCall, Message>();

function actionMessage(call: ActionCall, write: () => string): Message {
  const message = actionMessages.get(call) ?? { role: "assistant" as const, content: write() };
  actionMessages.set(call, message);
  return message;
}

/** An item's messages are compared again and again. */
const plainTexts = new WeakMap<Message, string>();

/** A message with its white space made plain, as text: what is equal in this form is the same answer. */
export function plainText(message: Message): string {
  const known = plainTexts.get(message);
  if (known !== undefined) return known;
  const { content, tool_calls = [] } = message;
  const calls = tool_calls.map(
    ({ function: { name, arguments: args } }) => `${name} ${typeof args === "string" ? args : JSON.stringify(args)}`,
  );
  const text = [content ?? "", ...calls].join("\n").trim().replaceAll(/\s+/g, " ");
  plainTexts.set(message, text);
  return text;
}

/** A key of the tip-free prompt with its tools and the answers. */
export function rowKey(candidate: Candidate, ...answers: Message[]): string {
  return hashText([candidate.promptKey, ...answers.map(plainText)].join("\0"));
}

/** Why the label of an example is trusted. */
export function originOf(candidate: Candidate): AnswerOrigin {
  const { run, attempt, turn, model, baseHash, adapterHash, tips, label, verdict } = candidate;
  assert(label !== null, "an example without a label passed the filters");
  return {
    run,
    attempt,
    turn,
    model,
    baseHash,
    adapterHash,
    label: label.passed === true,
    reward: label.value,
    confidence: label.confidence,
    rule: label.rule,
    verifierId: label.rule === "verdict" && verdict !== null ? verdict.verifierId : label.rule,
    verifierVersion: label.rule === "verdict" && verdict !== null ? verdict.verifierVersion : RULE_VERSION,
    tips,
  };
}

/** The prompt of a row, with the tips that it held or without. */
export function promptOf({ messages, tipFree }: Candidate, { tips }: SelectionSettings): Message[] {
  const prompt = tips === "drop" ? tipFree : messages;
  assert(prompt !== null, "an example without a prompt passed the filters");
  return prompt;
}

/** What every row has, whatever its answers are. */
export function headOf(candidate: Candidate, settings: SelectionSettings) {
  const { skill, role, family, item, tools, reference } = candidate;
  return {
    part: partOf(candidate),
    skill,
    role,
    family,
    item,
    prompt: promptOf(candidate, settings),
    tools,
    reference,
  };
}

function partOf({ split }: Candidate): Part {
  return split === "validation" ? "validation" : "train";
}

/**
 * Whether the endpoint counted more tokens than a row may have. The base may count others, and fewer where tips are taken
 * out, so this only says which examples to prefer: what does not fit is refused when it is rendered.
 */
export function looksTooLong(
  { promptTokens, completionTokens }: Candidate,
  { maxTokens }: Pick<SelectionSettings, "maxTokens">,
): boolean {
  return maxTokens !== null && (promptTokens ?? 0) + (completionTokens ?? 0) > maxTokens;
}

/** Best first: what fits as far as is known, then fewest completion tokens, then the earlier one, as examples come earliest first. */
export function byWorth(settings: Pick<SelectionSettings, "maxTokens">): (x: Candidate, y: Candidate) => number {
  const tokensOf = ({ completionTokens }: Candidate) => completionTokens ?? Number.MAX_SAFE_INTEGER;
  return (x, y) => Number(looksTooLong(x, settings)) - Number(looksTooLong(y, settings)) || tokensOf(x) - tokensOf(y);
}
