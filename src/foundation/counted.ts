/** Numbers of things in words: one thing is told in the singular. */

/** `1 row`, `3 rows`, `0 rows`; `many` where it is more than the word with an s: `counted(1, "family is", "families are")`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
