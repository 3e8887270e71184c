/** What the record of a turn says went wrong with its answer. */
import type { Candidate } from "./candidate.ts";

/** A server that takes no schema is no fault of the answer. */
const HARMLESS = new Set(["no-schema"]);

export function wentWrong({ parseFlags }: Pick<Candidate, "parseFlags">): string[] {
  return parseFlags.filter((flag) => !HARMLESS.has(flag));
}
