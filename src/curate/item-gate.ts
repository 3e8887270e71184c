/**
 * What keeps all examples of an item out, and how that is told of one of them.
 */

/** Says why an item is left out, and because of what where that has a name; null where it is not. */
export type ItemGate = (item: string) => { reason: string; because?: string } | null;

/** Names a turn with what it was refused because of, where that has a name. */
export function becauseOf(turn: string, { because }: { because?: string }): string {
  return because === undefined ? turn : `${turn} (${because})`;
}
