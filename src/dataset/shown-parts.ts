/**
 * Whether a base's chat template shows a conversation's tools, calls and tool results: one that does not know them leaves
 * them out without a word. Asks the template itself, with a mark in the place of each: a name or a result may stand
 * elsewhere in a text, or be written in another form. Does not know of tokens.
 */
import type { Message, Tool } from "../records/message.ts";
import type { Renderer } from "../render/renderer.ts";

/** What stands in the place of every other text. */
const FILLER = "filler";

/** Returns true where there is nothing of the kind to show. Throws: `TEMPLATE_REFUSED`. */
export function showsParts(
  messages: readonly Message[],
  tools: readonly Tool[] | null,
  renderer: Pick<Renderer, "text">,
): boolean {
  const marks: string[] = [];
  const mark = () => {
    const name = `mark_${marks.length}_`;
    marks.push(name);
    return name;
  };
  const named = <Part extends { function: object }>(part: Part): Part => ({
    ...part,
    function: { ...part.function, name: mark() },
  });
  const marked = messages.map((message): Message => {
    const content = message.role === "tool" ? mark() : message.content && FILLER;
    const { tool_calls: calls } = message;
    return calls === undefined ? { ...message, content } : { ...message, content, tool_calls: calls.map(named) };
  });
  const markedTools = tools?.map(named) ?? null;
  if (marks.length === 0) return true;
  const text = renderer.text(marked, markedTools);
  return marks.every((name) => text.includes(name));
}
