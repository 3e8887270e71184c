/**
 * One event of a gemma-forge run log, and what its fields are cut to: a text that is exactly as long as its limit was cut.
 */
import { isObject, type JsonObject, textIn, timeIn } from "../reading/shapes.ts";

export interface RunEventLine {
  where: string;
  at: Date | null;
  type: string;
  agent: string;
  data: JsonObject;
}

/** The envelope of a log's line, or of a row of the database's `run_events`; null where it is none. */
export function runEventOf(where: string, value: unknown): RunEventLine | null {
  if (!isObject(value) || !isObject(value.data)) return null;
  const type = textIn(value.event_type);
  const agent = textIn(value.agent);
  if (type === null || agent === null) return null;
  return { where, at: timeIn(value.timestamp ?? value.ts), type, agent, data: value.data };
}

/** Units: characters (code points) after which the harness cuts a field. Source: its writer, `run_logger` and `ralph`. */
export const LIMITS = { argument: 200, result: 500, answer: 1000 } as const;

/** Whether a text fills its limit, and so was cut. Units: code points, as the harness counts them. */
export function isCut(text: string, limit: number): boolean {
  return text.length >= limit && [...text].length >= limit;
}
