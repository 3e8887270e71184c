import fc from "fast-check";
import { expect, it } from "vitest";
import { lessonsSchema, replanSchema, selectionSchema, structuredAnswer } from "../../src/harness/structured.ts";

const answer = (content: string | null) => ({ role: "assistant" as const, content });

it("reads an object out of prose and a fence", () => {
  const text = 'I choose this one:\n```json\n{"item": "sql:a", "plan": "count {rows}"}\n```\nGood luck.';
  expect(structuredAnswer(selectionSchema, answer(text))).toEqual({ item: "sql:a", plan: "count {rows}" });
});

it("skips objects that do not fit, and braces of prose", () => {
  const text = 'Use {x}, not {"a": 1}. {"choice": "Re-Plan", "plan": "a \\"quoted\\" } brace"}';
  expect(structuredAnswer(replanSchema, answer(text))).toEqual({
    choice: "re-plan",
    plan: 'a "quoted" } brace',
    reason: null,
  });
});

it("finds nothing in a cut object, an empty answer or an answer without a text", () => {
  for (const content of ['{"item": "sql:a", "plan": "', "", null, "no idea"])
    expect(structuredAnswer(selectionSchema, answer(content))).toBeNull();
});

it("takes no tip of an unknown type", () => {
  expect(structuredAnswer(lessonsSchema, answer('{"tips": [{"type": "magic", "text": "x"}]}'))).toBeNull();
});

it("never throws, whatever a model writes", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("{", "}", '"', "\\", "a", ":", "[", "]", ",") }), (text) => {
      expect(() => structuredAnswer(selectionSchema, answer(text))).not.toThrow();
    }),
  );
});
