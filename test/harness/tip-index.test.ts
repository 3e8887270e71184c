import { describe, expect, it } from "vitest";
import { tipIndex } from "../../src/harness/tip-index.ts";
import type { Item } from "../../src/records/item.ts";
import type { Tip } from "../../src/records/tip.ts";
import { tipAbout } from "./setting.ts";

function itemWith(task: string, item = "letters:z-0"): Item {
  return { item: item as never, family: "z", split: "train", kind: null, task, detail: {} };
}

function indexOf(tips: Tip[]) {
  const index = tipIndex();
  for (const tip of tips) index.add(tip);
  return index;
}

function found(tips: Tip[], item: Item, count = 3): string[] {
  return indexOf(tips)
    .similar(item, count)
    .map(({ tip }) => tip.source.item);
}

describe("the tips similar to an item", () => {
  it("come best first, and those without a common word not at all", () => {
    const tips = [
      tipAbout("s:planes", "Count the planes"),
      tipAbout("s:boats", "List the names of boats longer than 30 metres"),
      tipAbout("s:ships", "List the names of ships"),
      tipAbout("s:none", "Average price"),
    ];
    expect(found(tips, itemWith("List the names of boats"))).toEqual(["s:boats", "s:ships", "s:planes"]);
  });

  it("score as BM25 does", () => {
    const index = indexOf([tipAbout("s:1", "red red boat"), tipAbout("s:2", "green house")]);
    const [first] = index.similar(itemWith("red"), 1);
    // idf = ln(1 + (2 - 1 + 0.5) / (1 + 0.5)) = ln 2; tf = 2, length 3 of a mean of 2.5
    const weight = (2 * 2.2) / (2 + 1.2 * (1 - 0.75 + (0.75 * 3) / 2.5));
    expect(first?.score).toBeCloseTo(Math.log(2) * weight, 12);
  });

  it("are weighed by kind, type and track record, which order what is about as alike", () => {
    const task = "List the boats";
    const plain = (item: string) => ({ ...tipAbout(item, task), text: `answer ${item}` });
    const index = tipIndex(
      undefined,
      new Map([
        [plain("s:proven").tip, 0.2],
        [plain("s:harms").tip, -0.9],
      ]),
    );
    index.add(plain("s:harms"), "count");
    index.add({ ...plain("s:warns"), type: "warning" }, "count");
    index.add(plain("s:other"), "sort");
    index.add(plain("s:kind"), "count");
    index.add(plain("s:proven"), "count");
    const ranked = index.similar({ ...itemWith(task), kind: "count" }, 5);
    expect(ranked.map(({ tip }) => tip.source.item)).toEqual(["s:proven", "s:kind", "s:other", "s:warns", "s:harms"]);
    const other = ranked[2]?.score ?? 0;
    expect(ranked.map(({ score }) => score / other)).toEqual(
      [1.2 * 1.1, 1.1, 1, 0.9 * 1.1, 0.5 * 1.1].map((factor) => expect.closeTo(factor, 10)),
    );
  });

  it("do not come up by weight where they are about something else", () => {
    const index = tipIndex(undefined, new Map([[tipAbout("s:2", "").tip, 0.5]]));
    index.add(tipAbout("s:1", "List the boats longer than 30 metres"), null);
    index.add(tipAbout("s:2", "List the houses"), "count");
    const [first] = index.similar({ ...itemWith("List the boats longer than 9 metres"), kind: "count" }, 1);
    expect(first?.tip.source.item).toBe("s:1");
  });

  it("are left out once they are retired, and no longer counted", () => {
    const index = indexOf([tipAbout("s:1", "List the boats"), tipAbout("s:2", "List the boats")]);
    index.retire(tipAbout("s:1", "").tip);
    expect(index.size).toBe(1);
    expect(index.similar(itemWith("List the boats"), 3).map(({ tip }) => tip.source.item)).toEqual(["s:2"]);
    expect(index.all().map(({ tip }) => tip)).toEqual([tipAbout("s:2", "").tip]);
  });

  it("never include one of the item itself", () => {
    const tips = [tipAbout("letters:z-0", "List the boats"), tipAbout("s:2", "List the boats")];
    expect(found(tips, itemWith("List the boats"))).toEqual(["s:2"]);
  });

  it("include one of each family, and one of several that say nearly the same", () => {
    const tips = [
      tipAbout("s:1", "List the boats"),
      { ...tipAbout("s:1b", "List the boats"), family: tipAbout("s:1", "").family },
      { ...tipAbout("s:2", "List the boats"), text: "select a, b from boats where length > 30" },
      { ...tipAbout("s:3", "List the boats"), text: "SELECT a, b FROM boats WHERE length > 99" },
      tipAbout("s:4", "List the houses"),
    ];
    expect(found(tips, itemWith("List the boats"))).toEqual(["s:1", "s:2", "s:4"]);
  });

  it("keep their order where scores are equal: the older first", () => {
    const tips = ["s:3", "s:1", "s:2"].map((item, n) => ({
      ...tipAbout(item, "List the boats"),
      text: `answer${"x".repeat(n)}`,
    }));
    expect(found(tips, itemWith("List the boats"), 2)).toEqual(["s:3", "s:1"]);
  });

  it("are none for a task without words, and none while there are no tips", () => {
    expect(found([tipAbout("s:1", "List the boats")], itemWith("???"))).toEqual([]);
    expect(found([], itemWith("List the boats"))).toEqual([]);
  });

  it("are added once", () => {
    const index = indexOf([tipAbout("s:1", "List the boats"), tipAbout("s:1", "List the boats")]);
    expect(index.size).toBe(1);
  });
});
