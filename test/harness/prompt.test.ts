import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { withTips } from "../../src/harness/prompt.ts";
import type { Message } from "../../src/records/message.ts";
import type { Tip, TipSpan } from "../../src/records/tip.ts";
import { tipAbout } from "./setting.ts";

const text = fc.string({ unit: "binary" });
const promptOf = fc
  .tuple(fc.array(fc.tuple(fc.constantFrom("system", "user", "assistant"), text), { maxLength: 4 }), text)
  .map(([before, last]): Message[] => [
    ...before.map(([role, content]) => ({ role, content }) as Message),
    { role: "user", content: last },
  ]);
const tipsOf = fc
  .array(text, { maxLength: 4 })
  .map((texts) => texts.map((t, i): Tip => ({ ...tipAbout("letters:a-0", "x", i), text: t })));

function withoutSpans(messages: Message[], spans: TipSpan[]): Message[] {
  return messages.map((message, index) => {
    const own = spans.filter((span) => span.messageIndex === index).sort((x, y) => y.start - x.start);
    const content = own.reduce((rest, { start, end }) => rest.slice(0, start) + rest.slice(end), message.content ?? "");
    return { ...message, content };
  });
}

describe("a prompt with tips", () => {
  it("gives exactly the skill's prompt when its spans are taken out", () => {
    fc.assert(
      fc.property(promptOf, tipsOf, (prompt, tips) => {
        const { messages, tipSpans } = withTips(prompt, tips);
        expect(withoutSpans(messages, tipSpans)).toEqual(prompt);
        expect(tipSpans.map((span) => span.tip)).toEqual(tips.map((tip) => tip.tip));
      }),
    );
  });

  it("holds every tip's text inside its span, before the task in the last user message", () => {
    const prompt: Message[] = [
      { role: "system", content: "You write letters." },
      { role: "user", content: "Write an a." },
    ];
    const tips = [tipAbout("letters:b-0", "Write a b.", 1), tipAbout("letters:c-0", "Write a c.", 2)];
    const { messages, tipSpans } = withTips(prompt, tips);
    expect(messages[0]).toEqual(prompt[0]);
    expect(messages[1]?.content).toBe(
      "Solved examples of similar tasks:\n\nWrite a b. done 1\n\nWrite a c. done 2\n\nYour task:\n\nWrite an a.",
    );
    expect(tipSpans.map(({ start, end }) => messages[1]?.content?.slice(start, end))).toEqual([
      "Solved examples of similar tasks:\n\nWrite a b. done 1\n\n",
      "Write a c. done 2\n\nYour task:\n\n",
    ]);
    expect(prompt[1]?.content).toBe("Write an a.");
  });
});
