/**
 * JSON lines for TRL: prompt-completion, conversational, one column of tools (JSON text, as tools of different shapes
 * have no common schema), and the columns that say where a row came from.
 * Source: TRL, docs/source/dataset_formats.md.
 */
import type { DatasetFormat } from "../format.ts";

const format: DatasetFormat = {
  summary: "TRL prompt-completion rows, conversational, one JSON object a line",
  extension: "jsonl",
  line: (row) =>
    JSON.stringify({
      id: row.id,
      prompt: row.prompt,
      completion: row.completion,
      tools: row.tools === null ? null : JSON.stringify(row.tools),
      reward: row.reward,
      skill: row.skill,
      role: row.role,
      family: row.family,
      item: row.item,
      run: row.run,
      attempt: row.attempt,
      turn: row.turn,
      model: row.model,
      base_hash: row.baseHash,
      adapter_hash: row.adapterHash,
      verifier_id: row.verifierId,
      verifier_version: row.verifierVersion,
      confidence: row.confidence,
    }),
};

export default format;
