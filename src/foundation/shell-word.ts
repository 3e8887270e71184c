/**
 * Text of unknown origin as one word of a command that a user may paste into a shell.
 */
import { printable } from "./printable.ts";

/** Quotes a text so that a POSIX shell reads it as one word and obeys nothing in it; on one line, white space made one blank. */
export function shellWord(text: string): string {
  const line = printable(text.trim().replaceAll(/\s+/g, " "));
  return `'${line.replaceAll("'", `'\\''`)}'`;
}
