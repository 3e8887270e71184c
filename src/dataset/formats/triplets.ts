/**
 * Triplets for models that rank: sentence-transformers' CrossEncoder and SentenceTransformer trainers under a loss of
 * triplets (MultipleNegativesRankingLoss and its like). The columns are these three and no others: these trainers go by
 * order, and would take every further column for one more negative. `rows.jsonl` says where each row came from.
 * Source: sentence-transformers, docs/cross_encoder/training_overview.md (dataset format).
 */
import type { RerankerRow } from "../../records/selection.ts";
import { type Column, jsonText, lineOf } from "../columns.ts";
import type { DatasetFormat } from "../format.ts";
import { ofTipPairs } from "../message-forms.ts";

const COLUMNS: readonly Column<RerankerRow>[] = [
  { name: "anchor", type: "text", json: ({ query }) => jsonText(query) },
  { name: "positive", type: "text", json: ({ positive }) => jsonText(positive) },
  { name: "negative", type: "text", json: ({ negative }) => jsonText(negative) },
];

const format: DatasetFormat = {
  summary: "sentence-transformers (rerankers, embeddings): a query with a tip that helps more and one that helps less",
  extension: "jsonl",
  tiers: ["reranker-pairs"],
  needsBase: false,
  columns: COLUMNS,
  reasons: [],
  line: ofTipPairs((row) => lineOf(COLUMNS, row)),
};

export default format;
