/**
 * Rows that wait for their items' tasks, which are read for many items at once: one by one it would take too long, and
 * all of a range at once too much memory, as tasks may be long.
 */
import type { Lake } from "../store/lake.ts";
import { tasksQuery } from "./candidate-query.ts";
import type { SelectionSettings } from "./selection-settings.ts";
import type { TierRow } from "./tier.ts";

export interface RowBlock {
  push(row: TierRow): void;
  isFull(): boolean;
  /** Hands the rows on, in the order in which they came. */
  empty(): Promise<void>;
}

const MOST_ROWS = 4096;
const MOST_CHARACTERS = 1 << 24;

/** Makes an empty block; tasks are read only where near-duplicates are looked for. */
export function rowBlock(
  lake: Lake,
  settings: SelectionSettings,
  handOn: (row: TierRow, task: string) => void,
): RowBlock {
  let rows: TierRow[] = [];
  let characters = 0;
  return {
    push(row) {
      rows.push(row);
      for (const { content } of row.row.prompt) characters += content?.length ?? 0;
    },
    isFull: () => rows.length >= MOST_ROWS || characters >= MOST_CHARACTERS,
    async empty() {
      const tasks = settings.nearThreshold === null ? new Map() : await tasksOf(lake, settings, rows);
      for (const row of rows) handOn(row, tasks.get(row.row.item) ?? "");
      rows = [];
      characters = 0;
    },
  };
}

async function tasksOf(
  lake: Lake,
  settings: SelectionSettings,
  rows: readonly TierRow[],
): Promise<Map<string, string>> {
  const items = [...new Set(rows.map(({ row }) => row.item))];
  if (items.length === 0) return new Map();
  const { sql, parameters } = tasksQuery(settings, items);
  return new Map((await lake.query(sql, parameters)).map(({ item, task }) => [String(item), String(task)]));
}
