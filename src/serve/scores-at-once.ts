/**
 * How many prompts a target may be asked to score at the same time: some engines die of two in one batch.
 */
import { join } from "node:path";
import { loadExtension } from "../foundation/discovery.ts";
import type { TargetKind } from "./target.ts";

/** Returns the target's own limit, or `wished` where it has none. Throws: `UNKNOWN_TARGET`. */
export async function scoresAtOnce(target: string, wished: number): Promise<number> {
  const kind = await loadExtension<TargetKind>(join(import.meta.dirname, "targets"), "target", target);
  return Math.min(wished, kind.scoresAtOnce ?? wished);
}
