import { expect, it } from "vitest";
import { passedText } from "../../src/commands/passed-text.ts";

it("what nobody judged lowers no share of what passed, and is told", () => {
  expect(passedText({ attempts: 8, judged: 8, passed: 2 })).toBe("2 passed (25.0 %)");
  expect(passedText({ attempts: 11, judged: 8, passed: 2 })).toBe("2 passed (25.0 % of 8 judged)");
  expect(passedText({ attempts: 3, judged: 0, passed: 0 })).toBe("0 passed (0.0 % of 0 judged)");
});
