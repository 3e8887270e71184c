/**
 * The words of a text as retrieval compares them.
 */

/** Splits a text into lower-case words; every number counts as the same word, since its value says little of the kind of task. */
export function wordsOf(text: string): string[] {
  return (text.toLowerCase().match(/\p{L}+|\p{N}+/gu) ?? []).map((word) => (/^\p{N}/u.test(word) ? "0" : word));
}
