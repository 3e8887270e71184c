/**
 * Takes tips out of a prompt again, so that a model learns to need them no more.
 */
import type { Message } from "../records/message.ts";
import type { TipSpan } from "../records/tip.ts";

/**
 * Returns the prompt without its tip spans and the messages that were one from end to end: exactly what was sent
 * where no tip was rendered.
 * Null where a span does not lie in the prompt or overlaps another: then nothing can be said of the prompt.
 */
export function withoutTips(messages: readonly Message[], spans: readonly TipSpan[]): Message[] | null {
  const prompt = [...messages];
  const tipsAlone = new Set<number>();
  let previous: TipSpan | undefined;
  for (const span of [...spans].sort((x, y) => y.messageIndex - x.messageIndex || y.start - x.start || y.end - x.end)) {
    const message = prompt[span.messageIndex];
    if (message === undefined || message.content === null) return null;
    const end = previous?.messageIndex === span.messageIndex ? previous.start : message.content.length;
    if (span.start > span.end || span.end > end) return null;
    // From the last span to the first: what is cut never moves the offsets of those that are still to come.
    const content = message.content.slice(0, span.start) + message.content.slice(span.end);
    prompt[span.messageIndex] = { ...message, content };
    if (span.start === 0 && span.end === messages[span.messageIndex]?.content?.length) tipsAlone.add(span.messageIndex);
    previous = span;
  }
  return prompt.filter((_, i) => !tipsAlone.has(i));
}
