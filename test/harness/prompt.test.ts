import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { withTips } from "../../src/harness/prompt.ts";
import type { Message } from "../../src/records/message.ts";
import type { Tip, TipSpan } from "../../src/records/tip.ts";
import { tipAbout } from "./setting.ts";

const text = fc.string({ unit: "binary" });
/** A task says something: a message that is nothing but a tip would go with it. */
const task = fc.string({ unit: "binary", minLength: 1 });
const promptOf = fc
  .tuple(fc.array(fc.tuple(fc.constantFrom("system", "user", "assistant"), text), { maxLength: 4 }), task)
  .map(([before, last]): Message[] => [
    ...before.map(([role, content]) => ({ role, content }) as Message),
    { role: "user", content: last },
  ]);
const exampleOf = fc
  .tuple(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }))
  .map(([task, answer]): Message[] => [
    { role: "user", content: task },
    { role: "assistant", content: answer },
  ]);
const tipsOf = fc
  .array(fc.tuple(text, fc.option(exampleOf)), { maxLength: 4 })
  .map((all) => all.map(([t, example], i): Tip => ({ ...tipAbout("letters:a-0", "x", i), text: t, example })));

/** What the contract of a tip span says: take the spans out, and the messages that were a span from end to end. */
function withoutSpans(messages: Message[], spans: TipSpan[]): Message[] {
  return messages.flatMap((message, index) => {
    const own = spans.filter((span) => span.messageIndex === index).sort((x, y) => y.start - x.start);
    const content = own.reduce((rest, { start, end }) => rest.slice(0, start) + rest.slice(end), message.content ?? "");
    const isTipAlone = own.some(({ start, end }) => start === 0 && end === message.content?.length);
    return isTipAlone ? [] : [{ ...message, content }];
  });
}

describe("a prompt with tips", () => {
  it("gives exactly the skill's prompt when its spans are taken out", () => {
    fc.assert(
      fc.property(promptOf, tipsOf, (prompt, tips) => {
        const { messages, tipSpans } = withTips(prompt, tips);
        expect(withoutSpans(messages, tipSpans)).toEqual(prompt);
        expect(new Set(tipSpans.map((span) => span.tip))).toEqual(new Set(tips.map((tip) => tip.tip)));
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
      "Lessons from similar tasks:\n\nWrite a b. done 1\n\nWrite a c. done 2\n\nYour task:\n\nWrite an a.",
    );
    expect(tipSpans.map(({ start, end }) => messages[1]?.content?.slice(start, end))).toEqual([
      "Lessons from similar tasks:\n\nWrite a b. done 1\n\n",
      "Write a c. done 2\n\nYour task:\n\n",
    ]);
    expect(prompt[1]?.content).toBe("Write an a.");
  });

  it("shows worked examples as earlier turns, the most similar one next to the task", () => {
    const prompt: Message[] = [
      { role: "system", content: "You write letters." },
      { role: "user", content: "Write an a." },
    ];
    const exampleFor = (letter: string): Message[] => [
      { role: "user", content: `Write a ${letter}.` },
      { role: "assistant", content: letter },
    ];
    const tips = ["b", "c"].map(
      (letter, n): Tip => ({ ...tipAbout(`letters:${letter}-0`, "x", n), example: exampleFor(letter) }),
    );
    const { messages } = withTips(prompt, tips);
    expect(messages).toEqual([prompt[0], ...exampleFor("c"), ...exampleFor("b"), prompt[1]]);
  });
});
