/**
 * Puts tips into a worker's prompt so that they can be taken out again to the letter: training and zero-shot
 * validation use the prompt without them. A worked example goes in as earlier turns, where even a small model takes it
 * as the form of its answer; what a tip says in words goes in front of the task.
 */
import { assert } from "../foundation/errors.ts";
import type { Message } from "../records/message.ts";
import type { Tip, TipSpan } from "../records/tip.ts";

const HEADER = "Lessons from similar tasks:\n\n";
const GAP = "\n\n";
const FOOTER = "Your task:\n\n";

interface TippedPrompt {
  messages: Message[];
  tipSpans: TipSpan[];
}

/**
 * Returns the prompt with its tips and where they lie: worked examples in front of the last user message, least
 * similar first, so that the best one is nearest to the task; texts at the start of that message.
 * Shapes: `prompt` has a user message with text; it is not changed. `tips` are in order of rank.
 */
export function withTips(prompt: Message[], tips: readonly Tip[]): TippedPrompt {
  const texts = tips.filter((tip) => tip.example === null);
  const examples = tips.filter((tip) => tip.example !== null).reverse();
  return withExamples(withTexts(prompt, texts), examples);
}

function withExamples({ messages, tipSpans }: TippedPrompt, tips: readonly Tip[]): TippedPrompt {
  const place = messages.findLastIndex((message) => message.role === "user");
  const turns = tips.flatMap(({ tip, example }) => (example ?? []).map((message) => ({ tip, message })));
  const spans = turns.map(({ tip, message }, i) => ({
    tip,
    messageIndex: place + i,
    start: 0,
    end: message.content?.length ?? 0,
  }));
  const moved = tipSpans.map((span) => ({ ...span, messageIndex: span.messageIndex + turns.length }));
  return {
    messages: messages.toSpliced(place, 0, ...turns.map(({ message }) => message)),
    tipSpans: [...spans, ...moved],
  };
}

/** The first span takes in the section's header and the last one its footer, so that the spans are all that was added. */
function withTexts(prompt: Message[], tips: readonly Tip[]): TippedPrompt {
  if (tips.length === 0) return { messages: prompt, tipSpans: [] };
  const messageIndex = prompt.findLastIndex((message) => message.role === "user");
  const message = prompt[messageIndex];
  assert(message?.content, "the skill's prompt has no user message with text");
  const tipSpans: TipSpan[] = [];
  let section = "";
  for (const [i, tip] of tips.entries()) {
    const start = section.length;
    section += `${i === 0 ? HEADER : ""}${tip.text}${GAP}${i === tips.length - 1 ? FOOTER : ""}`;
    tipSpans.push({ tip: tip.tip, messageIndex, start, end: section.length });
  }
  return { messages: prompt.with(messageIndex, { ...message, content: section + message.content }), tipSpans };
}
