/**
 * JSON lines for TRL: prompt-completion, conversational, and the columns that say where a row came from.
 *
 * A loader infers each column's type from what it sees first, so every column keeps one type in every row: tools are
 * JSON text (`null` where there are none, which TRL parses), a text that is not known is empty, fractions have a point.
 * Source: TRL, docs/source/dataset_formats.md.
 */
import type { DatasetFormat, DatasetRow } from "../format.ts";

const json = (value: unknown): string => JSON.stringify(value);
const fraction = (value: number): string => (Number.isInteger(value) ? value.toFixed(1) : String(value));

const COLUMNS: Record<string, (row: DatasetRow) => string> = {
  id: (row) => json(row.id),
  prompt: (row) => json(row.prompt),
  completion: (row) => json(row.completion),
  tools: (row) => json(json(row.tools)),
  reward: (row) => fraction(row.reward),
  skill: (row) => json(row.skill),
  role: (row) => json(row.role),
  family: (row) => json(row.family),
  item: (row) => json(row.item),
  run: (row) => json(row.run),
  attempt: (row) => json(row.attempt),
  turn: (row) => json(row.turn),
  model: (row) => json(row.model ?? ""),
  base_hash: (row) => json(row.baseHash ?? ""),
  adapter_hash: (row) => json(row.adapterHash ?? ""),
  verifier_id: (row) => json(row.verifierId),
  verifier_version: (row) => json(row.verifierVersion),
  confidence: (row) => fraction(row.confidence),
};

const format: DatasetFormat = {
  summary: "TRL prompt-completion rows, conversational, one JSON object a line",
  extension: "jsonl",
  line: (row) =>
    `{${Object.entries(COLUMNS)
      .map(([name, write]) => `"${name}":${write(row)}`)
      .join(",")}}`,
};

export default format;
