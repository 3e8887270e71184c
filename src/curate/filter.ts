/**
 * An integrity filter: one reason for which no example may be trained on, whatever the user asks for. Every file of
 * `filters/` is one; its file name is the reason that the manifest counts.
 */
import type { Candidate } from "./candidate.ts";

export interface Filter {
  /** What is refused, as the dataset's card says it. */
  summary: string;
  /** Contract: pure, and must not throw. An example that several filters refuse counts for the first by name. */
  refuses(candidate: Candidate): boolean;
}
