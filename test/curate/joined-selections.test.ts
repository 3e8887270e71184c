import { expect, test } from "vitest";
import { joinedSelections } from "../../src/curate/index.ts";
import { rowRank } from "../../src/curate/row-rank.ts";
import type { SelectedRow, Selection } from "../../src/records/selection.ts";
import { sampleExample, samplePair, sampleSelection } from "../dataset/sample-selection.ts";

const SEED = 7;
const inOrder = (rows: SelectedRow[]) => rows.toSorted((x, y) => (rowRank(x, SEED) < rowRank(y, SEED) ? -1 : 1));
const upTo = <T>(count: number, make: (n: number) => T) => Array.from({ length: count }, (_, n) => make(n));

const workers = inOrder(upTo(60, (n) => samplePair(n)));
const reflectors = inOrder(upTo(20, (n) => samplePair(n, { kind: "reflector-pair", role: "reflector" })));

async function rowsOf(selections: Selection[], seed = SEED): Promise<SelectedRow[]> {
  const rows: SelectedRow[] = [];
  for await (const row of joinedSelections(selections, seed).rows()) rows.push(row);
  return rows;
}

test("rows of all stand in the one order of the seed, so that any beginning holds the share of each", async () => {
  const rows = await rowsOf([sampleSelection(workers), sampleSelection(reflectors)]);
  expect(rows).toEqual(inOrder([...workers, ...reflectors]));
  const shareIn = (some: SelectedRow[]) => some.filter(({ role }) => role === "reflector").length / some.length;
  expect(Math.abs(shareIn(rows.slice(0, 40)) - 20 / 80)).toBeLessThan(0.15);
});

test("one selection's rows stay as they are, and none has none", async () => {
  expect(await rowsOf([sampleSelection(workers)], SEED + 1)).toEqual(workers);
  expect(await rowsOf([])).toEqual([]);
  expect(await rowsOf([sampleSelection([]), sampleSelection(workers)])).toEqual(workers);
});

test("whoever stops early closes the rows of all", async () => {
  const closed: string[] = [];
  const closing = (name: string, selection: Selection): Selection => ({
    ...selection,
    async *rows() {
      try {
        yield* selection.rows();
      } finally {
        closed.push(name);
      }
    },
  });
  const joined = joinedSelections(
    [
      closing("worker", sampleSelection(workers)),
      closing("reflector", sampleSelection([sampleExample(1), ...reflectors])),
    ],
    SEED,
  );
  for await (const row of joined.rows()) if (row.kind !== "answer") break;
  expect(closed).toEqual(["worker", "reflector"]);
});
