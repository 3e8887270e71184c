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

test("of first prompts that say nearly the same the earliest stays, and of others no more than the item's share", async () => {
  const log = Array.from({ length: 80 }, (_, n) => `line-${n}`).join(" ");
  const asked = (prefix: string) => ({ attempts: [{ item: "shop/a", tip: prefix, tipSpans: [] }] });
  const runs = [asked(`${log} in 1 ms. `), asked("Now. "), asked("At once. "), asked(`${log} in 2 ms. `)];
  const { rows, refusals, duplicates, written } = await selectFrom(runs, { tier: "prompts", maxPerItem: 2 });
  const [first, second, third, fourth] = written.map(({ turns }) => turns[0]);
  expect(rows.map(({ turn }) => turn).sort()).toEqual([first, second]);
  expect(duplicates).toEqual([{ removed: fourth, kept: first, reason: "near-duplicate" }]);
  expect(refusals.find(({ reason }) => reason === "over-item-cap")?.examples).toEqual([third]);
});

test("a task is a row whatever its answer did: it says nothing of the task", async () => {
  const steps = [{ answer: "ls nowhere", printed: "no such folder", exitCode: 1 }];
  const hosted = { model: "claude-sonnet-4-5", baseHash: null };
  const { rows, refusals } = await selectFrom(
    [
      {
        attempts: [
          { item: "shop/failed-command", steps },
          { item: "shop/failed-step", parseFlags: ["parser-threw"] },
          { item: "shop/hosted-model", ...hosted },
          { item: "shop/many-calls", answer: "", calls: 2 },
          { item: "shop/no-action", query: null },
          { item: "shop/truncated", finishReason: "length" },
        ],
      },
    ],
    { tier: "prompts", withBad: true, answerText: () => "SELECT 1" },
  );
  expect(rows.map(({ item }) => item).sort()).toEqual(
    ["failed-command", "failed-step", "hosted-model", "many-calls", "no-action", "truncated"].map(
      (name) => `sql:shop/${name}`,
    ),
  );
  expect(refusals).toMatchObject([{ reason: "not-first-prompt", count: 1 }]);
});

test("a task of which the environment or the verifier is not to be trusted is no row", async () => {
  const flagged = (flag: "environment-suspect" | "evaluator-gap") => ({ verdicts: [{ flags: [flag] }] });
  const attempts = [
    { item: "shop/a", ...flagged("environment-suspect") },
    { item: "shop/b", ...flagged("evaluator-gap") },
  ];
  const { rows, refusals } = await selectFrom([{ attempts }], { tier: "prompts", withBad: true });
  expect(rows).toEqual([]);
  expect(refusals.map(({ reason }) => reason).sort()).toEqual(["environment-suspect", "evaluator-gap"]);
});
