import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { hashText } from "../../src/foundation/hashing.ts";
import type { Tokens } from "../../src/records/selection.ts";
import { openDatabase, type Row, rowsOf, sqlText } from "../../src/store/duckdb.ts";
import { createTokenTable } from "../../src/store/token-table.ts";
import { withHome } from "./sample-run.ts";

const LONG = 9000;

async function write(target: string, rows: number): Promise<void> {
  const table = createTokenTable(target);
  for (let n = 0; n < rows; n++) await table.add(`row-${n}`, [tokensOf(n)]);
  await table.finish();
}

function tokensOf(n: number): Tokens {
  return { ids: Array.from({ length: LONG }, (_, i) => (n + i) % 10), mask: Array(LONG).fill(1) };
}

async function ask(folder: string, sql: string): Promise<Row[]> {
  const database = await openDatabase({ memoryLimitMb: 256, threads: 1, spillFolder: join(folder, "spill") });
  try {
    return await rowsOf(database.stream(sql));
  } finally {
    database.close();
  }
}

test("long rows come back whole and in their order, in groups that are small, and nothing lies beside them", () =>
  withHome(async ({ path: folder }) => {
    const target = join(folder, "train.parquet");
    await write(target, 700);
    expect(await readdir(folder)).toEqual(["train.parquet"]);
    const file = `read_parquet(${sqlText(target)}, file_row_number = true)`;
    const rows = await ask(
      folder,
      `SELECT row_id, ids[1] AS first, len(ids) AS ids, list_sum(mask)::INTEGER AS mask FROM ${file} ORDER BY file_row_number`,
    );
    expect(rows).toEqual(
      Array.from({ length: 700 }, (_, n) => ({ row_id: `row-${n}`, first: n % 10, ids: LONG, mask: LONG })),
    );
    const [groups] = await ask(
      folder,
      `SELECT max(row_group_num_rows) AS rows FROM parquet_metadata(${sqlText(target)})`,
    );
    expect(Number(groups?.rows)).toBeLessThan(700);
  }));

test("the same rows give the same bytes", () =>
  withHome(async ({ path: folder }) => {
    const files = await Promise.all(
      ["a", "b"].map(async (name) => {
        await write(join(folder, name), 150);
        return hashText(await readFile(join(folder, name)));
      }),
    );
    expect(files[0]).toBe(files[1]);
  }));

test("a table without rows has its columns", () =>
  withHome(async ({ path: folder }) => {
    const target = join(folder, "validation.parquet");
    await createTokenTable(target).finish();
    expect(await columnsOf(folder, target)).toEqual(["row_id VARCHAR", "ids INTEGER[]", "mask UTINYINT[]"]);
  }));

test("a table of pairs has ids and mask of the chosen and of the rejected conversation", () =>
  withHome(async ({ path: folder }) => {
    const target = join(folder, "train.parquet");
    const table = createTokenTable(target, "preference-pairs");
    await table.add('row-"1"', [
      { ids: [1, 2], mask: [0, 1] },
      { ids: [1, 3, 4], mask: [0, 1, 1] },
    ]);
    await table.finish();
    expect(await ask(folder, `SELECT * FROM ${sqlText(target)}`)).toEqual([
      { row_id: 'row-"1"', chosen_ids: [1, 2], chosen_mask: [0, 1], rejected_ids: [1, 3, 4], rejected_mask: [0, 1, 1] },
    ]);
    expect((await columnsOf(folder, target)).slice(1)).toEqual([
      "chosen_ids INTEGER[]",
      "chosen_mask UTINYINT[]",
      "rejected_ids INTEGER[]",
      "rejected_mask UTINYINT[]",
    ]);
  }));

test("a table of judged answers has their label", () =>
  withHome(async ({ path: folder }) => {
    const target = join(folder, "train.parquet");
    const table = createTokenTable(target, "judged");
    await table.add("row-1", [{ ids: [1, 2], mask: [0, 1] }], true);
    await table.add("row-2", [{ ids: [1, 3], mask: [0, 1] }], false);
    await table.finish();
    expect(await ask(folder, `SELECT row_id, label FROM ${sqlText(target)}`)).toEqual([
      { row_id: "row-1", label: true },
      { row_id: "row-2", label: false },
    ]);
    expect((await columnsOf(folder, target)).at(-1)).toBe("label BOOLEAN");
  }));

async function columnsOf(folder: string, target: string): Promise<string[]> {
  const described = await ask(folder, `DESCRIBE SELECT * FROM ${sqlText(target)}`);
  return described.map(({ column_name, column_type }) => `${column_name} ${column_type}`);
}
