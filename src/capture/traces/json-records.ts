/**
 * The records of a file that is JSON lines, or one document that is a record or a list of them: some programs write
 * either under the same name.
 */
import type { Rejected } from "../foreign.ts";
import type { ImportInput, JsonLine } from "../importer.ts";
import { parseBytes, readHead, rejected } from "../reading/json.ts";

const HEAD_BYTES = 64 << 10;
const NEWLINE = 10;

/** Yields each record with its place; a list in a line or document is its entries. */
export function* jsonRecords(
  file: string,
  source: Pick<ImportInput, "lines" | "document">,
): Generator<JsonLine | Rejected> {
  for (const line of isLines(file) ? source.lines(file) : [documentOf(file, source)]) {
    if ("kind" in line || !Array.isArray(line.value)) yield line;
    else for (const [i, value] of line.value.entries()) yield { where: `${line.where}#${i}`, value };
  }
}

function documentOf(file: string, source: Pick<ImportInput, "document">): JsonLine | Rejected {
  const read = source.document(file);
  return "value" in read ? { where: file, value: read.value } : rejected(file, read.reason);
}

/** A document that is spread over lines has a first one that is no JSON of itself. */
function isLines(file: string): boolean {
  if (/\.(jsonl|ndjson)$/.test(file)) return true;
  const head = readHead(file, HEAD_BYTES);
  const end = head.indexOf(NEWLINE);
  return end < 0 || "value" in parseBytes(head.subarray(0, end));
}
