import { expect, test } from "vitest";
import { selectFrom } from "../select-from.ts";

const failed = [{ passed: false, value: 0.25 }];

test("good answers and clean failures are rows, each with its label and its value", async () => {
  const attempts = [
    { item: "shop/a", query: "SELECT 1" },
    { item: "shop/a", query: "SELECT 2", verdicts: failed },
    { item: "shop/a", query: "SELECT 3", verdicts: [{ passed: false, flags: ["evaluator-gap" as const] }] },
    { item: "shop/b", query: "SELECT 4", verdicts: failed },
  ];
  const { rows, refusals } = await selectFrom([{ attempts }], { tier: "judged", withBad: true });
  const labels = rows.map(({ item, label, reward }) => `${item} ${label} ${reward}`).sort();
  expect(labels).toEqual(["sql:shop/a false 0.25", "sql:shop/a true 1", "sql:shop/b false 0.25"]);
  expect(refusals).toMatchObject([{ reason: "evaluator-gap", count: 1 }]);
});

test("the same answer to the same prompt that passed and failed is a pass", async () => {
  const attempts = [
    { item: "shop/a", query: "SELECT 1", verdicts: failed },
    { item: "shop/a", query: "SELECT 1" },
  ];
  const { rows, refusals } = await selectFrom([{ attempts }], { tier: "judged", withBad: true });
  expect(rows.map(({ label }) => label)).toEqual([true]);
  expect(refusals).toMatchObject([{ reason: "exact-duplicate", count: 1 }]);
});

test("an answer that passed once is no failure either where the pass itself has no place", async () => {
  const step = { answer: "Let me look.", printed: "3", exitCode: 0 };
  const attempts = [
    { item: "shop/a", query: "SELECT 1", completionTokens: 30 },
    { item: "shop/a", query: "SELECT 2", completionTokens: 10 },
    { item: "shop/a", query: "SELECT 1", completionTokens: 30, verdicts: failed },
    { item: "shop/a", query: "SELECT 3", completionTokens: 30, verdicts: failed },
  ];
  for (const unit of ["turn", "attempt"] as const) {
    const runs = [
      { isForeign: true, attempts: attempts.map((one) => ({ ...one, ...(unit === "attempt" && { steps: [step] }) })) },
    ];
    const { rows, refusals } = await selectFrom(runs, { tier: "judged", withBad: true, maxPerItem: 1, unit });
    expect(rows.map(({ label, completion }) => [label, completion.at(-1)?.content]).sort()).toEqual([
      [false, "SELECT 3"],
      [true, "SELECT 2"],
    ]);
    expect(refusals.map(({ reason }) => reason).sort()).toEqual(["exact-duplicate", "over-item-cap"]);
  }
});

test("of nearly the same answers to nearly the same tasks the one that passed is kept, however long", async () => {
  const task = Array.from({ length: 80 }, (_, i) => `word${i}`).join(" ");
  const attempts = [
    { item: "shop/a", task: `${task} before`, verdicts: failed, completionTokens: 38 },
    { item: "shop/b", task: `${task} after`, completionTokens: 40 },
  ];
  const { rows, refusals } = await selectFrom([{ attempts }], { tier: "judged", withBad: true });
  expect(rows.map(({ item, label }) => `${item} ${label}`)).toEqual(["sql:shop/b true"]);
  expect(refusals).toMatchObject([{ reason: "near-duplicate", count: 1 }]);
});

test("of bad answers the filter asks what it asks of all, but for their outcome", async () => {
  const attempts = [
    { item: "shop/a", query: "SELECT 1" },
    { item: "shop/a", query: "SELECT 2", verdicts: failed },
    { item: "zoo/b", query: "SELECT 3", verdicts: failed },
  ];
  const expression = "eval_passed=true and family=shop";
  const { rows, clauses } = await selectFrom([{ attempts }], { tier: "judged", withBad: true, expression });
  expect(rows.map(({ item, label }) => `${item} ${label}`).sort()).toEqual(["sql:shop/a false", "sql:shop/a true"]);
  expect(clauses.map(({ count }) => count)).toEqual([1, 0]);
});

test("how sure the label is, is asked of bad answers as of good ones", async () => {
  const attempts = [
    { item: "shop/a", query: "SELECT 1" },
    { item: "shop/a", query: "SELECT 2", verdicts: [{ confidence: 0.5 }] },
    { item: "shop/b", query: "SELECT 3", verdicts: failed },
    { item: "shop/b", query: "SELECT 4", verdicts: [{ passed: false, value: 0.25, confidence: 0.5 }] },
  ];
  const settings = { tier: "judged" as const, withBad: true, gatesOff: ["not-deterministic"] };
  for (const field of ["confidence", "label_confidence"]) {
    const expression = `eval_passed=true and ${field}>=0.9`;
    const { rows, refusals } = await selectFrom([{ attempts }], { ...settings, expression });
    expect(rows.map(({ item, confidence }) => `${item} ${confidence}`).sort()).toEqual([
      "sql:shop/a 1",
      "sql:shop/b 1",
    ]);
    expect(refusals).toMatchObject([{ reason: "filter", count: 2 }]);
  }
});

test("what an opinion says and how surely is not asked of bad answers, of which nobody asks for one", async () => {
  const opinion = { signalType: "judgment" as const, confidence: 0.9, verifier: { id: "auditor", version: "m" } };
  const attempts = [
    { item: "shop/a", query: "SELECT 1", verdicts: [opinion, {}] },
    { item: "shop/a", query: "SELECT 2", verdicts: failed },
  ];
  const expression = "audit_passed=true and audit_confidence>=0.8";
  const { rows } = await selectFrom([{ attempts }], { tier: "judged", withBad: true, expression });
  expect(rows.map(({ label }) => label).sort()).toEqual([false, true]);
});

test("of a failed attempt the last answer alone is a row, and what is left out is told from what has no clean label", async () => {
  const steps = [{ answer: "ls", printed: "t.csv", exitCode: 0 }];
  const attempts = [
    { item: "shop/a", query: "SELECT 1", steps, verdicts: failed },
    { item: "shop/b", query: "SELECT 2", steps, verdicts: [{ ...failed[0], flags: ["dirty-exit" as const] }] },
  ];
  const settings = { tier: "judged" as const, withBad: true, gatesOff: ["no-action"] };
  const { rows, refusals, written } = await selectFrom([{ attempts }], settings);
  const [first, last, ...dirty] = written[0]?.turns ?? [];
  expect(rows.map(({ turn }) => turn)).toEqual([last]);
  expect(refusals.map(({ reason, examples }) => [reason, examples]).sort()).toEqual([
    ["no-clean-label", dirty],
    ["not-last-answer", [first]],
  ]);
});

test("a whole attempt is one row with its label, in the same shape whether it passed or failed", async () => {
  const steps = [{ answer: "ls", printed: "t.csv" }];
  const attempts = [
    { item: "shop/a", query: "SELECT 1", steps },
    { item: "shop/a", query: "SELECT 2", steps, verdicts: failed },
  ];
  const settings = { tier: "judged" as const, unit: "attempt" as const, withBad: true, expression: "eval_passed=true" };
  const { rows, refusals } = await selectFrom([{ attempts }], settings);
  expect(refusals).toEqual([]);
  const shapes = rows.map(({ label, prompt, trained, earlier }) => [label, prompt.length, trained, earlier.length]);
  expect(shapes).toEqual([
    [true, 2, [true, false, true], 1],
    [false, 2, [true, false, true], 1],
  ]);
});
