/**
 * The placeholders of one trace: `<HOST_1>`, numbered in the order in which its secrets are first seen. Numbers go on
 * behind the highest that a text of the trace already held; one that turns up later, with a number given out before,
 * cannot be told from our own and stays as it is.
 */
import { KINDS, type SecretKind } from "./rule.ts";

const PLACEHOLDER = new RegExp(`<(${KINDS.join("|")})_([0-9]{1,9})>`, "g");
/** What is the same machine or mailbox in any spelling. */
const CASELESS: readonly SecretKind[] = ["HOST", "ADDRESS", "EMAIL"];

export interface Placeholders {
  /** Takes note of the placeholders that a text already holds. */
  note(text: string): void;
  of(kind: SecretKind, secret: string): string;
}

/** Makes the placeholders of a trace of which nothing was seen. */
export function placeholders(): Placeholders {
  const highest = new Map<string, number>();
  const given = new Map<string, string>();
  return {
    note(text) {
      if (!text.includes("<")) return;
      for (const [, kind = "", number] of text.matchAll(PLACEHOLDER))
        highest.set(kind, Math.max(highest.get(kind) ?? 0, Number(number)));
    },
    of(kind, secret) {
      const key = `${kind} ${CASELESS.includes(kind) ? secret.toLowerCase() : secret}`;
      const known = given.get(key);
      if (known !== undefined) return known;
      const number = (highest.get(kind) ?? 0) + 1;
      highest.set(kind, number);
      const placeholder = `<${kind}_${number}>`;
      given.set(key, placeholder);
      return placeholder;
    },
  };
}

/** Tells whether a piece of text holds a placeholder, so that what was replaced is not found again. */
export function holdsPlaceholder(piece: string): boolean {
  return piece.includes("<") && piece.search(PLACEHOLDER) >= 0;
}
