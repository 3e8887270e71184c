/**
 * How long a dataset's rows are, in tokens: what a plan is made for. Reads the lengths alone, in DuckDB.
 */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { Refusal } from "../../foundation/errors.ts";
import type { TrainConfig } from "../../records/adapter-manifest.ts";
import { openDatabase, rowsOf, sqlText } from "../../store/duckdb.ts";

const MEMORY_LIMIT_MB = 256;

const measuredSchema = z.object({
  rows: z.int(),
  tokens: z.number(),
  p50: z.number(),
  p99: z.number(),
  max: z.number(),
  trained: z.number(),
  longer: z.int(),
});

type Measured = z.infer<typeof measuredSchema>;

/** Numbers of rows, by what they are for. */
export interface RowCounts {
  train: number;
  validation: number;
  rehearsal: number;
}

/** Units: tokens of a row, without padding; `p50` to `max` are of the train rows. */
export interface TokenLengths extends Omit<Measured, "longer"> {
  /** Train rows, and general rows that are rehearsed. */
  rows: number;
  /** Of all these together. */
  tokens: number;
  /** The longest row of what is validated on and rehearsed; 0: none. */
  others: number;
  /** The most in one row that are under the loss, whatever the row is for. */
  trained: number;
  /** Rows of more than `maxTokens`; where such rows are dropped, nothing above counts them. */
  longer: RowCounts;
  validationRows: number;
  /** General rows that are to be mixed in, and those that may be; null: none are asked for. */
  rehearsed: { wanted: number; rows: number } | null;
}

/** Tokenised general rows, and what fraction they are of all rows. */
export interface Rehearsed {
  file: string;
  fraction: number;
}

/**
 * Measures the rows of a dataset folder and those that are rehearsed; of a preference pair, the longer answer counts.
 * Throws: `NO_TRAIN_ROWS` where none is left.
 */
export async function tokenLengths(
  folder: string,
  limit: Pick<TrainConfig, "maxTokens" | "tooLong">,
  rehearsed: Rehearsed | null = null,
): Promise<TokenLengths> {
  const path = join(folder, "tokens", "train.parquet");
  const train = await measure(path, limit);
  if (train === null || train.rows === 0) {
    throw new Refusal({
      code: "NO_TRAIN_ROWS",
      message: "No train row has so few tokens that it can be trained on.",
      expected: `rows of at most ${limit.maxTokens} tokens`,
      where: path,
      fix: "train with a larger --max-tokens",
    });
  }
  const validation = await measure(join(folder, "tokens", "validation.parquet"), limit);
  const general = rehearsed === null ? null : await measure(rehearsed.file, limit);
  const { fraction = 0 } = rehearsed ?? {};
  const wanted = Math.round((train.rows * fraction) / (1 - fraction));
  const drawn = general === null ? 0 : Math.min(wanted, general.rows);
  return {
    ...train,
    rows: train.rows + drawn,
    tokens: train.tokens + (general === null || drawn === 0 ? 0 : (general.tokens / general.rows) * drawn),
    others: Math.max(validation?.max ?? 0, general?.max ?? 0),
    trained: Math.max(train.trained, validation?.trained ?? 0, general?.trained ?? 0),
    longer: { train: train.longer, validation: validation?.longer ?? 0, rehearsal: general?.longer ?? 0 },
    validationRows: validation?.rows ?? 0,
    rehearsed: general === null ? null : { wanted, rows: general.rows },
  };
}

/** Measures the rows of one Parquet file; null where there is none. */
async function measure(
  path: string,
  { maxTokens, tooLong }: Pick<TrainConfig, "maxTokens" | "tooLong">,
): Promise<Measured | null> {
  if ((await stat(path).catch(() => null)) === null) return null;
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
    return measuredSchema.parse(measured);
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
