import { expect, test } from "vitest";
import { type Retirements, readableTips } from "../../src/harness/readable-tips.ts";
import type { TipId } from "../../src/records/ids.ts";

const id = (name: string) => name as TipId;

/** `merges` as `a>b`; `a>` is retired for what it says. */
function read(saved: string, merges = ""): string {
  const retirements: Retirements = new Map(
    merges.split(" ").flatMap((merge) => {
      const [tip = "", into = ""] = merge.split(">");
      return tip === "" ? [] : [[id(tip), into === "" ? null : id(into)] as const];
    }),
  );
  const tips = saved.split(" ").map((tip) => ({ tip: id(tip) }));
  return readableTips(tips, retirements)
    .map(({ tip }) => tip)
    .join(" ");
}

test.each([
  ["nothing is retired", "a b c", "", "a b c"],
  ["the staying tip is read as well", "a b c", "b>a", "a c"],
  ["the staying tip is of a run that is not read", "b c", "b>a", "b c"],
  ["several were merged into the same absent tip", "b c d", "b>a c>a", "b d"],
  ["several were merged into it by way of another", "b c d", "c>b b>a", "b d"],
  ["a merged tip's own staying tip is read", "a c", "c>b b>a", "a"],
  ["one is retired for what it says", "a b", "b>", "a"],
  ["the staying tip is retired for what it says", "a b", "b>a a>", ""],
  ["the absent staying tip is retired for what it says", "b c", "b>a a>", "c"],
  ["merges run in a circle", "a b c", "a>b b>a", "c"],
])("where %s", (_, saved, merges, expected) => {
  expect(read(saved, merges)).toBe(expected);
});
