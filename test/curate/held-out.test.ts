import { expect, test } from "vitest";
import type { HoldingPlan } from "../../src/curate/selection-settings.ts";
import { hashText, shortHash } from "../../src/foundation/hashing.ts";
import { itemId } from "../../src/records/ids.ts";
import { selectFrom } from "./select-from.ts";
import type { RunDraft } from "./written-run.ts";

const HASH = hashText("a comparison");
const PLACE = `comparison ${shortHash(HASH)}`;
const LONG = Array.from({ length: 80 }, (_, i) => `word${i}`).join(" ");

/** A comparison over held-out items. */
const planOver = (
  split: HoldingPlan["split"],
  item: string,
  family = item.split("/", 1)[0] as string,
): HoldingPlan => ({
  comparisonHash: HASH,
  split,
  skill: { id: "sql", version: "1", hash: hashText("sql") },
  items: [{ item: itemId("sql", item), family }],
});

const runs: RunDraft[] = [
  { attempts: [{ item: "shop/a" }, { item: "zoo/c" }, { item: "sea/d", task: `${LONG} and more` }] },
  { split: "test", attempts: [{ item: "moon/e", task: LONG }] },
];

test("a family that a comparison judges by is not trained on, whatever split the run gave it", async () => {
  const { rows, refusals } = await selectFrom(runs, { comparisons: [planOver("test", "moon/e", "zoo")] });
  expect(rows.map(({ family }) => family)).toEqual(["shop"]);
  const held = refusals.find(({ reason }) => reason === "held-out-family");
  expect(held?.count).toBe(1);
  expect(held?.examples[0]).toMatch(new RegExp(`\\(in ${PLACE}\\)$`));
});

test("an item that says nearly what a held-out one says is not trained on, and the held-out one is named", async () => {
  const { rows, refusals } = await selectFrom(runs, { comparisons: [planOver("test", "moon/e")] });
  expect(rows.map(({ item }) => item).sort()).toEqual(["sql:shop/a", "sql:zoo/c"]);
  const held = refusals.find(({ reason }) => reason === "held-out-text");
  expect(held?.examples[0]).toMatch(new RegExp(`\\(nearly sql:moon/e of ${PLACE}\\)$`));
});

test("a comparison over training items holds nothing out", async () => {
  const { rows } = await selectFrom(runs.slice(0, 1), { comparisons: [planOver("train", "shop/a")] });
  expect(rows).toHaveLength(3);
});

test("an item whose text nobody knows keeps everything from being exported", async () => {
  const comparisons = [planOver("test", "nowhere/x")];
  await expect(selectFrom(runs, { comparisons })).rejects.toMatchObject({ code: "HELD_OUT_TEXT_UNKNOWN" });
});
