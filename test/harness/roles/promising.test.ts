import { expect, it } from "vitest";
import type { ItemProgress } from "../../../src/harness/role.ts";
import promising from "../../../src/harness/roles/promising.ts";

if (promising.role !== "architect") throw new Error("promising is a rule of the architect");
const { pick } = promising;

const progress = (name: string, kind: string, tried = 0, passed = 0): ItemProgress => ({
  item: { item: name as never, family: "f", split: "train", kind, task: "", detail: {} },
  tried,
  passed,
});
type Open = [ItemProgress, ...ItemProgress[]];

it("tries an item that was begun to its end", () => {
  const open: Open = [progress("a", "easy"), progress("b", "hard", 1)];
  expect(pick(open, open).item.item).toBe("b");
});

it("looks at every kind before it returns to one that failed", () => {
  const failed = progress("a", "one", 3);
  const open: Open = [progress("b", "one"), progress("c", "two")];
  expect(pick(open, [failed, ...open]).item.item).toBe("c");
});

it("prefers the kind that was solved, and goes back to a neglected one in the end", () => {
  const open: Open = [progress("new", "rare"), progress("next", "easy")];
  const easy = (count: number) =>
    Array.from({ length: count }, (_, i) => progress(`e${i}`, "easy", 3, i % 3 === 0 ? 1 : 0));
  const rare = progress("r", "rare", 3);
  expect(pick(open, [rare, ...easy(6), ...open]).item.item).toBe("next");
  const many = Array.from({ length: 200 }, (_, i) => progress(`h${i}`, "easy", 3, 0));
  expect(pick(open, [rare, ...many, ...open]).item.item).toBe("new");
});
