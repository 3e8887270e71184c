import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { capItem, dropDuplicates, type Pick } from "../../src/curate/pick.ts";
import type { TurnId } from "../../src/records/ids.ts";

type ItemPick = Pick & { answerKey: string };

function pick(turn: string, overrides: Partial<ItemPick> = {}): ItemPick {
  const fields = { part: "train" as const, completionTokens: 10, exampleKey: turn, answerKey: turn };
  return { turn: turn as TurnId, ...fields, ...overrides };
}

const names = (picks: readonly Pick[]) => picks.map(({ turn }) => turn);

describe("duplicates", () => {
  it("are dropped for the one with the fewest tokens, then the earliest", () => {
    const same = { exampleKey: "k" };
    const picks = [
      pick("unknown-length", { ...same, completionTokens: null }),
      pick("first", same),
      pick("late", same),
      pick("long", { ...same, completionTokens: 11 }),
      pick("other"),
    ];
    const { kept, refused } = dropDuplicates(picks);
    expect(names(kept).sort()).toEqual(["first", "other"]);
    expect(names(refused).sort()).toEqual(["late", "long", "unknown-length"]);
  });

  it("never cost a held-out part its row", () => {
    const picks = [
      pick("t", { exampleKey: "k", completionTokens: 1 }),
      pick("v", { exampleKey: "k", part: "validation" }),
    ];
    expect(names(dropDuplicates(picks).kept)).toEqual(["v"]);
  });
});

describe("the cap of an item", () => {
  it("keeps different answers before better repeats of one answer", () => {
    const picks = [
      pick("a1", { answerKey: "a", completionTokens: 1 }),
      pick("a2", { answerKey: "a", completionTokens: 2 }),
      pick("b", { answerKey: "b", completionTokens: 30 }),
    ];
    expect(names(capItem(picks, 2).kept)).toEqual(["a1", "b"]);
  });

  it("fills up with repeats where there are not enough answers, the earliest first", () => {
    const picks = ["a1", "a2", "a3"].map((turn) => pick(turn, { answerKey: "a" }));
    expect(names(capItem(picks, 2).kept)).toEqual(["a1", "a2"]);
  });
});

const anyPick = fc.record({
  completionTokens: fc.option(fc.integer({ min: 1, max: 3 })),
  part: fc.constantFrom("train" as const, "validation" as const),
  exampleKey: fc.constantFrom("p", "q", "r"),
  answerKey: fc.constantFrom("x", "y"),
});

it("every example is kept or refused, once, and what is kept is within the limits", () => {
  fc.assert(
    fc.property(fc.array(anyPick, { maxLength: 20 }), fc.integer({ min: 1, max: 3 }), (fields, limit) => {
      const picks = fields.map((some, i) => pick(`t${i}`, some));
      const distinct = dropDuplicates(picks);
      const capped = capItem(distinct.kept, limit);
      const all = [...distinct.refused, ...capped.refused, ...capped.kept];
      expect(names(all).sort()).toEqual(names(picks).sort());
      const keys = distinct.kept.map(({ exampleKey }) => exampleKey);
      expect(new Set(keys)).toEqual(new Set(picks.map(({ exampleKey }) => exampleKey)));
      expect(keys.length).toBe(new Set(keys).size);
      expect(capped.kept.length).toBe(Math.min(limit, distinct.kept.length));
      const answers = (of: ItemPick[]) => new Set(of.map(({ answerKey }) => answerKey)).size;
      expect(answers(capped.kept)).toBe(Math.min(limit, answers(distinct.kept)));
    }),
  );
});
