/**
 * Token ids and loss masks as Parquet, what the trainer reads: a row of one answer as `ids` and `mask`, a judged one with
 * its label, a pair as those of its chosen and of its rejected conversation.
 */
import { sumOf } from "../foundation/sums.ts";
import type { Tier, Tokens } from "../records/selection.ts";
import { createParquetTable, type ParquetTable } from "./parquet-table.ts";

export interface TokenTable {
  /** Adds a row: one conversation, or the chosen and the rejected one where the table is of pairs; judged with its label. */
  add(rowId: string, tokens: readonly Tokens[], label?: boolean): Promise<void>;
  finish: ParquetTable["finish"];
}

/** Starts a table at `target`, of the columns that a tier's rows have. */
export function createTokenTable(target: string, tier: Tier = "demonstrations"): TokenTable {
  const prefixes = tier === "preference-pairs" ? ["chosen_", "rejected_"] : [""];
  const isJudged = tier === "judged";
  const columns = prefixes.flatMap((prefix) => [
    [`${prefix}ids`, "INTEGER[]"] as const,
    [`${prefix}mask`, "UTINYINT[]"] as const,
  ]);
  const labels = isJudged ? [["label", "BOOLEAN"] as const] : [];
  const table = createParquetTable(target, { columns: [["row_id", "VARCHAR"], ...columns, ...labels] });
  return {
    finish: table.finish,
    add(rowId, tokens, label) {
      const lists = tokens.map(({ ids, mask }, at) => `"${prefixes[at]}ids":[${ids}],"${prefixes[at]}mask":[${mask}]`);
      const weight = sumOf(tokens, ({ ids }) => ids.length);
      const judged = isJudged ? [`"label":${label === true}`] : [];
      return table.add(`{${[`"row_id":${JSON.stringify(rowId)}`, ...lists, ...judged].join(",")}}`, weight);
    },
  };
}
