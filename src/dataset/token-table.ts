/**
 * Token ids and loss masks as Parquet, what the trainer reads: a row of one answer as `ids` and `mask`, a pair as those of
 * its chosen and of its rejected conversation.
 */
import type { Tokens } from "./format.ts";
import { createParquetTable, type ParquetTable } from "./parquet-table.ts";

export interface TokenTable {
  /** Adds a row: one conversation, or the chosen and the rejected one where the table is of pairs. */
  add(rowId: string, tokens: readonly Tokens[]): Promise<void>;
  finish: ParquetTable["finish"];
}

/** Starts a table at `target`, of the names that its conversations' columns begin with: none, or those of pairs. */
export function createTokenTable(target: string, of: "answers" | "pairs" = "answers"): TokenTable {
  const prefixes = of === "answers" ? [""] : ["chosen_", "rejected_"];
  const columns = prefixes.flatMap((prefix) => [
    [`${prefix}ids`, "INTEGER[]"] as const,
    [`${prefix}mask`, "UTINYINT[]"] as const,
  ]);
  const table = createParquetTable(target, { columns: [["row_id", "VARCHAR"], ...columns] });
  return {
    finish: table.finish,
    add(rowId, tokens) {
      const lists = tokens.map(({ ids, mask }, at) => `"${prefixes[at]}ids":[${ids}],"${prefixes[at]}mask":[${mask}]`);
      const weight = tokens.reduce((sum, { ids }) => sum + ids.length, 0);
      return table.add(`{"row_id":${JSON.stringify(rowId)},${lists.join(",")}}`, weight);
    },
  };
}
