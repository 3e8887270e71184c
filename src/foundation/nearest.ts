/**
 * The known names nearest to a mistyped one, for refusals that help.
 */
import { distance } from "fastest-levenshtein";
import { Refusal } from "./errors.ts";

/** Returns up to three known names within half of the given name's length, nearest first. */
export function nearest(name: string, known: Iterable<string>): string[] {
  const limit = Math.max(2, Math.ceil(name.length / 2));
  return [...known]
    .map((candidate) => ({ candidate, edits: distance(name.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, edits }) => edits <= limit || candidate.startsWith(name))
    .sort((x, y) => x.edits - y.edits || (x.candidate < y.candidate ? -1 : 1))
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

/**
 * Builds the refusal of an unknown name, with the nearest known ones.
 * Example: `unknownName("skill", "sqll", ["sql", "cron"])` has the code `UNKNOWN_SKILL`.
 */
export function unknownName(kind: string, name: string, known: Iterable<string>): Refusal {
  const all = [...known];
  const close = nearest(name, all);
  return new Refusal({
    code: `UNKNOWN_${kind.toUpperCase().replaceAll(/[^A-Z]+/g, "_")}`,
    message: `There is no ${kind} named "${name}".`,
    expected:
      all.length > 0
        ? `one of: ${all.join(", ")}`
        : `${/^[aeiou]/.test(kind) ? "an" : "a"} ${kind} (none is there yet)`,
    got: `"${name}"`,
    ...(close.length > 0 && { fix: `did you mean ${close.map((c) => `"${c}"`).join(" or ")}?` }),
  });
}
