import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Message } from "../../src/records/message.ts";
import { actionCall, actionText, parseAction, type TextAction } from "../../src/skills/text-action.ts";

const plain: TextAction = { name: "answer", argument: "text", from: "text", missing: "no-answer" };
const fenced: TextAction = { ...plain, from: "fenced" };
const said = (content: string): Message => ({ role: "assistant", content });
const called = (name: string, given: string | Record<string, string>, count = 1): Message => ({
  role: "assistant",
  content: "ignored",
  tool_calls: Array.from({ length: count }, () => ({ type: "function", function: { name, arguments: given } })),
});

describe("an action in the text of an answer", () => {
  it.each([plain, fenced])("is read back from the answer that is written for it ($from)", (action) => {
    const piece = fc.constantFrom("`", "```", "````", "\n", " ", "a", "  ```\n", "~~~", "\r\n", "é");
    const text = fc.oneof(
      fc.string(),
      fc.array(piece).map((pieces) => pieces.join("")),
    );
    fc.assert(
      fc.property(text, (value) => {
        const read = parseAction(called("answer", { text: value }), action);
        if (!("call" in read)) expect(value.trim()).toBe("");
        else expect(parseAction(said(actionText(read.call, action)), action)).toEqual(read);
      }),
    );
  });

  it("is the whole text without its ends", () => {
    expect(parseAction(said("\n *.txt \n"), plain)).toEqual({ call: actionCall("*.txt", plain) });
  });

  it("is the first fenced block, whatever stands around it", () => {
    expect(parseAction(said("Here:\n```js\nlet a;\n```\nand\n```\nb\n```"), fenced)).toEqual({
      call: actionCall("let a;", fenced),
    });
  });

  it("is all that follows a fence that is not closed", () => {
    expect(parseAction(said("```\nlet a;\nlet b;"), fenced)).toEqual({ call: actionCall("let a;\nlet b;", fenced) });
  });

  it.each([
    ["an empty text", said(" \n"), plain],
    ["no text at all", { role: "assistant", content: null } as Message, plain],
    ["a text without a fence", said("let a;"), fenced],
    ["an empty block", said("```\n\n```"), fenced],
  ])("is missing from %s", (_, answer, action) => {
    expect(parseAction(answer, action)).toMatchObject({ failureMode: "no-answer" });
  });
});

describe("an action in a native tool call", () => {
  it("comes before the text, with its arguments as JSON or as they are", () => {
    const read = { call: actionCall("*.txt", plain) };
    expect(parseAction(called("answer", '{"text":"*.txt"}'), plain)).toEqual(read);
    expect(parseAction(called("answer", { text: "*.txt" }), plain)).toEqual(read);
  });

  it.each([
    ["of another tool", called("reply", { text: "a" }), "the tool reply does not exist; there is answer"],
    ["that stands beside another", called("answer", { text: "a" }, 2), "2 tool calls where one was expected"],
    ["with arguments that are no JSON", called("answer", "{text"), "the arguments are not a JSON object"],
    ["with a list of arguments", called("answer", "[1]"), "the arguments are not a JSON object"],
    ["with an argument too many", called("answer", { text: "a", b: "c" }), "the arguments hold more than text: b"],
    ["without its argument", called("answer", "{}"), "text: expected a text"],
    ["with an empty argument", called("answer", { text: " " }), "text is empty"],
  ])("%s is none", (_, answer, reason) => {
    expect(parseAction(answer, plain)).toEqual({ failureMode: "no-answer", reason });
  });
});
