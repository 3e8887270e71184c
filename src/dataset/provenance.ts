/**
 * The columns that say where a row came from, for the formats whose readers pass over columns that they do not know.
 * An unknown text is empty, so that its column keeps one type.
 */
import type { AnswerOrigin, SelectedRow } from "../records/selection.ts";
import { type Column, fractionText, jsonText } from "./columns.ts";

type Head = Pick<SelectedRow, "skill" | "role" | "family" | "item">;

export const HEAD_COLUMNS: readonly Column<Head>[] = [
  { name: "skill", type: "text", json: (row) => jsonText(row.skill) },
  { name: "role", type: "text", json: (row) => jsonText(row.role) },
  { name: "family", type: "text", json: (row) => jsonText(row.family) },
  { name: "item", type: "text", json: (row) => jsonText(row.item) },
];

export const ORIGIN_COLUMNS: readonly Column<AnswerOrigin>[] = [
  { name: "run", type: "text", json: (from) => jsonText(from.run) },
  { name: "attempt", type: "text", json: (from) => jsonText(from.attempt) },
  { name: "turn", type: "text", json: (from) => jsonText(from.turn) },
  { name: "model", type: "text", json: (from) => jsonText(from.model ?? "") },
  { name: "base_hash", type: "text", json: (from) => jsonText(from.baseHash ?? "") },
  { name: "adapter_hash", type: "text", json: (from) => jsonText(from.adapterHash ?? "") },
  { name: "verifier_id", type: "text", json: (from) => jsonText(from.verifierId) },
  { name: "verifier_version", type: "text", json: (from) => jsonText(from.verifierVersion) },
  { name: "confidence", type: "fraction", json: (from) => fractionText(from.confidence) },
  { name: "rule", type: "text", json: (from) => jsonText(from.rule) },
];

/** The origin's columns and its reward under names that begin with `prefix`, read from the origin that `of` finds. */
export function originColumns<Row>(prefix: string, of: (row: Row) => AnswerOrigin): Column<Row>[] {
  const reward: Column<AnswerOrigin> = {
    name: "reward",
    type: "fraction",
    json: (from) => fractionText(from.reward),
  };
  return [reward, ...ORIGIN_COLUMNS].map((column) => ({
    ...column,
    name: `${prefix}${column.name}`,
    json: (row) => column.json(of(row)),
  }));
}
