import { expect, it } from "vitest";
import { refusalTally } from "../../src/records/refusal-tally.ts";

it("names the first three turns of a reason, in whatever order they come", () => {
  const tally = refusalTally();
  for (const turn of ["d", "b", "e", "a", "c"]) tally.add("truncated", [turn]);
  tally.add("filter", ["x"], 40);
  tally.add("conflict", []);
  expect(tally.counts()).toEqual([
    { reason: "filter", count: 40, examples: ["x"] },
    { reason: "truncated", count: 5, examples: ["a", "b", "c"] },
  ]);
});
