/**
 * Tips of gemma-forge: an id is a number of one database, so that the run that saved the tip is part of what it is here.
 */
import { hashJson } from "../../foundation/hashing.ts";
import type { TipId } from "../../records/ids.ts";
import { TIP_TYPES } from "../../records/tip.ts";
import type { ForeignTip } from "../foreign.ts";
import { countIn, type JsonObject, textIn } from "../reading/shapes.ts";

/** Null where the source does not say which tip it is. */
export function tipIdOf(sourceRun: unknown, id: unknown): TipId | null {
  const number = countIn(id);
  if (number === null) return null;
  return `tip-${hashJson(["gemma-forge", textIn(sourceRun), number]).slice(0, 16)}` as TipId;
}

/** Reads `tip_added`, or a row of `tips`; null where it has no text or no kind that a tip may have. */
export function tipOf(data: JsonObject, about: string): ForeignTip["tip"] | null {
  const tip = tipIdOf(data.source_run_id, data.tip_id ?? data.id);
  const text = textIn(data.text);
  const type = TIP_TYPES.find((known) => known === data.tip_type);
  if (tip === null || text === null || text === "" || type === undefined) return null;
  const conditions = Array.isArray(data.trigger_conditions)
    ? data.trigger_conditions.filter((one) => typeof one === "string").join("; ")
    : "";
  return {
    ...{ tip, type, text, example: null, mechanism: textIn(data.mechanism), about },
    conditions: conditions === "" ? null : conditions,
  };
}
