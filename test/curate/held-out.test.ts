import { expect, test } from "vitest";
import { hashText, shortHash } from "../../src/foundation/hashing.ts";
import { itemId } from "../../src/records/ids.ts";
import type { HeldPart } from "../../src/store/comparisons.ts";
import { selectFrom } from "./select-from.ts";
import type { RunDraft } from "./written-run.ts";

const HASH = hashText("a comparison");
const PLACE = `comparison ${shortHash(HASH)}`;
const LONG = Array.from({ length: 80 }, (_, i) => `word${i}`).join(" ");

/** What a comparison over one held-out item keeps out. */
const over = (item: string, family = item.split("/", 1)[0] as string): HeldPart => ({
  ...{ comparisonHash: HASH, skill: "sql", split: "test" },
  ...{ families: [family], items: [itemId("sql", item)] },
});

const runs: RunDraft[] = [
  { attempts: [{ item: "shop/a" }, { item: "zoo/c" }, { item: "sea/d", task: `${LONG} and more` }] },
  { split: "test", attempts: [{ item: "moon/e", task: LONG }] },
];

test("a family that a comparison judges by is not trained on, whatever split the run gave it", async () => {
  const { rows, refusals } = await selectFrom(runs, { heldOut: [over("moon/e", "zoo")] });
  expect(rows.map(({ family }) => family)).toEqual(["shop"]);
  const held = refusals.find(({ reason }) => reason === "held-out-family");
  expect(held?.count).toBe(1);
  expect(held?.examples[0]).toMatch(new RegExp(`\\(in ${PLACE}\\)$`));
});

test("an item that says nearly what a held-out one says is not trained on, and the held-out one is named", async () => {
  const { rows, refusals } = await selectFrom(runs, { heldOut: [over("moon/e")] });
  expect(rows.map(({ item }) => item).sort()).toEqual(["sql:shop/a", "sql:zoo/c"]);
  const held = refusals.find(({ reason }) => reason === "held-out-text");
  expect(held?.examples[0]).toMatch(new RegExp(`\\(nearly sql:moon/e of ${PLACE}\\)$`));
});

test("every text that a held-out item had in some run is held out", async () => {
  const told = (word: string) => Array.from({ length: 80 }, (_, i) => `${word}${i}`).join(" ");
  const words = ["old", "middle", "new"];
  const worded: RunDraft[] = [
    { attempts: words.map((word) => ({ item: `${word}/a`, task: `${told(word)} and more` })) },
    ...words.map((word): RunDraft => ({ split: "test", attempts: [{ item: "moon/e", task: told(word) }] })),
  ];
  const { rows, refusals } = await selectFrom([...worded, ...runs], { heldOut: [over("moon/e")] });
  expect(rows.map(({ item }) => item).sort()).toEqual(["sql:shop/a", "sql:zoo/c"]);
  expect(refusals.find(({ reason }) => reason === "held-out-text")?.count).toBe(4);
});

test("a comparison of which only the families are known, as its folder is gone, holds these out", async () => {
  const { rows } = await selectFrom(runs.slice(0, 1), { heldOut: [{ ...over("shop/a"), items: [] }] });
  expect(rows.map(({ family }) => family).sort()).toEqual(["sea", "zoo"]);
});

test("an item whose text nobody knows keeps everything from being exported", async () => {
  await expect(selectFrom(runs, { heldOut: [over("nowhere/x")] })).rejects.toMatchObject({
    code: "HELD_OUT_TEXT_UNKNOWN",
  });
});
