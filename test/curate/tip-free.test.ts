import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { withoutTips } from "../../src/curate/tip-free.ts";
import type { Message } from "../../src/records/message.ts";
import type { TipSpan } from "../../src/records/tip.ts";

const TIP = "tip-0123456789abcdef" as TipSpan["tip"];
const text = fc.string({ unit: "grapheme", maxLength: 12 });
/** A message's own text in pieces, with the tips that were rendered between them. */
const pieces = fc.array(fc.record({ own: text, tip: fc.option(text) }), { minLength: 1, maxLength: 5 });

describe("a prompt without its tips", () => {
  it("is the prompt into which they were put, for all prompts and tips", () => {
    fc.assert(
      fc.property(fc.array(pieces, { minLength: 1, maxLength: 3 }), (contents) => {
        const plain: Message[] = contents.map((all) => ({ role: "user", content: all.map(({ own }) => own).join("") }));
        const spans: TipSpan[] = [];
        const sent = contents.map((all, messageIndex): Message => {
          let content = "";
          for (const { own, tip } of all) {
            content += own;
            if (tip === null) continue;
            spans.push({ tip: TIP, messageIndex, start: content.length, end: content.length + tip.length });
            content += tip;
          }
          return { role: "user", content };
        });
        const isTipAlone = (_: Message, i: number) =>
          spans.some(({ messageIndex, start, end }) => {
            return messageIndex === i && start === 0 && end === sent[i]?.content?.length;
          });
        expect(withoutTips(sent, spans)).toEqual(plain.filter((message, i) => !isTipAlone(message, i)));
      }),
    );
  });

  it("has no message left that was a tip from end to end", () => {
    const task: Message = { role: "user", content: "task" };
    const example: Message[] = [
      { role: "user", content: "another task" },
      { role: "assistant", content: "its answer" },
    ];
    const spans = [
      { tip: TIP, messageIndex: 0, start: 0, end: 12 },
      { tip: TIP, messageIndex: 1, start: 0, end: 10 },
    ];
    expect(withoutTips([...example, task], spans)).toEqual([task]);
  });

  const prompt: Message[] = [{ role: "user", content: "abcdef" }];
  it.each([
    ["reaches beyond its message", [{ messageIndex: 0, start: 4, end: 7 }]],
    ["is in no message", [{ messageIndex: 1, start: 0, end: 1 }]],
    ["ends before it starts", [{ messageIndex: 0, start: 3, end: 2 }]],
    [
      "overlaps another",
      [
        { messageIndex: 0, start: 0, end: 3 },
        { messageIndex: 0, start: 2, end: 4 },
      ],
    ],
  ])("is not guessed at where a span %s", (_, spans) => {
    expect(
      withoutTips(
        prompt,
        spans.map((span) => ({ tip: TIP, ...span })),
      ),
    ).toBeNull();
  });
});
