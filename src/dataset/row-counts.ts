/**
 * Counts the rows of a dataset while they pass by.
 */
import type { DatasetManifest } from "../records/dataset-manifest.ts";
import type { RenderedRow } from "./rendered-rows.ts";

export interface RowCounts {
  add(row: RenderedRow): void;
  counts(): Omit<DatasetManifest["counts"], "examples">;
}

export function rowCounts(): RowCounts {
  const rows = { train: 0, validation: 0 };
  const items = new Set<string>();
  const families = new Set<string>();
  let trainTokens = 0;
  let trainedTokens = 0;
  return {
    add({ part, row, ids, mask }) {
      rows[part] += 1;
      items.add(row.item);
      if (part !== "train") return;
      families.add(row.family);
      trainTokens += ids.length;
      for (const isTrained of mask) trainedTokens += isTrained;
    },
    counts: () => ({
      trainRows: rows.train,
      validationRows: rows.validation,
      trainTokens,
      trainedTokens,
      items: items.size,
      families: [...families].sort(),
    }),
  };
}
