import { expect, test } from "vitest";
import { selectFrom } from "../select-from.ts";
import { plainPrompt } from "../written-run.ts";

test("each different first prompt of an item is a row without an answer, also of items that nobody solved", async () => {
  const failed = [{ passed: false, value: 0 }];
  const attempts = [
    { item: "shop/a", query: "SELECT 1", verdicts: failed },
    { item: "shop/a", query: "SELECT 2" },
    { item: "shop/b", query: "SELECT 3" },
  ];
  const { rows, refusals } = await selectFrom([{ attempts }, { attempts: attempts.slice(2) }], {
    tier: "prompts",
    withBad: true,
    expression: "eval_passed=true",
  });
  expect(rows.map(({ item }) => item).sort()).toEqual(["sql:shop/a", "sql:shop/b"]);
  expect(rows.find(({ item }) => item === "sql:shop/a")).toMatchObject({
    prompt: plainPrompt("shop/a"),
    completion: [],
    trained: [],
    reference: "{}",
  });
  expect(refusals.map(({ reason, count }) => [reason, count]).sort()).toEqual([
    ["exact-duplicate", 1],
    ["not-first-prompt", 1],
  ]);
});
