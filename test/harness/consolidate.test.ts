import { describe, expect, it } from "vitest";
import { type ComparedTip, consolidate } from "../../src/harness/consolidate.ts";
import type { TipId } from "../../src/records/ids.ts";

function told(name: string, text: string, type = "strategy"): ComparedTip {
  return { tip: name as TipId, type, text, example: null };
}

function shown(name: string, task: string, answer: string): ComparedTip {
  const example = [
    { role: "user" as const, content: task },
    { role: "assistant" as const, content: answer },
  ];
  return { tip: name as TipId, type: "strategy", text: `${task}\n\n${answer}`, example };
}

const JOIN = "Join the orders with their customers by customer id before you count them.";

describe("tips that are told in words", () => {
  it("are merged into the first one that says nearly the same", () => {
    const { merges } = consolidate([
      told("first", JOIN),
      told("other", "Sort by the date, newest first."),
      told("again", JOIN.replace("before you", "before one must")),
      told("same", JOIN),
    ]);
    expect(merges).toEqual([
      { tip: "again", into: "first" },
      { tip: "same", into: "first" },
    ]);
  });

  it("stay apart where their type, a number or a negation differs", () => {
    const limit = "Give at most 5 rows.";
    const { merges } = consolidate([
      told("a", JOIN),
      told("warning", JOIN, "warning"),
      told("five", limit),
      told("six", limit.replace("5", "6")),
      told("not", JOIN.replace("Join", "Do not join")),
    ]);
    expect(merges).toEqual([]);
  });

  it("are never merged into one that is itself merged", () => {
    const words = "one two three four five six seven eight nine ten".split(" ");
    const text = (from: number) => [...words.slice(from), ...words.slice(0, from).map((word) => `${word}x`)].join(" ");
    const { merges } = consolidate([told("a", text(0)), told("b", text(1)), told("c", text(2))]);
    expect(merges).toEqual([{ tip: "b", into: "a" }]);
  });
});

describe("worked examples", () => {
  const task = "Tables: products (name, color, price, added). What is the highest price?";

  it("are merged where the answer is the same but for space and the task nearly so", () => {
    const { merges } = consolidate([
      shown("a", task, "SELECT max(price) FROM products"),
      shown("b", task.replace("highest", "greatest"), "SELECT max(price)\n  FROM products"),
    ]);
    expect(merges).toEqual([{ tip: "b", into: "a" }]);
  });

  it("stay apart where one sign of the answer differs, or the task is another one", () => {
    const { merges } = consolidate([
      shown("a", task, "SELECT count(*) FROM products WHERE price > 5"),
      shown("b", task, "SELECT count(*) FROM products WHERE price < 5"),
      shown("c", "How many are above five? Tables: products.", "SELECT count(*) FROM products WHERE price > 5"),
    ]);
    expect(merges).toEqual([]);
  });
});

describe("contradictions", () => {
  it("are a tip that advises and one that advises against the same thing", () => {
    const { contradictions } = consolidate([
      told("use", "Use a subquery for the greatest price of each color."),
      told("avoid", "Avoid a subquery for the greatest price of each color.", "warning"),
      told("else", "Never forget the semicolon.", "warning"),
    ]);
    expect(contradictions).toEqual([
      { against: "avoid", advised: "use", common: ["color", "each", "greatest", "price", "subquery"] },
    ]);
  });

  it("are not seen between two that advise against it, or where little is in common", () => {
    const { contradictions } = consolidate([
      told("never", "Never use a subquery for the greatest price of each color.", "warning"),
      told("avoid", "Avoid every subquery when the greatest price is asked for.", "warning"),
      told("use", "Use a subquery to count customers."),
    ]);
    expect(contradictions).toEqual([]);
  });

  it("are reported of what stays, once", () => {
    const use = "Use a subquery for the greatest price of each color.";
    const { merges, contradictions } = consolidate([
      told("use", use),
      told("use again", use),
      told("avoid", use.replace("Use", "Avoid"), "warning"),
    ]);
    expect(merges).toEqual([{ tip: "use again", into: "use" }]);
    expect(contradictions.map(({ against, advised }) => [against, advised])).toEqual([["avoid", "use"]]);
  });
});
