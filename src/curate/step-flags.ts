/** What the record of a turn says went wrong with its answer, and with what came of it. */
import type { Candidate } from "./candidate.ts";

/** A server that takes no schema is no fault of the answer. */
const HARMLESS = new Set(["no-schema"]);

/** The gate that refuses such a step: a command may fail for good reason, so it can be turned off. */
export const FAILED_COMMAND = "failed-command";

/** Names the flags of an answer that say something was wrong with it. */
export function wentWrong({ parseFlags }: Pick<Candidate, "parseFlags">): string[] {
  return parseFlags.filter((flag) => !HARMLESS.has(flag));
}

/** Whether a step's command ended with an error; what the last one led to is for the verifier to judge. */
export function ranIntoError({ isLast, commandFailed }: Pick<Candidate, "isLast" | "commandFailed">): boolean {
  return !isLast && commandFailed === true;
}
