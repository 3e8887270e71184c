import { describe, expect, it } from "vitest";
import { chatMessages, joinedAnswer, partsInText } from "../../../src/capture/traces/chat-messages.ts";
import { chatTools } from "../../../src/capture/traces/chat-tools.ts";

const CALL = { id: "c1", type: "function", function: { name: "look", arguments: '{"at":"it"}' } };
const RESULT = { role: "tool", tool_call_id: "c1", content: "seen" };

describe("a call and its result", () => {
  it.each([
    ["OpenTelemetry", { type: "tool_call", id: "c1", name: "look", arguments: { at: "it" } }],
    ["Anthropic", { type: "tool_use", id: "c1", name: "look", input: { at: "it" } }],
    ["Bedrock", { toolUse: { toolUseId: "c1", name: "look", input: { at: "it" } } }],
    ["Gemini", { functionCall: { id: "c1", name: "look", args: { at: "it" } } }],
    ["the AI SDK 5", { type: "tool-call", toolCallId: "c1", toolName: "look", input: { at: "it" } }],
    ["the AI SDK 4", { type: "tool-call", toolCallId: "c1", toolName: "look", args: { at: "it" } }],
  ])("are read from the parts of %s: the call", (_, part) => {
    expect(chatMessages({ role: "assistant", content: [part] })).toEqual([
      { role: "assistant", content: null, tool_calls: [CALL] },
    ]);
  });

  it.each([
    ["OpenTelemetry", { type: "tool_call_response", id: "c1", response: "seen" }],
    ["OpenTelemetry's prose", { type: "tool_call_response", id: "c1", result: "seen" }],
    ["Anthropic", { type: "tool_result", tool_use_id: "c1", content: [{ type: "text", text: "seen" }] }],
    ["Bedrock", { toolResult: { toolUseId: "c1", content: [{ text: "seen" }] } }],
    ["the AI SDK 5", { type: "tool-result", toolCallId: "c1", output: { type: "text", value: "seen" } }],
    ["the AI SDK 4", { type: "tool-result", toolCallId: "c1", result: "seen" }],
  ])("are read from the parts of %s: the result", (_, part) => {
    expect(chatMessages({ role: "user", content: [part] })).toEqual([RESULT]);
  });

  it("stand before what else their message says", () => {
    const content = [
      { type: "tool_result", tool_use_id: "c1", content: "seen" },
      { type: "text", text: "Go on." },
    ];
    expect(chatMessages({ role: "user", content })).toEqual([RESULT, { role: "user", content: "Go on." }]);
  });

  it("are known under LangChain's names and roles", () => {
    const messages = [
      { type: "human", content: "Look." },
      { type: "ai", content: "", tool_calls: [{ name: "look", args: { at: "it" }, id: "c1" }] },
    ];
    expect(chatMessages(messages)).toMatchObject([
      { role: "user", content: "Look." },
      { role: "assistant", content: "", tool_calls: [CALL] },
    ]);
  });
});

describe("a message", () => {
  it("keeps what is no text as a part, and its texts beside it", () => {
    const image = { type: "image_url", image_url: { url: "data:x" } };
    expect(chatMessages({ role: "user", content: [{ type: "input_text", text: "What?" }, image] })).toEqual([
      { role: "user", content: [{ type: "text", text: "What?" }, image] },
    ]);
  });

  it("has its reasoning apart", () => {
    const content = [
      { type: "thinking", thinking: "Hm." },
      { type: "text", text: "Yes." },
    ];
    expect(chatMessages({ role: "model", content })).toEqual([
      { role: "assistant", content: "Yes.", reasoning_content: "Hm." },
    ]);
  });

  it("without a role is none, unless it is known whose it is", () => {
    expect(chatMessages([{ content: "Yes." }])).toBeNull();
    expect(chatMessages([{ content: "Yes." }], "assistant")).toEqual([{ role: "assistant", content: "Yes." }]);
    expect(chatMessages("Yes.")).toBeNull();
    expect(chatMessages([])).toBeNull();
  });

  it("of several parts of an answer is one", () => {
    const parts = [
      { role: "assistant", content: "Well, " },
      { role: "assistant", content: "yes.", tool_calls: [CALL] },
    ];
    expect(joinedAnswer(parts)).toEqual({ role: "assistant", content: "Well, yes.", tool_calls: [CALL] });
  });
});

describe("a text", () => {
  it("that is the JSON of parts is read as them, and any other JSON is the text that it is", () => {
    expect(partsInText('[{"text":"Hi."}]')).toEqual([{ text: "Hi." }]);
    expect(partsInText(JSON.stringify([CALL]))).toEqual([CALL]);
    for (const text of ['[{"type":"bug","title":"x"}]', '[{"text":"a","score":1}]', "[{", "[1]", "Hi."]) {
      expect(partsInText(text)).toBe(text);
    }
  });
});

describe("tools", () => {
  it("are read under every name that their schema has", () => {
    const parameters = { type: "object" };
    const tool = { type: "function", function: { name: "look", description: "Looks", parameters } };
    const plain = { name: "look", description: "Looks" };
    for (const given of [
      tool,
      { ...plain, parameters },
      { ...plain, input_schema: parameters },
      { type: "function", ...plain, inputSchema: { jsonSchema: parameters } },
      { toolSpec: { ...plain, inputSchema: { json: parameters } } },
      JSON.stringify({ ...plain, parameters: JSON.stringify(parameters) }),
    ]) {
      expect(chatTools([given])).toEqual([tool]);
    }
  });

  it("are none where one of them cannot be read", () => {
    expect(chatTools([{ name: "look" }, { description: "Looks" }])).toBeNull();
    expect(chatTools([])).toBeNull();
    expect(chatTools(JSON.stringify([{ name: "look" }]))).toHaveLength(1);
  });
});
