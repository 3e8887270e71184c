import fc from "fast-check";
import { describe, expect, it } from "vitest";
import skill from "../../skills/sql/skill.ts";
import type { Item } from "../../src/records/item.ts";
import type { ParsedAnswer } from "../../src/skills/contract.ts";

const parse = (content: string): ParsedAnswer => skill.parse({ role: "assistant", content }, {} as Item);
const rewritten = (answer: string): string => {
  const parsed = parse(answer);
  return "call" in parsed && skill.answerText !== undefined ? skill.answerText(parsed.call) : "";
};

const PIECES = [
  "SELECT a",
  "\n\n",
  ";",
  " FROM t",
  "'it''s; '",
  "```",
  "```sql\n",
  "-- why; ",
  "\n",
  "Here: ",
  "WITH x AS (",
  " ",
];

describe("an action written as an answer", () => {
  it("is read back as the same action, whatever the answer was", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...PIECES), { maxLength: 12 }), (pieces) => {
        const parsed = parse(pieces.join(""));
        if ("call" in parsed) expect(parse(rewritten(pieces.join("")))).toEqual(parsed);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ["SELECT 1;", "SELECT 1"],
    ["Sure!\n```sql\nSELECT a\nFROM t;\n```\nThis counts.", "SELECT a\nFROM t"],
    ["```\nSELECT a\n\nFROM t\n```", "```sql\nSELECT a\n\nFROM t\n```"],
  ])("is the query alone where that is enough: %j", (answer, text) => {
    expect(rewritten(answer)).toBe(text);
  });
});
