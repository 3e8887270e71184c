/**
 * Puts tips into a worker's prompt so that they can be taken out again to the letter: training and zero-shot
 * validation use the prompt without them.
 */
import { assert } from "../foundation/errors.ts";
import type { Message } from "../records/message.ts";
import type { Tip, TipSpan } from "../records/tip.ts";

const HEADER = "Solved examples of similar tasks:\n\n";
const GAP = "\n\n";
const FOOTER = "Your task:\n\n";

/**
 * Returns the prompt with the tips at the start of its last user message, and where they lie.
 * The first span takes in the section's header and the last one its footer, so that the spans are all that was added.
 * Shapes: `prompt` has a user message with text; it is not changed.
 */
export function withTips(prompt: Message[], tips: readonly Tip[]): { messages: Message[]; tipSpans: TipSpan[] } {
  if (tips.length === 0) return { messages: prompt, tipSpans: [] };
  const messageIndex = prompt.findLastIndex((message) => message.role === "user");
  const message = prompt[messageIndex];
  assert(message?.content != null, "the skill's prompt has no user message with text");
  const tipSpans: TipSpan[] = [];
  let section = "";
  for (const [i, tip] of tips.entries()) {
    const start = section.length;
    section += `${i === 0 ? HEADER : ""}${tip.text}${GAP}${i === tips.length - 1 ? FOOTER : ""}`;
    tipSpans.push({ tip: tip.tip, messageIndex, start, end: section.length });
  }
  return { messages: prompt.with(messageIndex, { ...message, content: section + message.content }), tipSpans };
}
