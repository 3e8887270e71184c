/**
 * JSON lines for TRL's SFT trainer: prompt-completion, conversational, with the columns that say where a row came from.
 */
import { ANSWER_COLUMNS, ANSWER_REASONS, answerLine } from "../answer-columns.ts";
import type { DatasetFormat } from "../format.ts";

const format: DatasetFormat = {
  summary: "TRL (SFT) and what reads its datasets: prompt-completion, conversational, one JSON object a line",
  extension: "jsonl",
  tiers: ["demonstrations", "judged"],
  needsBase: false,
  columns: ANSWER_COLUMNS,
  reasons: ANSWER_REASONS,
  line: answerLine,
};

export default format;
