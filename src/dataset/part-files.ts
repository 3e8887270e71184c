/**
 * The files that a dataset's rows are written to, row by row: for each part the rows in the format and, where there is a
 * base, their tokens. A further file of rows is one more entry here.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { lineageOfRow } from "../records/row-lineage.ts";
import { PARTS, type Part, type Tier } from "../records/selection.ts";
import { createParquetTable } from "../store/parquet-table.ts";
import { ROWS_FILE } from "../store/row-lineage.ts";
import { createTokenTable } from "../store/token-table.ts";
import { duckdbType, parquetFeatures } from "./columns.ts";
import type { DatasetFormat } from "./format.ts";
import { createLineFile } from "./line-file.ts";
import type { RenderedRow } from "./rendered-rows.ts";

export interface PartFile {
  /** Whose rows it holds; null for those of all parts. */
  part: Part | null;
  /** Relative to the dataset's folder. */
  path: string;
  add(row: RenderedRow): Promise<void>;
  /** Completes the file; called once, after the last row, and not where a dataset comes to nothing. */
  finish(): Promise<void>;
  /** Gives up what is open, finished or not. */
  close(): Promise<void>;
}

/** Where the tokens of a part lie, for the trainer. */
function tokensPath(part: Part): string {
  return `tokens/${part}.parquet`;
}

/** Creates the files of a new dataset in its folder. */
export async function createPartFiles(
  folder: string,
  { format, tier, hasTokens }: { format: DatasetFormat; tier: Tier; hasTokens: boolean },
): Promise<PartFile[]> {
  if (hasTokens) await mkdir(join(folder, "tokens"));
  const files: PartFile[] = [];
  for (const part of PARTS) {
    const path = `${part}.${format.extension}`;
    const create = format.extension === "parquet" ? parquetFile : jsonlFile;
    files.push({ part, path, ...(await create(join(folder, path), format)) });
    if (hasTokens) files.push({ part, path: tokensPath(part), ...tokensFile(join(folder, tokensPath(part)), tier) });
  }
  files.push({ part: null, path: ROWS_FILE, ...(await lineageFile(join(folder, ROWS_FILE))) });
  return files;
}

type Rows = Pick<PartFile, "add" | "finish" | "close">;

async function jsonlFile(target: string): Promise<Rows> {
  const file = await createLineFile(target);
  return { add: ({ line }) => file.write(line), finish: file.close, close: file.close };
}

async function lineageFile(target: string): Promise<Rows> {
  const file = await createLineFile(target);
  return { add: ({ row }) => file.write(JSON.stringify(lineageOfRow(row))), finish: file.close, close: file.close };
}

async function parquetFile(target: string, { columns }: DatasetFormat): Promise<Rows> {
  const table = createParquetTable(target, {
    columns: columns.map(({ name, type }) => [name, duckdbType(type)]),
    metadata: { huggingface: parquetFeatures(columns) },
  });
  return { add: ({ line }) => table.add(line, line.length >> 2), finish: table.finish, close: async () => {} };
}

function tokensFile(target: string, tier: Tier): Rows {
  const table = createTokenTable(target, tier);
  return {
    add: ({ row, tokens }) => table.add(row.id, tokens, row.kind === "answer" ? row.label : undefined),
    finish: table.finish,
    close: async () => {},
  };
}
