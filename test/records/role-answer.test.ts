import fc from "fast-check";
import { expect, it } from "vitest";
import { LESSONS, REPLAN, ROLE_ANSWERS, SELECTION, structuredAnswer } from "../../src/records/role-answer.ts";

const answer = (content: string | null) => ({ role: "assistant" as const, content });

it("reads an object out of prose and a fence", () => {
  const text = 'I choose this one:\n```json\n{"item": "sql:a", "plan": "count {rows}"}\n```\nGood luck.';
  expect(structuredAnswer(SELECTION.schema, answer(text))).toEqual({ item: "sql:a", plan: "count {rows}" });
});

it("skips objects that do not fit, and braces of prose", () => {
  const text = 'Use {x}, not {"a": 1}. {"choice": "Re-Plan", "plan": "a \\"quoted\\" } brace"}';
  expect(structuredAnswer(REPLAN.schema, answer(text))).toEqual({
    choice: "re-plan",
    plan: 'a "quoted" } brace',
    reason: null,
  });
});

it("finds nothing in a cut object, an empty answer or an answer without a text", () => {
  for (const content of ['{"item": "sql:a", "plan": "', "", null, "no idea"])
    expect(structuredAnswer(SELECTION.schema, answer(content))).toBeNull();
});

it("takes no tip of an unknown type", () => {
  expect(structuredAnswer(LESSONS.schema, answer('{"tips": [{"type": "magic", "text": "x"}]}'))).toBeNull();
});

it("never throws, whatever a model writes", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("{", "}", '"', "\\", "a", ":", "[", "]", ",") }), (text) => {
      expect(() => structuredAnswer(SELECTION.schema, answer(text))).not.toThrow();
    }),
  );
});

it("asks for all keys and no others, as strict structured outputs do", () => {
  for (const { wire } of ROLE_ANSWERS) {
    expect(wire.required).toEqual(Object.keys(wire.properties as object));
    expect(wire.additionalProperties).toBe(false);
  }
  expect(SELECTION.wire).toEqual({
    type: "object",
    properties: {
      item: { type: "string", minLength: 1, maxLength: 200 },
      plan: { anyOf: [{ type: "string", maxLength: 600 }, { type: "null" }] },
    },
    required: ["item", "plan"],
    additionalProperties: false,
  });
});

it("understands more than it asks for: words in capitals, keys left out, long texts", () => {
  const plan = "x".repeat(2000);
  expect(structuredAnswer(SELECTION.schema, answer(JSON.stringify({ item: " a ", plan, mood: 1 })))).toEqual({
    item: "a",
    plan,
  });
  const tips = ["Strategy", "WARNING", "recovery"].map((type) => ({ type, text: "Count." }));
  expect(structuredAnswer(LESSONS.schema, answer(JSON.stringify({ tips })))?.tips).toEqual(
    ["strategy", "warning", "recovery"].map((type) => ({ type, text: "Count.", mechanism: null, conditions: null })),
  );
});
