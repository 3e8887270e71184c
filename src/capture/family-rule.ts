/**
 * How items are put into families, read from words: a field of an item's details (`repo`), or a regular expression
 * between slashes whose first group is taken from the item's id (`/^([^/]+)/`).
 */
import { Refusal } from "../foundation/errors.ts";
import type { FamilyRule } from "./foreign-item.ts";

/** Reads a rule. Throws: `BAD_FAMILY_RULE`. */
export function readFamilyRule(text: string): FamilyRule {
  const [, source] = /^\/(.*)\/$/s.exec(text) ?? [];
  if (source === undefined) {
    return {
      text,
      familyOf({ detail }) {
        const value = Object.hasOwn(detail, text) ? detail[text] : null;
        return typeof value === "object" || value === undefined || value === "" ? null : String(value);
      },
    };
  }
  try {
    const pattern = new RegExp(source, "u");
    return { text, familyOf: ({ item }) => pattern.exec(item)?.[1] || null };
  } catch (cause) {
    throw new Refusal({
      code: "BAD_FAMILY_RULE",
      message: "The rule for families is no regular expression.",
      expected: "a field's name, or /REGEX/ with one group",
      got: `${text}: ${(cause as Error).message}`,
      cause,
    });
  }
}
