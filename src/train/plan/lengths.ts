/**
 * How long a dataset's rows are, in tokens: what a plan is made for. Reads the lengths alone, in DuckDB.
 */
import { join } from "node:path";
import { z } from "zod";
import { Refusal } from "../../foundation/errors.ts";
import type { TrainConfig } from "../../records/adapter-manifest.ts";
import { openDatabase, rowsOf, sqlText } from "../../store/duckdb.ts";

const MEMORY_LIMIT_MB = 256;

const lengthsSchema = z.object({
  rows: z.int().min(1),
  tokens: z.number(),
  p50: z.number(),
  p99: z.number(),
  max: z.number(),
  trained: z.number(),
  longer: z.int(),
});

/** Units: tokens of a row, without padding; `trained` the most in one row that are under the loss. */
export interface TokenLengths {
  rows: number;
  /** Of all rows together. */
  tokens: number;
  p50: number;
  p99: number;
  max: number;
  trained: number;
  /** Rows of more than `maxTokens`; where such rows are dropped, nothing above counts them. */
  longer: number;
}

/**
 * Measures the train rows of a dataset folder; of a preference pair, the longer answer counts.
 * Throws: `NO_TRAIN_ROWS` where none is left.
 */
export async function tokenLengths(
  folder: string,
  { maxTokens, tooLong }: Pick<TrainConfig, "maxTokens" | "tooLong">,
): Promise<TokenLengths> {
  const path = join(folder, "tokens", "train.parquet");
  const database = await openDatabase({ memoryLimitMb: MEMORY_LIMIT_MB, threads: 1, spillFolder: "" });
  try {
    const table = `read_parquet(${sqlText(path)})`;
    const columns = (await rowsOf(database.stream(`DESCRIBE SELECT * FROM ${table}`))).map(
      ({ column_name }) => column_name as string,
    );
    const { ids, mask } = lengthColumns(columns);
    const [measured] = await rowsOf(
      database.stream(`
        WITH lengths AS (SELECT ${ids} AS n, ${mask} AS trained FROM ${table}),
             taken AS (SELECT * FROM lengths${tooLong === "drop" ? ` WHERE n <= ${maxTokens}` : ""})
        SELECT count(*)::INTEGER AS rows, coalesce(sum(n), 0)::DOUBLE AS tokens,
               coalesce(quantile_disc(n, 0.5), 0)::DOUBLE AS p50, coalesce(quantile_disc(n, 0.99), 0)::DOUBLE AS p99,
               coalesce(max(n), 0)::DOUBLE AS max, coalesce(max(trained), 0)::DOUBLE AS trained,
               (SELECT count(*) FROM lengths WHERE n > ${maxTokens})::INTEGER AS longer
        FROM taken`),
    );
    const lengths = lengthsSchema.safeParse(measured);
    if (lengths.success) return lengths.data;
    throw new Refusal({
      code: "NO_TRAIN_ROWS",
      message: "No train row has so few tokens that it can be trained on.",
      expected: `rows of at most ${maxTokens} tokens`,
      where: path,
      fix: "train with a larger --max-tokens",
    });
  } finally {
    database.close();
  }
}

/** SQL for the length of a row and for its tokens under the loss: of `ids` and `mask`, or of the columns of a pair. */
function lengthColumns(columns: string[]): { ids: string; mask: string } {
  const longest = (suffix: string, of: (column: string) => string) => {
    const found = columns.filter((column) => column === suffix || column.endsWith(`_${suffix}`));
    return `greatest(${["0", ...found.map((column) => of(`"${column}"`))].join(", ")})`;
  };
  return {
    ids: longest("ids", (column) => `len(${column})`),
    mask: longest("mask", (column) => `list_sum(${column})`),
  };
}
