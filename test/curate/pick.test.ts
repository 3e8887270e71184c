import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { capPerItem, dropDuplicates, type Pick } from "../../src/curate/pick.ts";
import type { TurnId } from "../../src/records/ids.ts";

function pick(turn: string, overrides: Partial<Pick> = {}): Pick {
  return {
    turn: turn as TurnId,
    part: "train",
    item: "sql:a",
    run: "20261101-120001-0000",
    attemptNumber: 1,
    turnNumber: 1,
    completionTokens: 10,
    exampleKey: turn,
    answerKey: turn,
    ...overrides,
  };
}

const names = (picks: readonly Pick[]) => picks.map(({ turn }) => turn);

describe("duplicates", () => {
  it("are dropped for the one with the fewest tokens, then the earliest", () => {
    const same = { exampleKey: "k" };
    const picks = [
      pick("late", { ...same, attemptNumber: 2 }),
      pick("long", { ...same, completionTokens: 11 }),
      pick("first", same),
      pick("unknown-length", { ...same, completionTokens: null }),
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

describe("the cap", () => {
  it("keeps different answers before better repeats of one answer", () => {
    const picks = [
      pick("a1", { answerKey: "a", completionTokens: 1 }),
      pick("a2", { answerKey: "a", completionTokens: 2 }),
      pick("b", { answerKey: "b", completionTokens: 30 }),
    ];
    expect(names(capPerItem(picks, 2).kept)).toEqual(["a1", "b"]);
  });

  it("fills up with repeats where there are not enough answers", () => {
    const picks = [pick("a2", { answerKey: "a", attemptNumber: 2 }), pick("a1", { answerKey: "a" })];
    expect(names(capPerItem(picks, 2).kept)).toEqual(["a1", "a2"]);
  });

  it("counts an item over all runs", () => {
    const picks = ["20261101-120001-0000", "20261101-120002-0000"].map((run) => pick(run, { run }));
    expect(names(capPerItem(picks, 1).kept)).toEqual(["20261101-120001-0000"]);
  });

  const anyPick = fc.record({
    item: fc.constantFrom("sql:a", "sql:b"),
    run: fc.constantFrom("r1", "r2"),
    attemptNumber: fc.integer({ min: 1, max: 3 }),
    completionTokens: fc.option(fc.integer({ min: 1, max: 3 })),
    exampleKey: fc.constantFrom("p", "q", "r"),
    answerKey: fc.constantFrom("x", "y"),
  });

  it("gives the same rows for every order of its input, at most so many an item", () => {
    fc.assert(
      fc.property(fc.array(anyPick, { maxLength: 20 }), fc.integer({ min: 1, max: 3 }), (fields, maxPerItem) => {
        const picks = fields.map((some, i) => pick(`t${i}`, some));
        const choose = (all: Pick[]) => names(capPerItem(dropDuplicates(all).kept, maxPerItem).kept);
        const chosen = choose(picks);
        expect(choose([...picks].reverse())).toEqual(chosen);
        const items = picks.filter(({ turn }) => chosen.includes(turn)).map(({ item }) => item);
        for (const item of new Set(items)) {
          expect(items.filter((other) => other === item).length).toBeLessThanOrEqual(maxPerItem);
        }
      }),
    );
  });
});
