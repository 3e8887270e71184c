/**
 * Text of unknown origin (a model's answer, a user's file) for a terminal: control characters are shown, not obeyed.
 */

/** Replaces every control character but tabs and line ends. */
export function printable(text: string): string {
  return text.replaceAll("\r\n", "\n").replaceAll(/[^\P{Cc}\n\t]/gu, "\ufffd");
}
