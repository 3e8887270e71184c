import fc from "fast-check";
import { expect, test } from "vitest";
import { dropDuplicates, type Pick } from "../../src/curate/pick.ts";
import { pickTable } from "../../src/curate/pick-table.ts";
import { hashText } from "../../src/foundation/hashing.ts";
import type { TurnId } from "../../src/records/ids.ts";

const picksOf = fc
  .array(
    fc.record({
      text: fc.nat(8),
      part: fc.constantFrom("train" as const, "validation" as const),
      completionTokens: fc.option(fc.nat(3)),
    }),
    { maxLength: 40 },
  )
  .map((drafts) =>
    drafts.map(({ text, ...own }, n): Pick => ({ turn: `t${n}` as TurnId, exampleKey: hashText(`${text}`), ...own })),
  );

function tableOf(picks: Pick[], seed = 1) {
  const table = pickTable(seed);
  for (const [row, pick] of picks.entries()) table.add(pick, { startByte: 2 ** 40 + row, sizeBytes: row });
  return table;
}

test("a table keeps and refuses what the same picks as objects would be", () => {
  fc.assert(
    fc.property(picksOf, (picks) => {
      const { kept, refused } = tableOf(picks).distinct();
      const turnsOf = (rows: Uint32Array) => Array.from(rows, (row) => picks[row]?.turn).sort();
      const expected = dropDuplicates(picks);
      expect(turnsOf(kept)).toEqual(expected.kept.map(({ turn }) => turn).sort());
      expect(turnsOf(refused)).toEqual(expected.refused.map(({ turn }) => turn).sort());
    }),
  );
});

test("a table gives back each pick's part and place", () => {
  fc.assert(
    fc.property(picksOf, (picks) => {
      const table = tableOf(picks);
      for (const [row, { part }] of picks.entries()) {
        expect(table.isTrain(row)).toBe(part === "train");
        expect(table.placeOf(row)).toEqual({ startByte: 2 ** 40 + row, sizeBytes: row });
      }
    }),
  );
});

test("the order is that of the hashes of seed and turn", () => {
  const picks = Array.from(
    { length: 3000 },
    (_, n): Pick => ({ turn: `t${n}` as TurnId, part: "train", completionTokens: 1, exampleKey: hashText(`${n}`) }),
  );
  const table = tableOf(picks, 7);
  const shuffled = table.shuffled(table.distinct().kept);
  const hashes = Array.from(shuffled, (row) => hashText(`7:${picks[row]?.turn}`));
  expect(hashes).toHaveLength(3000);
  expect(hashes).toEqual([...hashes].sort());
});
