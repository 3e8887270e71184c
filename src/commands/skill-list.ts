/**
 * A list of skills as options have it: names separated by commas, `all` for every one that is meant by it, and `-NAME` for one that
 * is taken out again. Does not know what is done with them.
 */
import { unknownName } from "../foundation/nearest.ts";

/**
 * Reads a list. `all` is asked for only where the list says so.
 * Shapes: `chosen` and `out` are sorted; nothing of `out` is in `chosen`.
 * Throws: `UNKNOWN_SKILL`.
 */
export async function readSkillList(
  text: string,
  { known, all }: { known: readonly string[]; all: () => Promise<readonly string[]> },
): Promise<{ chosen: string[]; out: string[] }> {
  const words = text.split(",").map((word) => word.trim());
  const out = new Set(words.filter((word) => word.startsWith("-")).map((word) => word.slice(1)));
  const named = words.filter((word) => word !== "all" && !word.startsWith("-"));
  for (const name of [...out, ...named]) if (!known.includes(name)) throw unknownName("skill", name, known);
  const wanted = new Set(words.includes("all") ? [...named, ...(await all())] : named);
  return { chosen: [...wanted].filter((name) => !out.has(name)).sort(), out: [...out].sort() };
}
